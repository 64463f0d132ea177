"""Carts that nobody comes back to are closed, and their buyers forgotten."""

import asyncio
from datetime import timedelta

import pytest

from holdfast.domain.ordering import CartExpired, CartStatus
from holdfast.workflows import carts as workflows
from holdfast.workflows.cart_expiry import expire_idle
from holdfast.workflows.carts import CartChange, Draft, LineWanted

MONTH = timedelta(days=30)


@pytest.fixture
def expire(shop, clock):
    async def run(**options):
        return await expire_idle(shop.db, idle=MONTH, clock=clock, **options)

    return run


class TestExpireIdle:
    async def test_forgets_who_filled_it(self, shop, a_basket, expire, look, clock):
        basket = await a_basket(TEA=1)
        clock.advance(days=30, seconds=1)

        assert await expire() == 1

        found = await look(basket.cart)
        assert (found.status, found.email) == (CartStatus.EXPIRED, None)
        assert found.shipping_address is None
        assert await shop.db.fetchval("SELECT sealed FROM carts") is None

    async def test_a_cart_that_was_changed_in_time_stays(
        self, carts, a_basket, expire, look, clock
    ):
        basket = await a_basket(TEA=1)
        clock.advance(days=29)
        await carts.change(basket.cart.id, CartChange(), basket.caller)
        clock.advance(days=29)

        assert await expire() == 0
        assert (await look(basket.cart)).status is CartStatus.OPEN

    async def test_an_ordered_cart_stays(
        self, a_basket, check_out, expire, look, clock
    ):
        basket = await a_basket(TEA=1)
        await check_out(basket)
        clock.advance(days=300)

        assert await expire() == 0
        assert (await look(basket.cart)).email == "ada@example.com"

    async def test_a_draft_order_never_expires(
        self, carts, a_basket, expire, look, clock
    ):
        basket = await a_basket(TEA=1)
        wanted = workflows.CartWanted("EUR")
        draft, _ = await carts.open(wanted, basket.caller, draft=Draft(note="x"))
        clock.advance(days=300)

        assert await expire() == 1
        assert (await look(draft)).status is CartStatus.OPEN

    async def test_goes_through_all_in_small_batches(
        self, shop, a_basket, expire, clock
    ):
        for _ in range(7):
            await a_basket(TEA=1)
        clock.advance(days=31)
        await a_basket(TEA=1)

        assert await expire(limit=2) == 7

        rows = await shop.db.fetch("SELECT status FROM carts ORDER BY id")
        assert [row["status"] for row in rows] == ["expired"] * 7 + ["open"]

    async def test_its_owner_is_told_and_can_do_nothing_with_it(
        self, shop, carts, a_basket, check_out, expire, clock
    ):
        basket = await a_basket(TEA=1)
        clock.advance(days=31)
        await expire()

        for doing in (
            workflows.find(shop.db, shop.vault, basket.cart.id, basket.caller),
            carts.add_line(basket.cart.id, LineWanted("TEA", 1), basket.caller),
            carts.change(
                basket.cart.id, CartChange(email="b@example.com"), basket.caller
            ),
            check_out(basket),
        ):
            with pytest.raises(CartExpired):
                await doing

    async def test_whoever_comes_back_at_that_moment_keeps_it_or_is_told(
        self, carts, a_basket, expire, look, clock
    ):
        for _ in range(8):
            basket = await a_basket(TEA=1)
            clock.advance(days=31)

            async def come_back(basket=basket):
                try:
                    await carts.add_line(
                        basket.cart.id, LineWanted("TEA", 1), basket.caller
                    )
                except CartExpired:
                    return False
                return True

            async with asyncio.TaskGroup() as group:
                back = group.create_task(come_back())
                group.create_task(expire())

            found = await look(basket.cart)
            kept = found.status is CartStatus.OPEN
            assert back.result() == kept
            assert len(found.lines) == 1 + kept
