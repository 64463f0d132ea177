"""Books that must balance, whatever a test did to the stock."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from holdfast.domain import inventory
from holdfast.domain.inventory import Level, Wanted
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Database


class Stockroom:
    """Each method is a transaction of its own, as workflows make them."""

    def __init__(self, database: Database, clock: Callable[[], object]) -> None:
        self.db = database
        self.clock = clock

    async def reserve(self, *wanted: tuple[UUID, int]) -> UUID:
        order_id = new_id()
        lines = [Wanted(variant, str(variant), units) for variant, units in wanted]
        async with self.db.transaction() as tx:
            await inventory.reserve(tx, order_id, lines, at=self.clock())
        return order_id

    async def sell(self, order_id: UUID) -> None:
        async with self.db.transaction() as tx:
            await inventory.sell(tx, order_id, actor="test", at=self.clock())

    async def release(self, order_id: UUID) -> None:
        async with self.db.transaction() as tx:
            await inventory.release(tx, order_id, at=self.clock())

    async def set(self, **on_hand: int) -> list[Level]:
        by_sku = {name.replace("_", "-"): units for name, units in on_hand.items()}
        async with self.db.transaction() as tx:
            return await inventory.set_levels(
                tx, by_sku, reason="count", actor="test", at=self.clock()
            )

    async def level(self, sku: str) -> tuple[int, int]:
        level = await inventory.find(self.db, sku)
        return level.on_hand, level.reserved

    async def balances(self) -> bool:
        return await inventory.drift(self.db) == []


@pytest.fixture
def stockroom(database, clock) -> Stockroom:
    return Stockroom(database, clock)


@pytest.fixture
def two_products(
    a_product,
) -> Callable[..., Awaitable[tuple[UUID, UUID]]]:
    """The variants of TEA and CUP, in that order."""

    async def put(*, on_hand: int = 10) -> tuple[UUID, UUID]:
        return (
            await a_product("TEA", on_hand=on_hand),
            await a_product("CUP", on_hand=on_hand),
        )

    return put
