"""Books that must balance, whatever a test did to the stock."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from uuid import UUID

import pytest

from holdfast.domain import inventory
from holdfast.domain.inventory import MAIN, Level, Move, Wanted
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Database


class Stockroom:
    """Each method is a transaction of its own, as workflows make them."""

    def __init__(self, database: Database, clock: Callable[[], object]) -> None:
        self.db = database
        self.clock = clock

    async def reserve(
        self,
        *wanted: tuple[UUID, int],
        instead_of: Sequence[UUID] = (),
        expires_at: datetime | None = None,
    ) -> UUID:
        holder_id = new_id()
        lines = [Wanted(variant, str(variant), units) for variant, units in wanted]
        async with self.db.transaction() as tx:
            await inventory.reserve(
                *(tx, holder_id, lines),
                at=self.clock(),
                expires_at=expires_at,
                instead_of=instead_of,
            )
        return holder_id

    async def ship(
        self, order_id: UUID, *lines: tuple[UUID, int], location_id: UUID = MAIN
    ) -> None:
        async with self.db.transaction() as tx:
            await inventory.ship(
                *(tx, order_id, dict(lines)),
                location_id=location_id,
                actor="test",
                reference="parcel",
                at=self.clock(),
            )

    async def take_back(
        self, order_id: UUID, *lines: tuple[UUID, int], restock: bool = True
    ) -> None:
        async with self.db.transaction() as tx:
            await inventory.take_back(
                *(tx, dict(lines)),
                location_id=MAIN,
                order_id=order_id,
                restock=restock,
                actor="test",
                reason="too small",
                reference="return",
                at=self.clock(),
            )

    async def release(self, holder_id: UUID) -> bool:
        async with self.db.transaction() as tx:
            return bool(await inventory.release(tx, holder_id, at=self.clock()))

    async def release_part(self, holder_id: UUID, *lines: tuple[UUID, int]) -> None:
        async with self.db.transaction() as tx:
            await inventory.release_part(tx, holder_id, dict(lines), at=self.clock())

    async def expire(self, *, limit: int = 500) -> int:
        async with self.db.transaction() as tx:
            return await inventory.expire(tx, now=self.clock(), limit=limit)

    async def location(
        self, code: str, *, priority: int = 0, active: bool = True, **on_hand: int
    ) -> UUID:
        """Open a location with stock of SKUs that exist."""
        location_id = new_id()
        async with self.db.transaction() as tx:
            await tx.execute(
                "INSERT INTO locations (id, code, name, priority, active, created_at,"
                " updated_at) VALUES ($1, $2, $2, $3, $4, $5, $5)",
                *(location_id, code, priority, active, self.clock()),
            )
            for sku, units in on_hand.items():
                level = await inventory.find(tx, sku)
                move = Move(level.variant_id, location_id, units, "receipt")
                await inventory.move(tx, [move], actor="test", at=self.clock())
        return location_id

    async def settings(self, sku: str, location_id: UUID = MAIN, **to: int) -> None:
        """Set columns of a level that the ledger knows nothing of."""
        level = await inventory.find(self.db, sku)
        for column, number in to.items():
            async with self.db.transaction() as tx:
                await tx.execute(
                    f"UPDATE stock SET {column} = $3"  # noqa: S608 - ours
                    " WHERE variant_id = $1 AND location_id = $2",
                    *(level.variant_id, location_id, number),
                )

    async def set(self, **on_hand: int) -> list[Level]:
        by_sku = {name.replace("_", "-"): units for name, units in on_hand.items()}
        async with self.db.transaction() as tx:
            return await inventory.set_levels(
                tx, by_sku, reason="count", actor="test", at=self.clock()
            )

    async def level(self, sku: str, location_id: UUID = MAIN) -> tuple[int, int]:
        level = await inventory.find(self.db, sku, location_id=location_id)
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
