"""Stock counts: people look at the shelves, and the books are put right.

Each line keeps what the books said when it was counted. Applying writes the
difference between the two, so that what was sold or received in between stays so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from holdfast.domain import inventory
from holdfast.domain.inventory import (
    MAX_LEVEL,
    CountLine,
    Move,
    StockCount,
    StockCountClosed,
    StockLevelOutOfRange,
)
from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Database, Transaction


@dataclass(frozen=True, slots=True)
class Counts:
    """What can be done with stock counts, and what it takes."""

    db: Database
    clock: Clock

    async def open(self, location: str, *, reference: str, actor: str) -> StockCount:
        """Begin to count a location; ``LocationNotFound``."""
        count_id = new_id()
        async with self.db.transaction() as tx:
            place = await inventory.find_location(tx, location)
            await inventory.open_count(
                tx,
                count_id,
                place.id,
                reference=reference,
                actor=actor,
                at=self.clock(),
            )
            return await inventory.find_count(tx, count_id)

    async def put(
        self, count_id: UUID, counted: Mapping[str, int], *, actor: str
    ) -> StockCount:
        """Write down how many were found of each SKU, now.

        Counting a SKU again replaces what was counted before. Raises
        ``StockCountClosed`` or ``UnknownStock``.
        """
        for sku, number in counted.items():
            if not 0 <= number <= MAX_LEVEL:
                raise StockLevelOutOfRange(sku)
        async with self.db.transaction() as tx:
            count = await self._open(tx, count_id)
            variants = await inventory.variants_of(tx, list(counted))
            found = {variants[sku]: number for sku, number in counted.items()}
            await inventory.put_count_lines(
                tx, count, found, actor=actor, at=self.clock()
            )
            return await inventory.find_count(tx, count_id)

    async def apply(self, count_id: UUID, *, actor: str) -> StockCount:
        """Put the books right, all lines or none.

        Raises ``StockCountClosed``, or ``StockBelowReserved`` when fewer were found
        than are promised to buyers.
        """
        now = self.clock()
        async with self.db.transaction() as tx:
            count = await self._open(tx, count_id)
            lines = await inventory.count_lines(tx, count_id)
            places = [(line.variant_id, count.location_id) for line in lines]
            levels = await inventory.lock_shelves(tx, places, at=now)
            for line, place in zip(lines, places, strict=True):
                inventory.check_room(levels[place], line.difference)
            moves = [_move(line, count) for line in lines]
            await inventory.move(
                tx, moves, actor=actor, reference=f"stock count {count_id}", at=now
            )
            await inventory.close_count(tx, count, "applied", at=now)
            return await inventory.find_count(tx, count_id)

    async def cancel(self, count_id: UUID) -> StockCount:
        """Forget about it; the books stay as they are."""
        async with self.db.transaction() as tx:
            count = await self._open(tx, count_id)
            await inventory.close_count(tx, count, "canceled", at=self.clock())
            return await inventory.find_count(tx, count_id)

    @staticmethod
    async def _open(tx: Transaction, count_id: UUID) -> StockCount:
        count = await inventory.lock_count(tx, count_id)
        if count.status != "open":
            raise StockCountClosed(count_id, count.status)
        return count


def _move(line: CountLine, count: StockCount) -> Move:
    return Move(
        line.variant_id, count.location_id, line.difference, "count", count.reference
    )
