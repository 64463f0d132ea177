"""Stock in PostgreSQL: each promise is one conditional statement."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from holdfast.domain.inventory.errors import (
    OutOfStock,
    StockBelowReserved,
    StockLevelOutOfRange,
    UnknownStock,
)
from holdfast.domain.inventory.model import (
    MAX_LEVEL,
    Level,
    Movement,
    Shortage,
    Wanted,
    summed,
)
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction

_SQL = sql.load("holdfast.domain.inventory")
_RESERVE = _SQL["reserve"]
_SHORTAGES = _SQL["shortages"]
_SELL = _SQL["sell"]
_RELEASE = _SQL["release"]
_OPEN_LEVELS = _SQL["open_levels"]
_LOCK_LEVELS = _SQL["lock_levels"]
_SET_LEVELS = _SQL["set_levels"]
_FIND = _SQL["find"]
_MOVEMENTS = _SQL["movements"]
_DRIFT = _SQL["drift"]


async def reserve(
    tx: Transaction, order_id: UUID, wanted: Sequence[Wanted], *, at: datetime
) -> None:
    """Promise stock to an order: every line, or none.

    Raises ``OutOfStock`` naming each SKU that falls short. The caller's
    transaction then rolls back, which is what undoes the lines that did fit.
    """
    lines = summed(wanted)
    variants = [line.variant_id for line in lines]
    quantities = [line.quantity for line in lines]
    filled = await tx.fetch(_RESERVE, order_id, variants, quantities, at)
    if len(filled) == len(lines):
        return
    filled_ids = {row["variant_id"] for row in filled}
    missing = [line for line in lines if line.variant_id not in filled_ids]
    available = await _available(tx, missing)
    raise OutOfStock(
        [
            Shortage(
                line.sku,
                line.quantity,
                # Freed between the two statements: it was short when it counted.
                min(available.get(line.variant_id, line.quantity), line.quantity - 1),
            )
            for line in missing
        ]
    )


async def _available(tx: Transaction, lines: Sequence[Wanted]) -> dict[UUID, int]:
    rows = await tx.fetch(
        _SHORTAGES, [line.variant_id for line in lines], [n.quantity for n in lines]
    )
    return {row["variant_id"]: row["available"] for row in rows}


async def sell(tx: Transaction, order_id: UUID, *, actor: str, at: datetime) -> None:
    """The order is paid: its reserved units leave the stock. Twice does nothing."""
    await tx.fetch(_SELL, order_id, actor, at)


async def release(tx: Transaction, order_id: UUID, *, at: datetime) -> None:
    """The order came to nothing: its units are free again. Twice does nothing."""
    await tx.fetch(_RELEASE, order_id, at)


async def open_levels(
    tx: Transaction, variant_ids: Sequence[UUID], *, at: datetime
) -> None:
    """Start keeping stock of new variants, at zero units."""
    await tx.execute(_OPEN_LEVELS, variant_ids, at)


async def set_levels(
    tx: Transaction,
    on_hand_by_sku: Mapping[str, int],
    *,
    reason: str,
    actor: str,
    at: datetime,
) -> list[Level]:
    """Set how many units are on hand, writing the difference to the ledger.

    Returns the new levels in lock order. Raises ``UnknownStock`` or
    ``StockBelowReserved`` for the first SKU that cannot be set.
    """
    for sku, on_hand in on_hand_by_sku.items():
        if not 0 <= on_hand <= MAX_LEVEL:
            raise StockLevelOutOfRange(sku)
    rows = await tx.fetch(_LOCK_LEVELS, list(on_hand_by_sku))
    levels = [_level(row) for row in rows]
    for sku in on_hand_by_sku.keys() - {level.sku for level in levels}:
        raise UnknownStock(sku)
    for level in levels:
        if on_hand_by_sku[level.sku] < level.reserved:
            raise StockBelowReserved(level.sku, level.reserved)
    await tx.fetch(
        _SET_LEVELS,
        [level.variant_id for level in levels],
        [on_hand_by_sku[level.sku] for level in levels],
        reason,
        actor,
        at,
    )
    return [
        Level(
            level.sku,
            level.variant_id,
            on_hand_by_sku[level.sku],
            level.reserved,
            at if on_hand_by_sku[level.sku] != level.on_hand else level.updated_at,
        )
        for level in levels
    ]


async def find(connection: Connection, sku: str) -> Level:
    """The level of a SKU; ``UnknownStock`` if none is kept."""
    row = await connection.fetchrow(_FIND, sku)
    if row is None:
        raise UnknownStock(sku)
    return _level(row)


async def movements(
    connection: Connection, variant_id: UUID, *, after: str | None, limit: int
) -> Page[Movement]:
    """The ledger of a variant, newest first."""
    before = None if after is None else decode_id_cursor(after)
    rows = await connection.fetch(_MOVEMENTS, variant_id, before, limit + 1)
    items = [Movement(*row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items, encode_cursor(str(items[-1].id)) if more else None)


async def drift(connection: Connection) -> list[Row]:
    """Levels that disagree with their ledger or reservations; none is the promise."""
    return await connection.fetch(_DRIFT)


def _level(row: Row) -> Level:
    return Level(
        row["sku"],
        row["variant_id"],
        row["on_hand"],
        row["reserved"],
        row["updated_at"],
    )
