"""Stock counts in PostgreSQL: what was found on the shelves, and what was expected."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from holdfast.domain.inventory.errors import StockCountNotFound
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction

_SQL = sql.load("holdfast.domain.inventory")
_OPEN_COUNT = _SQL["open_count"]
_LOCK_COUNT = _SQL["lock_count"]
_COUNTS = _SQL["counts"]
_COUNT_LINES = _SQL["count_lines"]
_PUT_COUNT_LINES = _SQL["put_count_lines"]
_CLOSE_COUNT = _SQL["close_count"]

CountStatus: TypeAlias = Literal["open", "applied", "canceled"]


@dataclass(frozen=True, slots=True)
class StockCount:
    """A count of one location."""

    id: UUID
    location: str
    location_id: UUID
    status: CountStatus
    reference: str
    actor: str
    opened_at: datetime
    closed_at: datetime | None
    lines: int
    """How many SKUs were counted."""


@dataclass(frozen=True, slots=True)
class CountLine:
    """What was found of a SKU, and what the books said at that moment."""

    sku: str
    variant_id: UUID
    expected: int
    counted: int
    actor: str
    counted_at: datetime

    @property
    def difference(self) -> int:
        return self.counted - self.expected


async def open_count(
    tx: Transaction,
    count_id: UUID,
    location_id: UUID,
    *,
    reference: str,
    actor: str,
    at: datetime,
) -> None:
    """Begin a count."""
    await tx.execute(_OPEN_COUNT, count_id, location_id, reference, actor, at)


async def find_count(connection: Connection, count_id: UUID) -> StockCount:
    """A count; ``StockCountNotFound``."""
    rows = await connection.fetch(_COUNTS, count_id, None, None, None, 1)
    if not rows:
        raise StockCountNotFound(count_id)
    return StockCount(*rows[0])


async def lock_count(tx: Transaction, count_id: UUID) -> StockCount:
    """The same, locked for a change."""
    await tx.fetchval(_LOCK_COUNT, count_id)
    return await find_count(tx, count_id)


async def counts(
    connection: Connection,
    *,
    status: CountStatus | None = None,
    location_id: UUID | None = None,
    after: str | None,
    limit: int,
) -> Page[StockCount]:
    """Counts, newest first."""
    before = None if after is None else decode_id_cursor(after)
    rows = await connection.fetch(_COUNTS, None, status, location_id, before, limit + 1)
    items = [StockCount(*row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items, encode_cursor(str(items[-1].id)) if more else None)


async def count_lines(connection: Connection, count_id: UUID) -> list[CountLine]:
    """What was counted, in the order of SKUs."""
    return [CountLine(*row) for row in await connection.fetch(_COUNT_LINES, count_id)]


async def put_count_lines(
    tx: Transaction,
    count: StockCount,
    counted: Mapping[UUID, int],
    *,
    actor: str,
    at: datetime,
) -> None:
    """Write down what was found, and what the books say at this moment."""
    await tx.execute(
        _PUT_COUNT_LINES,
        *(count.id, count.location_id, list(counted), list(counted.values())),
        *(actor, at),
    )


async def close_count(
    tx: Transaction, count: StockCount, status: CountStatus, *, at: datetime
) -> None:
    """End a count; the caller has locked it."""
    await tx.execute(_CLOSE_COUNT, count.id, status, at)
