"""Operators find an order by whatever somebody remembers of it."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from cases import cases

from holdfast.kernel.ids import new_id


@pytest.fixture
def search(client, operator):
    """The numbers of the orders that answer, in their order."""

    async def ask(query: str) -> list[str]:
        answer = await client.get(f"/v1/orders?{query}", headers=operator)
        assert answer.status_code == 200, answer.text
        return [order["number"] for order in answer.json()["items"]]

    return ask


class TestWords:
    @pytest.fixture
    async def two(self, place):
        eve = {
            "email": "eve@example.com",
            "shipping_method": "pickup",
            "shipping_address": {
                "name": "Eve",
                "line1": "1 Side St",
                "city": "London",
                "country": "GB",
            },
        }
        return [
            (await place(TEA=1)).order["number"],
            (await place(**{"22423": 2}, fields=eve)).order["number"],
        ]

    @cases(
        ("q", "wanted"),
        [
            ("HF-1001", ["HF-1001"]),
            ("hf-1001", ["HF-1001"]),
            (" 1001 ", ["HF-1001"]),
            ("HF-1", []),
            ("TEA", ["HF-1001"]),
            ("tea", []),
            ("22423", ["HF-1002"]),
            ("Eve@Example.com", ["HF-1002"]),
            ("eve@example", []),
            ("%", []),
            ("999999999999999999", []),
        ],
    )
    async def test_are_a_number_an_address_or_a_sku(self, two, search, q, wanted):
        assert await search(f"q={quote(q)}") == wanted

    async def test_are_a_tracking_number(self, two, search, database):
        async with database.transaction() as tx:
            await tx.execute(
                "INSERT INTO shipments (id, order_id, request_id, location_id, status,"
                " carried_by, tracking_number, actor, created_at, shipped_at, heard_at)"
                " SELECT gen_random_uuid(), o.id, gen_random_uuid(), l.id, 'created',"
                " 'hand', '1Z999AA1', 'test', now(), now(), now()"
                " FROM orders o, locations l WHERE o.number = 1001"
            )

        assert await search("q=1Z999AA1") == ["HF-1001"]


class TestFilters:
    async def test_are_all_true_of_what_is_found(self, place, search, clock):
        day = clock()
        tea = await place(TEA=1)
        clock.advance(seconds=86_400)
        await place(TEA=1, CUP=3)
        later = quote((day + timedelta(hours=1)).isoformat())

        assert await search("sku=CUP") == ["HF-1002"]
        assert await search("sku=TEA&sort=oldest") == ["HF-1001", "HF-1002"]
        assert await search(f"placed_from={later}") == ["HF-1002"]
        assert await search(f"placed_to={later}") == ["HF-1001"]
        ever = "placed_from=0001-01-01T00:00:00%2B01:00"
        ever += "&placed_to=9999-12-31T23:59:59-05:00"
        assert await search(ever) == ["HF-1002", "HF-1001"]
        assert await search("min_total=1000") == ["HF-1002"]
        total = tea.order["total"]["amount"]
        assert await search(f"max_total={total}&currency=EUR") == ["HF-1001"]
        assert await search(f"max_total={total}&currency=USD") == []
        assert await search("sku=TEA&q=HF-1002") == ["HF-1002"]
        assert await search("sku=CUP&q=HF-1001") == []
        assert await search("email=ada@example.com&q=eve@example.com") == []
        assert await search("email=ada@example.com&q=ADA@example.com") == [
            *("HF-1002", "HF-1001")
        ]

    async def test_know_the_three_states(self, place, search, database):
        await place(TEA=1)
        await place(TEA=1)
        async with database.transaction() as tx:
            await tx.execute(
                "UPDATE orders SET fulfilment_status = 'partially_fulfilled',"
                " payment_status = 'partially_refunded' WHERE number = 1001"
            )

        assert await search("fulfilment_status=unfulfilled") == ["HF-1002"]
        assert await search("payment_status=partially_refunded") == ["HF-1001"]
        assert await search("status=confirmed&payment_status=captured") == ["HF-1002"]

    async def test_know_whose_it_is_and_where_its_units_are(
        self, place, search, signed_in, client
    ):
        ada = await signed_in()
        await place(TEA=1)

        assert await search(f"account={ada.account_id}") == []
        assert await search("location=main") == ["HF-1001"]
        assert await search("location=elsewhere") == []


class TestPages:
    @pytest.mark.parametrize(
        ("sort", "wanted"),
        [
            ("newest", ["HF-1004", "HF-1003", "HF-1002", "HF-1001"]),
            ("oldest", ["HF-1001", "HF-1002", "HF-1003", "HF-1004"]),
            ("largest", ["HF-1002", "HF-1004", "HF-1003", "HF-1001"]),
        ],
    )
    async def test_visit_each_order_once(self, place, client, operator, sort, wanted):
        for units in (1, 3, 2, 2):
            await place(TEA=units)
        seen, path = [], f"/v1/orders?sort={sort}&limit=1&sku=TEA"

        while path:
            answer = await client.get(path, headers=operator)
            seen += [order["number"] for order in answer.json()["items"]]
            path = answer.headers.get("link", "").partition(">")[0].removeprefix("<")

        assert seen == wanted

    async def test_of_one_list_do_not_go_on_in_another(self, place, client, operator):
        await place(TEA=1)
        await place(TEA=1)
        first = await client.get("/v1/orders?limit=1", headers=operator)
        after = first.json()["next"]

        answer = await client.get(
            f"/v1/orders?sort=largest&after={after}", headers=operator
        )

        assert answer.json()["type"] == "/problems/bad-cursor"


class TestRefused:
    @cases(
        "query",
        [
            "q=",
            "q=%20",
            "q=" + "x" * 256,
            "q=%00",
            "sort=cheapest",
            "payment_status=paid",
            "fulfilment_status=shipped",
            "account=ada",
            "placed_from=yesterday",
            "placed_from=2026-01-01T00:00:00",
            "min_total=-1",
            "max_total=1.5",
            "min_total=99999999999999999999",
            "currency=euro",
            "location=",
            "sku=",
            "colour=red",
            "sort=largest&after=WyJ4IiwieSJd",
        ],
    )
    async def test_is_a_parameter_that_means_nothing(self, client, operator, query):
        answer = await client.get(f"/v1/orders?{query}", headers=operator)

        assert answer.status_code == 422, answer.text

    async def test_is_a_buyer(self, place, client):
        placed = await place(TEA=1)

        answer = await client.get("/v1/orders?q=TEA", headers=placed.owner)

        assert answer.status_code == 403


class TestEvents:
    async def test_tell_operators_everything(self, place, client, operator):
        placed = await place(TEA=1)
        await placed.send("notes", {"text": "Rang twice."}, by=operator)

        events = (await placed.send("events", by=operator, method="GET")).json()

        told = [(e["kind"], e["from_state"], e["to_state"]) for e in events["items"]]
        assert told == [
            ("order", None, "pending"),
            ("order", "pending", "confirmed"),
            ("payment", "pending", "captured"),
            ("note", None, None),
        ]
        assert events["items"][-1]["actor"].startswith("key:")

    async def test_tell_the_buyer_no_names_and_no_notes(self, place, operator, shop):
        placed = await place(TEA=1)
        await placed.send("notes", {"text": "Rang twice."}, by=operator)

        answer = await placed.send("events", method="GET")

        assert answer.status_code == 200
        assert "note" not in [event["kind"] for event in answer.json()["items"]]
        assert "key:" not in answer.text

    async def test_of_another_are_not_there(self, place, client):
        mine, theirs = await place(TEA=1), await place(TEA=1)

        answer = await client.get(f"{theirs.path}/events", headers=mine.owner)

        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/order-not-found"


class TestNotes:
    async def test_are_read_by_operators_in_the_order_they_were_written(
        self, place, operator
    ):
        placed = await place(TEA=1)
        first = await placed.send("notes", {"text": "Rang twice."}, by=operator)
        await placed.send("notes", {"text": "Wants it <b>wrapped</b>."}, by=operator)

        notes = (await placed.send("notes", by=operator, method="GET")).json()["items"]

        assert first.status_code == 201
        assert [note["text"] for note in notes] == [
            "Rang twice.",
            "Wants it <b>wrapped</b>.",
        ]
        assert notes[0] == first.json()

    async def test_are_not_in_the_database_in_clear(self, place, operator, database):
        placed = await place(TEA=1)
        await placed.send("notes", {"text": "Rang twice."}, by=operator)

        rows = await database.fetch(
            "SELECT n::text AS notes FROM order_notes n"
            " UNION ALL SELECT e::text FROM order_events e"
        )

        assert not any("Rang" in row["notes"] for row in rows)

    @cases(
        "body",
        [
            {},
            {"text": ""},
            {"text": " \n"},
            {"text": "x" * 10_001},
            {"text": 1},
            {"text": "a\x00b"},
            {"text": "x", "by": "me"},
        ],
    )
    async def test_say_something(self, place, operator, body):
        placed = await place(TEA=1)

        answer = await placed.send("notes", body, by=operator)

        assert answer.status_code == 422

    async def test_are_about_an_order_that_is_there(self, client, operator):
        path = f"/v1/orders/{new_id()}/notes"

        written = await client.post(path, json={"text": "x"}, headers=operator)
        read = await client.get(path, headers=operator)

        assert (written.status_code, read.status_code) == (404, 404)

    async def test_are_not_for_buyers(self, place):
        placed = await place(TEA=1)

        for method, body in (("GET", None), ("POST", {"text": "x"})):
            answer = await placed.send("notes", body, method=method)
            assert answer.status_code == 403
