"""Cancelling an order of which nobody knows yet whether it is paid."""

import asyncio

import pytest

from holdfast.domain import inventory
from holdfast.kernel.ids import new_id


@pytest.fixture
def cancel():
    """Cancel all of an order."""

    async def send(placed):
        return await placed.send("cancellation", {}, key=f"key-{new_id()}")

    return send


@pytest.mark.usefixtures("impatient")
class TestPending:
    async def test_is_canceled_after_asking_the_provider(
        self, a_bag, client, cancel, level, payment_provider, place
    ):
        bag = await a_bag(TEA=2)
        answer = await bag.check_out(body={"payment_method": "pm_timeout_before"})
        order = answer.json()
        assert answer.status_code == 202
        placed = await place(CUP=1)
        placed.order, placed.owner = order, bag.owner

        answer = await cancel(placed)

        assert answer.status_code == 200
        assert answer.json()["status"] in ("failed", "canceled")
        assert await level("TEA") == (10, 0)
        charges = payment_provider.get("/v1/charges")["items"]
        mine = [c for c in charges if c["key"] == order["id"]]
        assert (
            sum(c.get("captured_amount", 0) - c["refunded_amount"] for c in mine) == 0
        )

    async def test_stays_as_it_is_while_nobody_knows(
        self, a_bag, cancel, level, place, shop, nobody_pays
    ):
        placed = await place(CUP=1)
        bag = await a_bag(TEA=2)
        asked = await bag.check_out(body={"payment_method": "pm_timeout_before"})
        placed.order, placed.owner = asked.json(), bag.owner
        shop.payments = nobody_pays

        answer = await cancel(placed)

        assert answer.json()["type"] == "/problems/payment-outcome-unknown"
        assert (await placed.read())["status"] == "pending"
        assert await level("TEA") == (10, 2)


class TestBesideItsCheckout:
    """The buyer, or a second tab of theirs, cancels while the payment is under way."""

    @pytest.mark.parametrize("latency", [0, 300])
    async def test_nothing_is_kept_and_nothing_is_held(
        self, a_bag, place, cancel, level, payment_provider, database, shop, latency
    ):
        placed = await place(CUP=1)
        bag = await a_bag(TEA=2)
        payment_provider.misbehave(latency_ms={"fixed": latency})
        paying = asyncio.create_task(bag.check_out())
        order_id = None
        async with asyncio.timeout(60):
            while order_id is None:
                order_id = await database.fetchval(
                    "SELECT id FROM orders WHERE cart_id = $1", bag.cart["id"]
                )
        placed.order, placed.owner = {"id": str(order_id)}, bag.owner

        answer = await cancel(placed)
        paid = await paying
        if answer.status_code != 200:
            answer = await cancel(placed)

        order = await placed.read()
        assert answer.status_code == 200, answer.text
        assert paid.status_code in (201, 202, 402)
        assert order["status"] in ("canceled", "failed")
        assert await level("TEA") == (10, 0)
        charges = payment_provider.get("/v1/charges")["items"]
        mine = [c for c in charges if c["key"] == order["id"]]
        assert sum(c["captured_amount"] - c["refunded_amount"] for c in mine) == 0
        assert await inventory.drift(shop.db) == []
