"""Everything that is done to stock, by many at once, on the same few shelves."""

import asyncio
import random
from contextlib import suppress
from datetime import timedelta

import pytest

from holdfast.domain import inventory
from holdfast.domain.inventory import (
    MAIN,
    NotEnoughOnHand,
    NotReserved,
    OutOfStock,
    StockBelowReserved,
    StockChanged,
    StockLevelOutOfRange,
)
from holdfast.platform.db import DatabaseBusy
from holdfast.workflows.stock import AdjustmentLine, Why, adjust

WHY = Why("adjustment", "correction", "", "test")
REFUSED = (
    OutOfStock,
    NotReserved,
    NotEnoughOnHand,
    StockBelowReserved,
    StockChanged,
    StockLevelOutOfRange,
)
SKUS = [f"S{n}" for n in range(4)]


class Deeds:
    """What is done to stock: each deed may be refused, and never half done."""

    def __init__(self, stockroom, variants, places) -> None:
        self.stockroom = stockroom
        self.variants = variants
        self.places = places
        self.done = 0
        self.busy = 0

    async def attempt(self, doing) -> None:
        try:
            with suppress(*REFUSED):
                await doing
                self.done += 1
        except DatabaseBusy:
            self.busy += 1

    async def order(self, wanted, fate, place) -> None:
        order_id = await self.stockroom.reserve(*wanted)
        if fate == "ship":
            await self.stockroom.ship(order_id, *wanted, location_id=place)
        elif fate == "part":
            await self.stockroom.release_part(order_id, (wanted[0][0], 1))
        elif fate == "release":
            await self.stockroom.release(order_id)

    async def hold(self, wanted, minutes) -> None:
        ends = self.stockroom.clock() + timedelta(minutes=minutes)
        hold_id = await self.stockroom.reserve(*wanted, expires_at=ends)
        if minutes > 1:
            await self.stockroom.reserve(*wanted, instead_of=[hold_id])

    async def correct(self, sku, place, delta) -> None:
        line = AdjustmentLine(sku, place, delta=delta)
        async with self.stockroom.db.transaction() as tx:
            await adjust(tx, [line], WHY, at=self.stockroom.clock())

    async def sweep(self) -> None:
        self.stockroom.clock.advance(minutes=2)
        await self.stockroom.expire(limit=20)

    async def look(self) -> None:
        assert await self.stockroom.balances()
        oversold = await self.stockroom.db.fetch(
            "SELECT 1 FROM stock WHERE reserved > on_hand OR reserved < 0"
        )
        assert oversold == []

    def some(self, dice):
        """Fifty deeds of all kinds."""

        def lines():
            chosen = dice.sample(self.variants, dice.randint(1, 3))
            return [(variant, dice.randint(1, 4)) for variant in chosen]

        for _ in range(20):
            fate = dice.choice(["ship", "part", "release", "keep"])
            yield self.order(lines(), fate, dice.choice(self.places))
        for _ in range(10):
            yield self.hold(lines(), dice.choice([1, 60]))
        for _ in range(10):
            place, delta = dice.choice(["main", "other"]), dice.choice([-3, -1, 2, 6])
            yield self.correct(dice.choice(SKUS), place, delta)
        for _ in range(3):
            yield self.sweep()


class TestMixed:
    @pytest.mark.slow
    @pytest.mark.parametrize("seed", [1, 2])
    async def test_no_unit_is_promised_twice_or_lost(
        self, database, stockroom, a_product, seed
    ):
        dice = random.Random(seed)  # noqa: S311 - the same deeds every time
        variants = [await a_product(sku, on_hand=20) for sku in SKUS]
        other = await stockroom.location("other", priority=1, **dict.fromkeys(SKUS, 15))
        deeds = Deeds(stockroom, variants, [MAIN, other])

        for _ in range(8):
            async with asyncio.TaskGroup() as group:
                for deed in deeds.some(dice):
                    group.create_task(deeds.attempt(deed))
                group.create_task(deeds.look())
            # While nobody is at it, and not only at the end.
            await deeds.look()

        assert deeds.done > 60
        assert deeds.busy == 0, "they wait for each other, and do not deadlock"
        assert await inventory.missing_guards(database) == []
