"""Draft orders over HTTP: prepared, listed, changed and withdrawn by operators."""

import asyncio

import pytest
from cases import cases

from holdfast.kernel.ids import new_id

PATH = "/v1/draft-orders"
ADDRESS = {
    "name": "Ada Lovelace",
    "line1": "12 Main St",
    "city": "London",
    "country": "GB",
}
READY = {
    "email": "ada@example.com",
    "shipping_method": "pickup",
    "shipping_address": ADDRESS,
}
CHEAP = {"sku": "TEA", "quantity": 3, "unit_price": {"amount": 700, "currency": "EUR"}}
PAID = {"external": {"reference": "bank transfer 4711"}}


class TestCreate:
    async def test_answers_with_the_draft_and_the_buyers_token(
        self, client, clerk, tea
    ):
        answer = await client.post(
            PATH,
            json={"lines": [CHEAP], **READY, "note": "By telephone"},
            headers=clerk,
        )

        draft = answer.json()
        assert answer.status_code == 201
        assert answer.headers["location"] == f"{PATH}/{draft['id']}"
        assert answer.headers["etag"] == '"1"'
        assert draft["token"].startswith("hfc_")
        assert (draft["status"], draft["note"]) == ("open", "By telephone")
        assert draft["prepared_by"].startswith("key:")
        assert draft["total"] == {"amount": 2100, "currency": "EUR"}
        found = await client.get(answer.headers["location"], headers=clerk)
        assert found.json() == {k: v for k, v in draft.items() if k != "token"}

    async def test_prices_need_their_own_scope(self, client, an_operator, tea):
        headers = await an_operator("orders:write")

        answer = await client.post(PATH, json={"lines": [CHEAP]}, headers=headers)

        assert answer.status_code == 403
        assert 'scope="prices:override"' in answer.headers["www-authenticate"]

    @cases(
        ("fields", "at_fault"),
        [
            ({"note": ""}, ["/note"]),
            ({"note": "x" * 5001}, ["/note"]),
            ({"email": "ada"}, ["/email"]),
            ({"shipping_method": "owl"}, ["/shipping_method"]),
            ({"shipping_address": {**ADDRESS, "country": "XX"}}, None),
            ({"account_id": "me"}, ["/account_id"]),
            ({"currency": "XXX"}, ["/currency"]),
            ({"lines": [{"sku": "TEA", "quantity": 0}]}, ["/lines/0/quantity"]),
            ({"token": "hfc_x"}, ["/token"]),
        ],
    )
    async def test_a_body_of_another_form_is_refused(
        self, client, clerk, faults, fields, at_fault
    ):
        answer = await client.post(PATH, json=fields, headers=clerk)

        assert faults(answer) == (at_fault or ["/shipping_address/country"])

    async def test_the_note_is_sealed(self, database, prepare):
        await prepare(note="Call +44 20 7946 0018")

        row = await database.fetchval("SELECT carts::text FROM carts")
        sealed = await database.fetchval("SELECT sealed FROM carts")
        assert "7946" not in row
        assert b"7946" not in sealed


class TestBrowse:
    async def test_shows_them_newest_first_and_by_what_is_asked(
        self, client, clerk, prepare, opened, an_operator
    ):
        account = str(new_id())
        first, second = await prepare(), await prepare(account_id=account)
        await opened()
        colleague = await an_operator("orders:write", "orders:read")
        third = (await client.post(PATH, json={}, headers=colleague)).json()
        await client.delete(f"{PATH}/{first['id']}", headers=clerk)

        for query, wanted in (
            ("", [third, second, first]),
            ("?status=open", [third, second]),
            ("?status=discarded", [first]),
            (f"?account_id={account}", [second]),
            (f"?prepared_by={third['prepared_by']}", [third]),
            (f"?status=ordered&account_id={account}", []),
        ):
            answer = await client.get(PATH + query, headers=clerk)
            found = [draft["id"] for draft in answer.json()["items"]]
            assert found == [draft["id"] for draft in wanted], query

    async def test_comes_in_pages(self, client, clerk, prepare):
        made = [(await prepare())["id"] for _ in range(5)]
        seen, path = [], f"{PATH}?limit=2&status=open"
        while path:
            answer = await client.get(path, headers=clerk)
            seen += [draft["id"] for draft in answer.json()["items"]]
            path = answer.links.get("next", {}).get("url")

        assert seen == made[::-1]

    @pytest.mark.parametrize("query", ["status=merged", "account_id=x", "q=1"])
    async def test_a_query_of_another_form_is_refused(
        self, client, clerk, faults, query
    ):
        answer = await client.get(f"{PATH}?{query}", headers=clerk)

        assert faults(answer) == [query.partition("=")[0]]


class TestChange:
    async def test_changes_what_is_named_and_keeps_the_rest(
        self, client, clerk, prepare
    ):
        draft = await prepare(note="By telephone")

        answer = await client.patch(
            f"{PATH}/{draft['id']}",
            json={"lines": [{"sku": "TEA", "quantity": 2}], "email": None},
            headers=clerk,
        )

        changed = answer.json()
        assert answer.headers["etag"] == '"2"'
        assert [
            (n["quantity"], n["unit_price"]["amount"]) for n in changed["lines"]
        ] == [(2, 999)]
        assert (changed["email"], changed["note"]) == (None, "By telephone")
        found = await client.get(f"{PATH}/{draft['id']}", headers=clerk)
        assert {**found.json(), "updated_at": ""} == {**changed, "updated_at": ""}

    async def test_is_refused_for_another_version(self, client, clerk, prepare):
        draft = await prepare()

        answer = await client.patch(
            f"{PATH}/{draft['id']}",
            json={"note": "x"},
            headers={**clerk, "If-Match": '"3"'},
        )

        assert answer.status_code == 412

    async def test_lines_replace_each_other_whole(self, client, clerk, prepare):
        draft = await prepare()

        async with asyncio.TaskGroup() as group:
            for quantity in range(1, 9):
                lines = [{"sku": "TEA", "quantity": quantity}] * 2
                group.create_task(
                    client.patch(
                        f"{PATH}/{draft['id']}", json={"lines": lines}, headers=clerk
                    )
                )

        found = (await client.get(f"{PATH}/{draft['id']}", headers=clerk)).json()
        quantities = [line["quantity"] for line in found["lines"]]
        assert len(quantities) == 2
        assert len(set(quantities)) == 1
        assert found["version"] == 9

    async def test_a_cart_of_a_buyer_is_no_draft(self, client, clerk, opened, complete):
        cart, _ = await opened()
        path = f"{PATH}/{cart['id']}"
        until = {"until": "2026-11-28T00:00:00Z"}

        for answer in (
            await client.get(path, headers=clerk),
            await client.patch(path, json={"note": "x"}, headers=clerk),
            await client.put(f"{path}/hold", json=until, headers=clerk),
            await client.delete(f"{path}/hold", headers=clerk),
            await client.post(f"{path}/invitations", headers=clerk),
            await complete(cart, PAID),
            await complete(cart, {"payment_method": "pm_card_ok"}),
            await client.delete(path, headers=clerk),
        ):
            assert answer.status_code == 404
            assert answer.json()["type"] == "/problems/draft-not-found"


class TestDiscard:
    async def test_its_buyer_is_told_and_it_forgets_them(
        self, holder, client, clerk, prepare, complete
    ):
        draft = await prepare(note="x")

        discarded = await client.delete(f"{PATH}/{draft['id']}", headers=clerk)

        assert discarded.status_code == 204
        found = (await client.get(f"{PATH}/{draft['id']}", headers=clerk)).json()
        assert (found["status"], found["email"], found["note"]) == (
            "discarded",
            None,
            None,
        )
        path = f"/v1/carts/{draft['id']}"
        for answer in (
            await client.get(path, headers=holder(draft)),
            await client.post(
                f"{path}/checkout",
                json={"payment_method": "pm_card_ok"},
                headers={**holder(draft), "Idempotency-Key": "one"},
            ),
            await client.patch(f"{PATH}/{draft['id']}", json={}, headers=clerk),
            await client.delete(f"{PATH}/{draft['id']}", headers=clerk),
            await complete(draft, PAID),
        ):
            assert answer.status_code == 410
            assert answer.json()["type"] == "/problems/draft-discarded"
