"""A SKU becomes hot by the waits of those who order it without a hold, too."""

import asyncio
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from holdfast.domain import inventory
from holdfast.domain.inventory import Holding, HoldMetrics, Wanted
from holdfast.domain.inventory.heat import HOT_RATE
from holdfast.platform.idempotency import Answer
from holdfast.workflows.checkout import Checkout
from holdfast.workflows.rush import Rush

FEW = 10
"""Waits that are enough to judge by; asked for in a second, it is not many."""


class Desk:
    """The checkouts of one process, in one moment of its watch."""

    def __init__(self, shop) -> None:
        self.shop = shop
        self.registry = CollectorRegistry()
        self.holding = Holding(
            *(shop.db, shop.db),
            lasts=timedelta(minutes=10),
            clock=shop.clock,
            metrics=HoldMetrics(self.registry),
            timer=lambda: 1_000.0,
        )

    async def check_out(self, basket):
        doing = Checkout(
            *(self.shop.db, self.shop.vault, self.shop.payments, self.shop.clock),
            lambda _: Answer(201, {}, b"{}"),
            rush=Rush(self.shop.db, self.shop.vault, self.holding),
        )
        await doing.place_order(
            basket.cart.id,
            payment_method="pm_card_ok",
            expected_total=None,
            caller=basket.caller,
            claim=basket.claim(str(basket.cart.id)),
        )

    @property
    def waits(self):
        """How many waits for a lock it has noted."""
        name = "holdfast_inventory_lock_wait_seconds_count"
        return self.registry.get_sample_value(name)


@pytest.fixture
async def desk(shop):
    desk = Desk(shop)
    yield desk
    await desk.holding.close()


@pytest.fixture
def variant():
    def of(basket):
        return basket.cart.lines[0].variant_id

    return of


class TestWithoutAHold:
    async def test_long_waits_make_a_sku_hot_though_few_ask(
        self, shop, desk, a_basket, meanwhile, variant
    ):
        baskets = [await a_basket(TEA=1, on_hand=60) for _ in range(FEW)]
        assert len(baskets) < HOT_RATE

        for basket in baskets:
            assert not desk.holding.any_hot
            async with asyncio.TaskGroup() as group, shop.db.transaction() as tx:
                await tx.execute("SELECT FROM stock FOR UPDATE")
                await meanwhile(group, desk.check_out(basket))
                # The database's own time: however busy the machine, no less than this.
                await tx.execute("SELECT pg_sleep(0.01)")

        assert desk.waits == FEW
        assert desk.holding.is_hot([variant(baskets[0])])

    async def test_what_is_held_already_was_not_waited_for(
        self, shop, desk, a_basket, clock
    ):
        held, other = await a_basket(TEA=1), await a_basket(TEA=1)
        (line,) = held.cart.lines
        async with shop.db.transaction() as tx:
            await inventory.reserve(
                *(tx, inventory.hold_id(held.cart.id, held.caller.token_hash)),
                [Wanted(line.variant_id, line.sku, 1)],
                at=clock(),
                expires_at=clock() + timedelta(minutes=10),
            )

        await desk.check_out(held)
        assert desk.waits == 0
        await desk.check_out(other)
        assert desk.waits == 1
