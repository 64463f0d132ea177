"""Operators count stock: all levels of a count, or none."""

import pytest

from holdfast.domain.inventory import UnknownStock
from holdfast.workflows.stock import set_level, set_levels


class TestSetLevel:
    async def test_tells_the_new_level(self, database, a_product, clock):
        await a_product("TEA")

        level = await set_level(
            database, "TEA", 3, reason="count", actor="key:1", clock=clock
        )

        assert (level.sku, level.on_hand, level.reserved) == ("TEA", 3, 0)


class TestSetLevels:
    async def test_sets_none_when_one_cannot_be_set(self, database, a_product, clock):
        await a_product("TEA", on_hand=10)

        with pytest.raises(UnknownStock):
            await set_levels(
                database,
                {"TEA": 1, "POT": 1},
                reason="count",
                actor="key:1",
                clock=clock,
            )

        assert await database.fetchval("SELECT on_hand FROM stock") == 10
