"""Orders and what is reserved for them: each holds what it has still to get."""

import pytest

from holdfast.domain import inventory
from holdfast.platform.idempotency import Answer, Claim
from holdfast.workflows.dispatch import Dispatch
from holdfast.workflows.fulfilment import Fulfilment, Wish
from holdfast.workflows.stock_check import StockCheck


@pytest.fixture
def check(shop):
    return StockCheck(shop.db, shop.clock)


@pytest.fixture
async def order(a_basket, check_out, books):
    """An order of three units of tea, paid."""
    await check_out(await a_basket(TEA=3))
    return (await books()).orders[0]


@pytest.fixture
def reserved(shop):
    async def read(order_id):
        held = await inventory.reserved_for(shop.db, order_id)
        return sum(line.quantity for line in held)

    return read


class TestOrders:
    async def test_hold_what_they_have_still_to_get(self, shop, check, order, clock):
        assert await check.find() == []
        doing = Dispatch(shop.db, shop.vault, shop.carrier, clock)
        claim = Claim("test", "shipments", "key", b"print")
        await Fulfilment(doing, lambda _: Answer(201, {}, b"")).ship(
            order.id, Wish(units={1: 2}), actor="test", claim=claim
        )

        assert await check.find() == []

    async def test_that_hold_too_little_are_told_and_get_the_rest(
        self, shop, check, order, reserved, clock
    ):
        (line,) = order.lines
        async with shop.db.transaction() as tx:
            await inventory.release_part(tx, order.id, {line.variant_id: 1}, at=clock())

        (found,) = await check.find()
        assert (found.kind, found.expected, found.found) == ("order", 3, 2)
        assert "TEA for HF-" in found.what
        (fixed,) = await check.fix()

        assert fixed.fixed
        assert await reserved(order.id) == 3
        assert await inventory.drift(shop.db) == []

    async def test_that_have_ended_hold_nothing(
        self, shop, database, check, order, reserved
    ):
        await database.fetch(
            "UPDATE orders SET status = 'canceled', canceled_at = now(),"
            " cancel_reason = 'customer'"
        )

        (found,) = await check.find()
        assert (found.expected, found.found) == (0, 3)
        await check.fix()

        assert await check.find() == []
        assert await reserved(order.id) == 0

    async def test_cannot_get_what_is_not_there(
        self, shop, check, order, reserved, clock
    ):
        await self._lose(shop, order, clock)

        (left,) = await check.fix()

        assert not left.fixed
        assert await reserved(order.id) == 0
        assert (await inventory.find(shop.db, "TEA")).on_hand == 2

    @staticmethod
    async def _lose(shop, order, clock):
        async with shop.db.transaction() as tx:
            await inventory.release(tx, order.id, at=clock())
            await inventory.set_levels(
                tx, {"TEA": 2}, reason="lost", actor="test", at=clock()
            )
