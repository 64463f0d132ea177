from uuid import UUID

import pytest
from cases import cases

from holdfast.kernel.ids import new_id
from holdfast.kernel.money import MAX_AMOUNT
from holdfast.kernel.page import encode_cursor

EUR = {"amount": 800, "currency": "EUR"}
HOSTILE = "<b>\u202e\U0001f9e6 e\u0301 ' OR 1=1 --</b>"


class TestPrices:
    async def test_are_set_listed_and_taken_off(
        self, client, keeper, anyhow, set_prices
    ):
        told = await set_prices(
            {"price": EUR, "compare_at_price": {"amount": 900, "currency": "EUR"}},
            {"price": {"amount": 850, "currency": "USD"}, "min_quantity": 10},
        )

        pages = [
            (await client.get(f"/v1/prices{query}", headers=keeper)).json()
            for query in ("?limit=1", "?sku=TEA", "?sku=TEA&currency=USD")
        ]
        price = pages[1]["items"][0]
        gone = await client.delete(f"/v1/prices/{price['id']}", headers=anyhow)
        again = await client.delete(f"/v1/prices/{price['id']}", headers=anyhow)

        assert told == {"set": 2, "unchanged": 0, "replaced": 0}
        assert [len(page["items"]) for page in pages] == [1, 2, 1]
        assert pages[0]["next"] is not None
        assert price | {"id": None, "created_at": None} == {
            "id": None,
            "sku": "TEA",
            "price_list_id": None,
            "min_quantity": 1,
            "price": EUR,
            "compare_at_price": {"amount": 900, "currency": "EUR"},
            "starts_at": None,
            "ends_at": None,
            "created_at": None,
        }
        assert (gone.status_code, again.status_code) == (204, 404)
        assert again.json()["type"] == "/problems/price-not-found"

    @cases(
        "price",
        [
            {"price": EUR, "min_quantity": 0},
            {"price": EUR, "min_quantity": 10**30},
            {"price": {"amount": MAX_AMOUNT + 1, "currency": "EUR"}},
            {"price": {"amount": 10**40, "currency": "EUR"}},
            {"price": {"amount": 1.5, "currency": "EUR"}},
            {"price": {"amount": 1, "currency": "EURO"}},
            {"price": {"amount": 1, "currency": "XXX"}},
            {"price": EUR, "starts_at": "9999-12-31T23:59:59-23:00"},
            {"price": EUR, "ends_at": "0001-01-01T00:00:00+23:00"},
            {"price": EUR, "starts_at": "2026-11-27T00:00:00"},
            {"price": EUR, "sku": "N\x00NE"},
            {"price": EUR, "sku": HOSTILE},
            {"price": EUR, "unknown": 1},
        ],
    )
    async def test_what_can_be_no_price_is_refused(self, client, anyhow, tea, price):
        body = {"prices": [{"sku": "TEA", **price}]}

        answer = await client.put("/v1/prices", json=body, headers=anyhow)

        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"]

    async def test_half_a_character_in_a_sku_is_refused(self, client, anyhow, tea):
        body = b'{"prices":[{"sku":"\\ud800","price":{"amount":1,"currency":"EUR"}}]}'

        answer = await client.put("/v1/prices", content=body, headers=anyhow)

        assert answer.status_code in (400, 422)

    async def test_that_overlap_are_named(self, client, anyhow, tea):
        first = {"sku": "TEA", "price": EUR, "starts_at": "2026-12-01T00:00:00Z"}
        second = {**first, "starts_at": "2026-12-24T00:00:00Z"}

        body = {"prices": [first, second]}
        answer = await client.put("/v1/prices", json=body, headers=anyhow)

        assert answer.json()["type"] == "/problems/prices-invalid"
        assert answer.json()["errors"][0]["pointer"] == "/prices/1/starts_at"


class TestHistory:
    async def test_tells_every_price_and_who_set_it(
        self, client, keeper, set_prices, clock
    ):
        clock.advance(days=1)
        await set_prices(800)
        clock.advance(days=1)
        await set_prices(700)

        found, after = [], None
        while after is not None or not found:
            query = {"sku": "TEA", "limit": 1} | ({"after": after} if after else {})
            answer = await client.get(
                "/v1/prices/history", params=query, headers=keeper
            )
            page = answer.json()
            found += page["items"]
            after = page["next"]

        assert [n["price"]["amount"] for n in found] == [700, 800, 1000]
        assert [n["until"] for n in found] == [None, found[0]["since"], None]
        assert found[1]["removed_by"] == found[1]["set_by"]

    @pytest.mark.parametrize(
        "after",
        [
            *("x", "WyJhIiwiYiJd"),
            encode_cursor("9999-12-31T23:59:59-05:00", str(UUID(int=0))),
        ],
        ids=["nothing", "another", "never"],
    )
    async def test_no_cursor_but_its_own_is_taken(self, client, keeper, tea, after):
        answer = await client.get(
            "/v1/prices/history", params={"sku": "TEA", "after": after}, headers=keeper
        )

        assert answer.json()["type"] == "/problems/bad-cursor"


class TestQuote:
    async def test_says_which_price_holds_and_why(
        self, client, keeper, set_prices, make, signed_in
    ):
        trade = await make("/v1/customer-groups", code="trade", name="Trade")
        agreed = await make(
            "/v1/price-lists",
            code="trade-2027",
            name="Trade 2027",
            kind="contract",
            group_ids=[trade["id"]],
        )
        dealer = await signed_in()
        path = f"/v1/customer-groups/{trade['id']}/members/{dealer.account_id}"
        assert (await client.put(path, headers=keeper)).status_code == 200
        ten = {"price": {"amount": 600, "currency": "EUR"}, "min_quantity": 10}
        await set_prices(900, ten, price_list=agreed["id"])

        answers = [
            (
                await client.get(
                    "/v1/prices/quote", params={"sku": "TEA", **query}, headers=keeper
                )
            ).json()
            for query in (
                {},
                {"account_id": str(dealer.account_id), "quantity": 12},
                {"currency": "USD"},
            )
        ]

        plain, theirs, dollars = answers
        assert (plain["price"]["amount"], plain["price_list_id"]) == (1000, None)
        assert (theirs["price"]["amount"], theirs["price_list_id"]) == (
            600,
            agreed["id"],
        )
        assert [
            (n["min_quantity"], n["price"]["amount"]) for n in theirs["breaks"]
        ] == [
            (1, 900),
            (10, 600),
        ]
        assert dollars["price"] is None

    @cases(
        ("query", "status"),
        [
            ({"sku": "NONE"}, 422),
            ({"sku": "TEA", "currency": "XXX"}, 422),
            ({"sku": "TEA", "quantity": 0}, 422),
            ({"sku": "TEA", "at": "9999-12-31T23:59:59-23:00"}, 422),
            ({"sku": "TEA", "at": "yesterday"}, 422),
        ],
    )
    async def test_of_nonsense_says_what_is_wrong(
        self, client, keeper, tea, query, status
    ):
        answer = await client.get("/v1/prices/quote", params=query, headers=keeper)

        assert answer.status_code == status, answer.text


class TestPriceLists:
    async def test_are_made_changed_listed_and_withdrawn(
        self, client, keeper, anyhow, make
    ):
        made = await make("/v1/price-lists", code="summer", name=HOSTILE)
        path = f"/v1/price-lists/{made['id']}"
        changes = {"name": "Winter", "ends_at": "2027-01-01T00:00:00+01:00"}

        changed = (await client.patch(path, json=changes, headers=anyhow)).json()
        cleared = await client.patch(path, json={"ends_at": None}, headers=anyhow)
        shown = (await client.get(path, headers=keeper)).json()
        listed = (await client.get("/v1/price-lists", headers=keeper)).json()
        gone = await client.delete(path, headers=anyhow)

        assert (made["name"], made["group_ids"], made["kind"]) == (
            HOSTILE,
            None,
            "sale",
        )
        assert (changed["name"], changed["ends_at"]) == (
            "Winter",
            "2026-12-31T23:00:00Z",
        )
        assert cleared.json() == shown
        assert listed["items"] == [shown]
        assert gone.status_code == 204
        assert (await client.get(path, headers=keeper)).status_code == 404

    @cases(
        "fields",
        [
            {"code": "Summer Sale", "name": "x"},
            {"code": "summer\n", "name": "x"},
            {"code": "summer", "name": ""},
            {"code": "summer", "name": "a\x00b"},
            {"code": "summer", "name": "x", "kind": "gift"},
            {"code": "summer", "name": "x", "kind": "contract"},
            {"code": "summer", "name": "x", "group_ids": []},
            {"code": "summer", "name": "x", "group_ids": [str(UUID(int=1))]},
        ],
    )
    async def test_what_can_be_no_list_is_refused(self, client, keeper, fields):
        answer = await client.post("/v1/price-lists", json=fields, headers=keeper)

        assert answer.status_code == 422, answer.text

    async def test_a_code_is_taken_once(self, client, keeper, make):
        await make("/v1/price-lists", code="summer", name="Summer")

        body = {"code": "summer", "name": "Summer"}
        answer = await client.post("/v1/price-lists", json=body, headers=keeper)

        assert answer.json()["type"] == "/problems/duplicate-price-list"


class TestCustomerGroups:
    async def test_are_made_named_filled_and_ended(
        self, client, keeper, anyhow, make, signed_in
    ):
        made = await make("/v1/customer-groups", code="club", name="Club")
        path, ada = f"/v1/customer-groups/{made['id']}", await signed_in()
        member = f"{path}/members/{ada.account_id}"

        twice = [await client.put(member, headers=keeper) for _ in range(2)]
        renamed = await client.patch(path, json={"name": "Gold"}, headers=anyhow)
        shown = (await client.get(path, headers=keeper)).json()
        listed = (await client.get("/v1/customer-groups", headers=keeper)).json()
        members = (await client.get(f"{path}/members", headers=keeper)).json()
        theirs = await client.get(
            f"/v1/customers/{ada.account_id}/groups", headers=keeper
        )
        left = await client.delete(member, headers=anyhow)
        ended = await client.delete(path, headers=anyhow)

        assert [answer.status_code for answer in twice] == [200, 200]
        assert twice[0].json() == twice[1].json() == members["items"][0]
        assert renamed.json() == shown == listed["items"][0]
        assert (shown["name"], shown["members"]) == ("Gold", 1)
        assert [group["code"] for group in theirs.json()["items"]] == ["club"]
        assert (left.status_code, ended.status_code) == (204, 204)
        assert (await client.get(path, headers=keeper)).status_code == 404

    async def test_nobody_joins_what_is_not_there(
        self, client, keeper, anyhow, signed_in
    ):
        ada = await signed_in()
        path = f"/v1/customer-groups/{new_id()}"

        answers = [
            await client.put(f"{path}/members/{ada.account_id}", headers=keeper),
            await client.get(f"{path}/members", headers=keeper),
            await client.patch(path, json={"name": "x"}, headers=anyhow),
            await client.delete(path, headers=anyhow),
            await client.delete(
                f"{path}/members/{ada.account_id}",
                headers={**keeper, "If-Match": '"1"'},
            ),
        ]

        assert [answer.status_code for answer in answers] == [404] * 5
