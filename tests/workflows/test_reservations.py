"""Which variant is sold under a SKU is remembered, for a while and within bounds."""

import asyncio

import pytest

from holdfast.domain import ordering
from holdfast.workflows.reservations import Skus


class Stopwatch:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def skus(database, watch) -> Skus:
    return Skus(database, most=3, timer=watch)


class TestSkus:
    async def test_says_what_is_sold_under_it(self, skus, a_product):
        tea, cup = await a_product("TEA"), await a_product("CUP")

        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(skus.find(sku)) for sku in ("TEA", "CUP", "TEA")]

        assert [task.result() for task in asked] == [tea, cup, tea]

    async def test_is_remembered_without_the_database(self, skus, a_product, database):
        tea = await a_product("TEA")
        await skus.find("TEA")
        await database.close()

        assert await skus.find("TEA") == tea

    async def test_is_looked_up_again_after_half_a_minute(
        self, skus, a_product, database, watch
    ):
        await a_product("TEA")
        await skus.find("TEA")
        await database.fetch("UPDATE products SET status = 'archived' RETURNING id")

        watch.now += 30.1

        with pytest.raises(ordering.VariantUnavailable):
            await skus.find("TEA")

    async def test_what_is_not_there_is_not_remembered(self, skus, a_product):
        for _ in range(2):
            with pytest.raises(ordering.UnknownSku):
                await skus.find("TEA")
        tea = await a_product("TEA")

        assert await skus.find("TEA") == tea

    async def test_does_not_grow_without_bound(self, skus, a_product):
        for number in range(7):
            await a_product(f"S{number}")
            await skus.find(f"S{number}")

        assert len(skus) <= 3
