"""Orders are changed before they are sent: all of it or nothing, never for more."""

import asyncio

import pytest
from cases import cases

from holdfast.domain import inventory
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money

BERLIN = {
    "name": "Augusta Byron",
    "line1": "Unter den Linden 1",
    "city": "Berlin",
    "postal_code": "10117",
    "country": "DE",
}


@pytest.fixture
def edit(operator):
    """Change the lines of an order; each call has a key of its own unless told."""

    async def send(placed, keep=(), add=(), by=None, key=None):
        body = {
            "lines": [{"position": p, "quantity": q} for p, q in keep],
            "add": [{"sku": sku, "quantity": q} for sku, q in add],
        }
        return await placed.send(
            "edits", body, by=by or operator, key=key or f"key-{new_id()}"
        )

    return send


class TestEdit:
    async def test_reduces_a_line_and_gives_the_difference_back(
        self, place, edit, level, refunded
    ):
        placed = await place(TEA=3, CUP=1)

        answer = await edit(placed, keep=[(1, 1), (2, 1)])

        order = answer.json()
        assert answer.status_code == 200
        assert [line["canceled_quantity"] for line in order["lines"]] == [2, 0]
        assert order["current_total"]["amount"] == 2 * 999
        assert order["total"] == placed.order["total"]
        assert await level("TEA") == (10, 1)
        assert refunded() == 2 * 999

    async def test_swaps_one_thing_for_another(
        self, place, edit, a_product, level, refunded, shop
    ):
        placed = await place(TEA=2)
        await a_product("POT", on_hand=3, price=Money(1500, "EUR"))

        order = (await edit(placed, keep=[(1, 0)], add=[("POT", 1)])).json()

        assert order["status"] == "confirmed"
        assert [(n["sku"], n["position"]) for n in order["lines"]] == [
            *(("TEA", 1), ("POT", 2)),
        ]
        assert await level("TEA") == (10, 0)
        assert await level("POT") == (3, 1)
        assert refunded() == 1998 - 1500
        assert await inventory.drift(shop.db) == []

    async def test_what_was_swapped_is_sent_and_completes_the_order(
        self, place, edit, a_product, operator, level
    ):
        placed = await place(TEA=1)
        await a_product("POT", on_hand=3)
        await edit(placed, keep=[(1, 0)], add=[("POT", 1)])

        sent = await placed.send("shipments", {"by": "hand"}, by=operator, key="s")

        assert sent.is_success, sent.text
        assert (await placed.read())["status"] == "completed"
        assert await level("POT") == (2, 0)

    async def test_says_in_the_record_what_was_changed(
        self, place, edit, a_product, operator, database
    ):
        placed = await place(TEA=2)
        await a_product("POT", price=Money(999, "EUR"))

        await edit(placed, keep=[(1, 1)], add=[("POT", 1)])

        events = (await placed.send("events", by=operator, method="GET")).json()
        details = {e["kind"]: e["detail"] for e in events["items"] if e["detail"]}
        assert details["lines_added"]["lines"] == [
            {"position": 2, "sku": "POT", "quantity": 1, "unit_price": 999}
        ]
        assert details["lines_canceled"] == {
            "reason": "edited",
            "lines": [{"position": 1, "quantity": 1}],
        }
        types = [r["type"] for r in await database.fetch("SELECT type FROM outbox")]
        assert types.count("ordering.order.edited") == 1

    async def test_for_more_money_is_refused(
        self, place, edit, a_product, level, refunded
    ):
        placed = await place(TEA=1)
        await a_product("POT", on_hand=3, price=Money(1000, "EUR"))

        answer = await edit(placed, keep=[(1, 0)], add=[("POT", 1)])

        problem = answer.json()
        assert answer.status_code == 409
        assert problem["type"] == "/problems/edit-needs-payment"
        assert (problem["value"]["amount"], problem["paid"]["amount"]) == (1000, 999)
        assert await placed.read() == placed.order
        assert (await level("TEA"), await level("POT")) == ((10, 1), (3, 0))
        assert refunded() == 0

    async def test_that_cannot_be_filled_changes_nothing(
        self, place, edit, a_product, level, refunded
    ):
        placed = await place(TEA=4)
        await a_product("POT", on_hand=1, price=Money(1, "EUR"))

        answer = await edit(placed, keep=[(1, 2)], add=[("POT", 2)])

        assert answer.json()["type"] == "/problems/out-of-stock"
        assert answer.json()["shortages"] == [
            {"sku": "POT", "requested": 2, "available": 1}
        ]
        assert await placed.read() == placed.order
        assert await level("TEA") == (10, 4)
        assert refunded() == 0

    async def test_of_everything_away_is_a_cancellation(self, place, edit):
        placed = await place(TEA=1)

        answer = await edit(placed, keep=[(1, 0)])

        assert answer.json()["type"] == "/problems/nothing-left"
        assert await placed.read() == placed.order

    async def test_is_made_once_however_often_it_is_asked_for(
        self, place, edit, a_product, level, refunded
    ):
        placed = await place(TEA=5)
        await a_product("POT", on_hand=9)

        async with asyncio.TaskGroup() as group:
            sent = [
                group.create_task(
                    edit(placed, keep=[(1, 3)], add=[("POT", 1)], key="one")
                )
                for _ in range(6)
            ]

        assert len({task.result().content for task in sent}) == 1
        assert await level("TEA") == (10, 3)
        assert await level("POT") == (9, 1)
        assert refunded() == 999

    async def test_of_nothing_tells_nobody(self, place, edit, database):
        placed = await place(TEA=5)

        answer = await edit(placed, keep=[(1, 5)])

        assert answer.json() == placed.order
        types = [r["type"] for r in await database.fetch("SELECT type FROM outbox")]
        assert "ordering.order.edited" not in types

    async def test_beside_a_cancellation_leaves_books_that_balance(
        self, place, edit, level, refunded, operator, shop
    ):
        placed = await place(TEA=6)

        async with asyncio.TaskGroup() as group:
            for keep in (5, 4, 3):
                group.create_task(edit(placed, keep=[(1, keep)]))
                body = {"lines": [{"position": 1, "quantity": 1}]}
                group.create_task(
                    placed.send("cancellation", body, by=operator, key=f"c{keep}")
                )

        order = await placed.read()
        left = 6 - order["lines"][0]["canceled_quantity"]
        assert await level("TEA") == (10, left)
        assert refunded() == order["lines"][0]["canceled_quantity"] * 999
        assert order["payment"]["refunded_amount"]["amount"] == refunded()
        assert await inventory.drift(shop.db) == []

    async def test_after_something_was_shipped_is_refused(self, place, edit, operator):
        placed = await place(TEA=3)
        body = {"by": "hand", "lines": [{"position": 1, "quantity": 1}]}
        await placed.send("shipments", body, by=operator, key="ship")

        answer = await edit(placed, keep=[(1, 1)])

        assert answer.json()["type"] == "/problems/order-shipped"

    async def test_another_price_needs_a_scope_of_its_own(
        self, place, operator, an_operator, a_product
    ):
        placed = await place(TEA=2)
        await a_product("POT", price=Money(5000, "EUR"))
        body = {
            "lines": [{"position": 1, "quantity": 1}],
            "add": [
                {
                    "sku": "POT",
                    "quantity": 1,
                    "unit_price": {"amount": 900, "currency": "EUR"},
                }
            ],
        }
        generous = await an_operator("orders:write", "prices:override")

        refused = await placed.send("edits", body, by=operator, key="a")
        done = await placed.send("edits", body, by=generous, key="b")

        assert refused.json()["type"] == "/problems/missing-scope"
        assert done.json()["lines"][1]["unit_price"]["amount"] == 900

    async def test_is_for_operators(self, place, edit):
        placed = await place(TEA=2)

        answer = await edit(placed, keep=[(1, 1)], by=placed.owner)

        assert answer.status_code == 403


class TestRefused:
    @pytest.fixture
    async def placed(self, place, a_product):
        """An order, and products that cannot be had for it."""
        await a_product("YEN", price=Money(1, "JPY"))
        await a_product("OLD", status="archived")
        return await place(TEA=2)

    @cases(
        ("body", "status", "slug"),
        [
            ({}, 422, "invalid-request"),
            ({"lines": [], "add": []}, 422, "invalid-request"),
            ({"lines": [{"position": 1, "quantity": -1}]}, 422, "invalid-request"),
            ({"lines": [{"position": 1, "quantity": 1}] * 2}, 422, "invalid-request"),
            ({"lines": [{"position": 1, "quantity": 3}]}, 409, "lines-not-open"),
            ({"lines": [{"position": 2, "quantity": 0}]}, 409, "lines-not-open"),
            ({"add": [{"sku": "TEA", "quantity": 0}]}, 422, "invalid-request"),
            ({"add": [{"sku": "NONE", "quantity": 1}]}, 422, "unknown-sku"),
            ({"add": [{"sku": "YEN", "quantity": 1}]}, 422, "currency-mismatch"),
            ({"add": [{"sku": "OLD", "quantity": 1}]}, 409, "variant-unavailable"),
            ({"remove": [1]}, 422, "invalid-request"),
        ],
    )
    async def test_is_what_means_nothing(self, placed, operator, body, status, slug):
        answer = await placed.send("edits", body, by=operator, key="x")

        assert answer.status_code == status, answer.text
        assert answer.json()["type"] == f"/problems/{slug}"
        assert await placed.read() == placed.order

    async def test_is_an_edit_without_a_key(self, place, operator):
        placed = await place(TEA=2)

        answer = await placed.send("edits", {"lines": []}, by=operator)

        assert answer.status_code in (400, 422)


class TestChange:
    async def test_sends_the_order_elsewhere(
        self, place, operator, client, database, shop
    ):
        placed = await place(TEA=1)

        answer = await placed.send(
            "",
            {"shipping_address": BERLIN, "email": "Countess@Example.com"},
            by=operator,
            method="PATCH",
        )

        order = answer.json()
        assert answer.status_code == 200
        assert order["shipping_address"]["line1"] == "Unter den Linden 1"
        assert order["email"] == "Countess@example.com"
        assert await placed.read() == order
        path = "/v1/orders?q=countess@example.com"
        found = (await client.get(path, headers=operator)).json()["items"]
        assert [o["id"] for o in found] == [order["id"]]
        rows = await database.fetch("SELECT e::text AS said FROM order_events e")
        assert not any("Linden" in r["said"] or "ountess" in r["said"] for r in rows)
        events = (await placed.send("events", by=operator, method="GET")).json()
        assert events["items"][-1]["detail"] == {
            "changed": ["email", "shipping_address"]
        }

    @cases(
        "body",
        [
            {"email": None},
            {"email": "nobody"},
            {"shipping_address": None},
            {"shipping_address": {"city": "Berlin"}},
            {"shipping_address": {**BERLIN, "country": "XX"}},
            {"status": "completed"},
            {"total": {"amount": 0, "currency": "EUR"}},
        ],
    )
    async def test_refuses_what_means_nothing(self, place, operator, body):
        placed = await place(TEA=1)

        answer = await placed.send("", body, by=operator, method="PATCH")

        assert answer.status_code == 422
        assert await placed.read() == placed.order

    async def test_after_something_was_shipped_is_refused(self, place, operator):
        placed = await place(TEA=2)
        await placed.send("shipments", {"by": "hand"}, by=operator, key="ship")

        answer = await placed.send(
            "", {"shipping_address": BERLIN}, by=operator, method="PATCH"
        )

        assert answer.json()["type"] == "/problems/order-not-open"

    async def test_does_not_write_down_again_who_was_erased(
        self, place, operator, database
    ):
        placed = await place(TEA=1)
        async with database.transaction() as tx:
            await tx.execute("UPDATE orders SET sealed = NULL, email_index = NULL")

        answer = await placed.send(
            "", {"email": "ada@example.com"}, by=operator, method="PATCH"
        )

        assert answer.status_code == 410
        assert answer.json()["type"] == "/problems/buyer-erased"

    async def test_is_for_operators(self, place):
        placed = await place(TEA=1)

        answer = await placed.send("", {"shipping_address": BERLIN}, method="PATCH")

        assert answer.status_code == 403
