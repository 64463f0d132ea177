"""Many buyers and the same few units: each unit is promised once."""

import asyncio
import random

import pytest

from holdfast.domain.inventory import OutOfStock


class TestManyAtOnce:
    async def test_exactly_what_is_there_is_promised(
        self, database, stockroom, a_product
    ):
        tea = await a_product("TEA", on_hand=50)
        short = []

        async def buy():
            try:
                await stockroom.reserve((tea, 1))
            except OutOfStock as refused:
                short.append(refused)

        async with asyncio.TaskGroup() as group:
            for _ in range(120):
                group.create_task(buy())

        assert await stockroom.level("TEA") == (50, 50)
        assert len(short) == 70
        assert await stockroom.balances()

    @pytest.mark.slow
    async def test_orders_that_cross_neither_deadlock_nor_lose_a_unit(
        self, stockroom, a_product
    ):
        """The same six variants in every order, shipped or released."""
        dice = random.Random(7)  # noqa: S311 - the same orders every time
        skus = [f"S{n}" for n in range(6)]
        variants = [await a_product(sku, on_hand=60) for sku in skus]
        sold, refused = dict.fromkeys(variants, 0), 0

        async def buy(lines, fate):
            nonlocal refused
            try:
                order_id = await stockroom.reserve(*lines)
            except OutOfStock:
                refused += 1
                return
            if fate == "release":
                await stockroom.release(order_id)
                return
            await stockroom.ship(order_id, *lines)
            for variant, units in lines:
                sold[variant] += units

        async with asyncio.TaskGroup() as group:
            for _ in range(300):
                chosen = dice.sample(variants, dice.randint(2, 6))
                lines = [(variant, dice.randint(1, 3)) for variant in chosen]
                fate = dice.choice(["ship", "ship", "release"])
                group.create_task(buy(lines, fate))

        levels = [await stockroom.level(sku) for sku in skus]
        assert levels == [(60 - sold[v], 0) for v in variants]
        assert refused > 0
        assert await stockroom.balances()
