"""Levels in PostgreSQL. They change by their ledger alone: its trigger does it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from holdfast.domain.inventory.errors import (
    StockBelowReserved,
    StockLevelOutOfRange,
    UnknownStock,
)
from holdfast.domain.inventory.ledger import move
from holdfast.domain.inventory.model import (
    MAIN,
    MAX_LEVEL,
    Level,
    LevelSettings,
    Move,
)
from holdfast.kernel.page import BadCursor, Page, decode_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction

_SQL = sql.load("holdfast.domain.inventory")
_OPEN_LEVELS = _SQL["open_levels"]
_CLOSE_LEVELS = _SQL["close_levels"]
_LOCK_LEVELS = _SQL["lock_levels"]
_OPEN_SHELVES = _SQL["open_shelves"]
_LOCK_SHELVES = _SQL["lock_shelves"]
_CHANGE_LEVELS = _SQL["change_levels"]
_FIND = _SQL["find"]
_LEVELS = _SQL["levels"]
_LEVELS_OF = _SQL["levels_of"]
_VARIANTS_OF = _SQL["variants_of"]
_PROMISE_BACK = _SQL["promise_back"]


async def open_levels(
    tx: Transaction,
    variant_ids: Sequence[UUID],
    *,
    at: datetime,
    location_id: UUID = MAIN,
) -> None:
    """Start keeping stock of new variants, at zero units."""
    await tx.execute(_OPEN_LEVELS, variant_ids, location_id, at)


async def close_levels(tx: Transaction, variant_ids: Sequence[UUID]) -> set[UUID]:
    """Stop keeping stock of variants that never had any; returns those that did."""
    rows = await tx.fetch(_CLOSE_LEVELS, variant_ids)
    return {row["variant_id"] for row in rows}


async def set_levels(
    tx: Transaction,
    on_hand_by_sku: Mapping[str, int],
    *,
    reason: str,
    actor: str,
    at: datetime,
    location_id: UUID = MAIN,
) -> list[Level]:
    """Set how many units are on hand, writing the difference to the ledger.

    Returns the new levels in lock order. Raises ``UnknownStock`` or
    ``StockBelowReserved`` for the first SKU that cannot be set.
    """
    for sku, on_hand in on_hand_by_sku.items():
        if not 0 <= on_hand <= MAX_LEVEL:
            raise StockLevelOutOfRange(sku)
    skus = list(on_hand_by_sku)
    rows = await tx.fetch(_LOCK_LEVELS, skus, location_id)
    levels = [Level(*row) for row in rows]
    for sku in on_hand_by_sku.keys() - {level.sku for level in levels}:
        raise UnknownStock(sku)
    moves = []
    for level in levels:
        delta = on_hand_by_sku[level.sku] - level.on_hand
        check_room(level, delta)
        moves.append(Move(level.variant_id, location_id, delta, "adjustment", reason))
    await move(tx, moves, actor=actor, at=at)
    return [Level(*row) for row in await tx.fetch(_LOCK_LEVELS, skus, location_id)]


def check_room(level: Level, delta: int) -> None:
    """Whether a level may change so; the caller has locked it.

    Raises ``StockLevelOutOfRange`` or ``StockBelowReserved``.
    """
    if not 0 <= level.on_hand + delta <= MAX_LEVEL:
        raise StockLevelOutOfRange(level.sku)
    if delta < 0 and level.on_hand + delta + level.backorder_limit < level.reserved:
        raise StockBelowReserved(level.sku, level.reserved)


async def lock_shelves(
    tx: Transaction, places: Sequence[tuple[UUID, UUID]], *, at: datetime
) -> dict[tuple[UUID, UUID], Level]:
    """Lock levels by variant and location for a change, opening those that are new."""
    variants = [variant for variant, _ in places]
    locations = [location for _, location in places]
    await tx.execute(_OPEN_SHELVES, variants, locations, at)
    rows = await tx.fetch(_LOCK_SHELVES, variants, locations)
    levels = [Level(*row) for row in rows]
    return {(level.variant_id, level.location_id): level for level in levels}


async def change_levels(
    tx: Transaction, changes: Sequence[tuple[Level, LevelSettings]], *, at: datetime
) -> None:
    """Say what is kept back, what may be promised beyond what is there, what is few.

    The caller has locked the levels. Raises ``StockBelowReserved`` if more is promised
    than there would be.
    """
    for level, wanted in changes:
        if level.on_hand + wanted.backorder_limit < level.reserved:
            raise StockBelowReserved(level.sku, level.reserved)
    await tx.execute(
        _CHANGE_LEVELS,
        [level.variant_id for level, _ in changes],
        [level.location_id for level, _ in changes],
        [wanted.safety_stock for _, wanted in changes],
        [wanted.backorder_limit for _, wanted in changes],
        [wanted.low_stock_threshold for _, wanted in changes],
        at,
    )


async def take_back(
    tx: Transaction,
    quantities: Mapping[UUID, int],
    *,
    location_id: UUID,
    order_id: UUID,
    restock: bool,
    actor: str,
    reason: str,
    reference: str,
    at: datetime,
) -> None:
    """Goods came back, by variant: onto the shelf, or written off at once.

    Both go through the ledger: what cannot be sold again returns, and is adjusted
    away in the same commit.
    """
    moves = [
        Move(variant_id, location_id, quantity, "return", reason)
        for variant_id, quantity in quantities.items()
    ]
    if not restock:
        moves += [
            Move(variant_id, location_id, -quantity, "adjustment", reason)
            for variant_id, quantity in quantities.items()
        ]
    await move(tx, moves, actor=actor, order_id=order_id, reference=reference, at=at)


async def unship(
    tx: Transaction,
    order_id: UUID,
    quantities: Mapping[UUID, int],
    *,
    location_id: UUID,
    actor: str,
    reason: str,
    reference: str,
    at: datetime,
) -> None:
    """Units that left for an order are back, by variant, and promised to it again.

    The order is held by the caller. Opposite of ``ship``: the ledger keeps both.
    """
    await take_back(
        tx,
        quantities,
        location_id=location_id,
        order_id=order_id,
        restock=True,
        actor=actor,
        reason=reason,
        reference=reference,
        at=at,
    )
    variants, units = list(quantities), list(quantities.values())
    await tx.execute(_PROMISE_BACK, order_id, variants, units, location_id, at)


async def find(connection: Connection, sku: str, *, location_id: UUID = MAIN) -> Level:
    """The level of a SKU at a location; ``UnknownStock`` if none is kept."""
    row = await connection.fetchrow(_FIND, sku, location_id)
    if row is None:
        raise UnknownStock(sku)
    return Level(*row)


async def levels_of(connection: Connection, sku: str) -> list[Level]:
    """The levels of a SKU, those first that orders take from first.

    Raises ``UnknownStock``.
    """
    rows = await connection.fetch(_LEVELS_OF, sku)
    if not rows:
        raise UnknownStock(sku)
    return [Level(*row) for row in rows]


async def levels(
    connection: Connection,
    *,
    sku: str | None = None,
    location_id: UUID | None = None,
    low: bool = False,
    after: str | None,
    limit: int,
) -> Page[Level]:
    """Levels in the order of SKUs; *low* are those at or below their threshold."""
    last: tuple[str, UUID] | tuple[None, None] = (None, None)
    if after is not None:
        seen, location = decode_cursor(after, 2)
        try:
            last = seen, UUID(location)
        except ValueError:
            raise BadCursor from None
    rows = await connection.fetch(_LEVELS, sku, location_id, low, *last, limit + 1)
    items = [Level(*row) for row in rows[:limit]]
    if len(rows) <= limit:
        return Page(items, None)
    return Page(items, encode_cursor(items[-1].sku, str(items[-1].location_id)))


async def variants_of(connection: Connection, skus: Sequence[str]) -> dict[str, UUID]:
    """Which variants have these SKUs; ``UnknownStock`` for the first that has none."""
    found = await known_variants(connection, skus)
    for sku in skus:
        if sku not in found:
            raise UnknownStock(sku)
    return found


async def known_variants(
    connection: Connection, skus: Sequence[str]
) -> dict[str, UUID]:
    """The same without a word on SKUs that nobody has."""
    rows = await connection.fetch(_VARIANTS_OF, skus)
    return {row["sku"]: row["id"] for row in rows}
