"""Cancelling over HTTP: units free, money back, once, and only while it can be."""

import asyncio

import pytest

from holdfast.domain import inventory
from holdfast.kernel.ids import new_id

CUSTOMER = {"reason": "customer"}


@pytest.fixture
def cancel():
    """Cancel an order or lines of it; each call has a key of its own unless told."""

    async def send(placed, *lines, by=None, key=None, reason="customer"):
        body = {"reason": reason}
        if lines:
            body["lines"] = [{"position": p, "quantity": q} for p, q in lines]
        return await placed.send(
            "cancellation", body, by=by, key=key or f"key-{new_id()}"
        )

    return send


class TestWhole:
    async def test_frees_the_stock_and_gives_all_money_back(
        self, place, cancel, level, refunded
    ):
        placed = await place(TEA=2, CUP=1)

        answer = await cancel(placed)

        order = answer.json()
        total = placed.order["total"]
        assert answer.status_code == 200
        assert (order["status"], order["cancel_reason"]) == ("canceled", "customer")
        assert order["canceled_at"] is not None
        assert order["total"] == total
        assert order["current_total"]["amount"] == 0
        assert order["payment"]["pending_refund_amount"] == total
        assert await level("TEA") == await level("CUP") == (10, 0)
        read = await placed.read()
        assert read["payment_status"] == "refunded"
        assert read["payment"]["refunded_amount"] == total
        assert refunded() == total["amount"]

    async def test_gives_the_price_of_the_shipping_back_too(
        self, place, cancel, refunded
    ):
        standard = {
            "email": "ada@example.com",
            "shipping_method": "standard",
            "shipping_address": {
                "name": "Ada Lovelace",
                "line1": "12 Main St",
                "city": "Berlin",
                "postal_code": "10115",
                "country": "DE",
            },
        }
        placed = await place(TEA=1, fields=standard)
        assert placed.order["shipping_total"]["amount"] > 0

        await cancel(placed)

        assert refunded() == placed.order["total"]["amount"]

    async def test_is_told_and_recorded(self, place, cancel, database, operator):
        placed = await place(TEA=1)

        await cancel(placed, by=operator, reason="fraud")

        types = [
            row["type"]
            for row in await database.fetch("SELECT type FROM outbox ORDER BY id")
        ]
        assert types.count("ordering.order.canceled") == 1
        events = (await placed.send("events", by=operator, method="GET")).json()
        told = [(e["kind"], e["to_state"], e["actor"][:4]) for e in events["items"]]
        assert ("order", "canceled", "key:") in told
        assert ("payment", "refunded", "prov") in told

    async def test_leaves_the_cart_ordered(self, place, cancel, client):
        placed = await place(TEA=1)
        await cancel(placed)

        answer = await client.post(
            f"/v1/carts/{placed.order['cart_id']}/checkout",
            json={"payment_method": "pm_card_ok"},
            headers={**placed.owner, "Idempotency-Key": "again"},
        )

        assert answer.json()["type"] == "/problems/cart-already-ordered"


class TestLines:
    async def test_are_canceled_unit_by_unit(self, place, cancel, level, refunded):
        placed = await place(TEA=3, CUP=1)

        part = (await cancel(placed, (1, 2))).json()
        rest = (await cancel(placed, (1, 1), (2, 1))).json()

        assert (part["status"], part["lines"][0]["canceled_quantity"]) == (
            *("confirmed", 2),
        )
        assert part["current_total"] == {"amount": 1998, "currency": "EUR"}
        assert rest["status"] == "canceled"
        assert await level("TEA") == await level("CUP") == (10, 0)
        assert refunded() == placed.order["total"]["amount"]

    async def test_that_are_left_can_still_be_shipped_and_complete_the_order(
        self, place, cancel, operator, client, level
    ):
        placed = await place(TEA=2, CUP=1)
        await cancel(placed, (1, 2))

        sent = await placed.send("shipments", {"by": "hand"}, by=operator, key="ship")

        assert sent.is_success, sent.text
        order = await placed.read()
        assert (order["status"], order["fulfilment_status"]) == (
            *("completed", "fulfilled"),
        )
        assert order["payment_status"] == "partially_refunded"
        assert await level("CUP") == (9, 0)

    @pytest.mark.parametrize(
        ("lines", "positions"),
        [
            ([(1, 3)], [1]),
            ([(7, 1)], [7]),
            ([(1, 1), (2, 9)], [2]),
        ],
    )
    async def test_that_are_not_there_cancel_nothing(
        self, place, cancel, level, lines, positions
    ):
        placed = await place(TEA=2, CUP=1)

        answer = await cancel(placed, *lines)

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/lines-not-open"
        assert answer.json()["positions"] == positions
        assert await level("TEA") == (10, 2)
        assert await placed.read() == placed.order

    async def test_are_canceled_once_however_often_the_request_arrives(
        self, place, cancel, level
    ):
        placed = await place(TEA=5)

        async with asyncio.TaskGroup() as group:
            sent = [
                group.create_task(cancel(placed, (1, 1), key="one")) for _ in range(8)
            ]

        answers = [task.result() for task in sent]
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in answers}) == 1
        replays = [a.headers.get("idempotent-replayed") for a in answers]
        assert replays.count("true") == 7
        assert await level("TEA") == (10, 4)


class TestRaces:
    async def test_of_many_cancellations_one_cancels_the_order(
        self, place, cancel, level, refunded, payment_provider
    ):
        placed = await place(TEA=2)

        async with asyncio.TaskGroup() as group:
            sent = [group.create_task(cancel(placed)) for _ in range(10)]

        statuses = sorted(task.result().status_code for task in sent)
        assert statuses == [200] + [409] * 9
        assert await level("TEA") == (10, 0)
        assert refunded() == placed.order["total"]["amount"]

    async def test_a_unit_is_shipped_or_given_back_and_never_both(
        self, place, cancel, operator, level, refunded, shop
    ):
        placed = await place(TEA=4)

        async def ship(number):
            body = {
                "by": "hand",
                "lines": [{"position": 1, "quantity": 2}],
            }
            return await placed.send("shipments", body, by=operator, key=f"s{number}")

        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(ship(number))
                group.create_task(cancel(placed, (1, 2), by=operator))

        order = await placed.read()
        line = order["lines"][0]
        assert line["fulfilled_quantity"] + line["canceled_quantity"] == 4
        assert await level("TEA") == (10 - line["fulfilled_quantity"], 0)
        assert refunded() == line["canceled_quantity"] * 999
        assert await inventory.drift(shop.db) == []


class TestWho:
    async def test_a_buyer_may_until_something_was_shipped_and_the_shop_after_that(
        self, place, cancel, operator
    ):
        placed = await place(TEA=3)
        body = {"by": "hand", "lines": [{"position": 1, "quantity": 1}]}
        sent = await placed.send("shipments", body, by=operator, key="ship")
        assert sent.is_success, sent.text

        buyer = await cancel(placed)
        shop = await cancel(placed, by=operator)

        assert buyer.status_code == 409
        assert buyer.json()["type"] == "/problems/order-shipped"
        assert shop.json()["status"] == "completed"
        assert shop.json()["lines"][0]["canceled_quantity"] == 2

    async def test_a_buyer_gives_no_reasons_of_the_shop(self, place, cancel):
        placed = await place(TEA=1)

        answer = await cancel(placed, reason="fraud")

        assert answer.json()["cancel_reason"] == "customer"

    async def test_what_the_shop_suspects_is_not_told_to_the_buyer(
        self, place, cancel, operator
    ):
        placed = await place(TEA=1)
        await cancel(placed, by=operator, reason="fraud")

        order, events = await placed.read(), await placed.send("events", method="GET")

        assert (order["status"], order["cancel_reason"]) == ("canceled", None)
        assert "fraud" not in events.text
        assert (await placed.read(operator))["cancel_reason"] == "fraud"

    async def test_nobody_cancels_what_is_anothers(self, place, cancel):
        mine, theirs = await place(TEA=1), await place(TEA=1)

        answer = await cancel(theirs, by=mine.owner)

        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/order-not-found"
        assert (await theirs.read())["status"] == "confirmed"

    async def test_reading_is_not_enough(self, place, cancel, an_operator):
        placed = await place(TEA=1)

        answer = await cancel(placed, by=await an_operator("orders:read"))

        assert answer.status_code == 403


class TestRefused:
    @pytest.mark.parametrize(
        "body",
        [
            {"reason": "bored"},
            {"lines": []},
            {"lines": [{"position": 0, "quantity": 1}]},
            {"lines": [{"position": 1, "quantity": 0}]},
            {"lines": [{"position": 1, "quantity": -1}]},
            {"lines": [{"position": 1, "quantity": 1.5}]},
            {"lines": [{"position": 1}]},
            {"lines": [{"position": 1, "quantity": 10**30}]},
            {"lines": [{"position": 1, "quantity": 1}] * 2},
            {"lines": {"1": 1}},
            {"why": "customer"},
            [],
            "all",
        ],
    )
    async def test_is_a_body_that_means_nothing(self, place, body):
        placed = await place(TEA=1)

        answer = await placed.send("cancellation", body, key="x")

        assert answer.status_code == 422, answer.text
        assert await placed.read() == placed.order

    async def test_is_a_request_without_a_key(self, place):
        placed = await place(TEA=1)

        answer = await placed.send("cancellation", CUSTOMER)

        assert answer.json()["type"] == "/problems/idempotency-key-missing"

    async def test_is_a_key_that_stands_for_something_else(self, place, cancel):
        placed = await place(TEA=2)
        await cancel(placed, (1, 1), key="one")

        answer = await cancel(placed, key="one")

        assert answer.json()["type"] == "/problems/idempotency-key-reused"

    async def test_is_an_order_that_is_canceled_already(self, place, cancel):
        placed = await place(TEA=1)
        await cancel(placed)

        answer = await cancel(placed)

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/order-not-open"
        assert answer.json()["order_status"] == "canceled"

    async def test_is_an_order_that_is_nowhere(self, place, cancel):
        placed = await place(TEA=1)
        placed.order = {"id": str(new_id())}

        assert (await cancel(placed)).status_code == 404

    async def test_of_an_order_that_failed_is_nothing_to_do(
        self, a_bag, cancel, place, client
    ):
        bag = await a_bag(TEA=1)
        declined = await bag.check_out(body={"payment_method": "pm_card_declined"})
        placed = await place(CUP=1)
        placed.order = {"id": declined.json()["order_id"]}
        placed.owner = bag.owner

        answer = await cancel(placed)

        assert (answer.status_code, answer.json()["status"]) == (200, "failed")
