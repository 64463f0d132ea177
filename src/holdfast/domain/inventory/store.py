"""Levels in PostgreSQL. They change by their ledger alone: its trigger does it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from holdfast.domain.inventory.errors import (
    LocationNotFound,
    StockBelowReserved,
    StockLevelOutOfRange,
    UnknownStock,
)
from holdfast.domain.inventory.model import (
    MAIN,
    MAX_LEVEL,
    Level,
    Location,
    Move,
    Movement,
)
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction

_SQL = sql.load("holdfast.domain.inventory")
_OPEN_LEVELS = _SQL["open_levels"]
_LOCK_LEVELS = _SQL["lock_levels"]
_MOVE = _SQL["move"]
_FIND = _SQL["find"]
_FIND_LOCATION = _SQL["find_location"]
_MOVEMENTS = _SQL["movements"]
_DRIFT = _SQL["drift"]
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
    for level in levels:
        if on_hand_by_sku[level.sku] + level.backorder_limit < level.reserved:
            raise StockBelowReserved(level.sku, level.reserved)
    moves = [
        Move(
            level.variant_id,
            location_id,
            on_hand_by_sku[level.sku] - level.on_hand,
            "adjustment",
            reason,
        )
        for level in levels
    ]
    await move(tx, moves, actor=actor, at=at)
    return [Level(*row) for row in await tx.fetch(_LOCK_LEVELS, skus, location_id)]


async def move(
    tx: Transaction,
    moves: Sequence[Move],
    *,
    actor: str,
    at: datetime,
    order_id: UUID | None = None,
    reference: str = "",
) -> None:
    """Write lines to the ledger, which changes the levels; opens those that are new.

    A line of no units is left out. The database refuses what would take a level
    below what is promised (``stock_never_oversold``) or below zero.
    """
    await tx.execute(
        _MOVE,
        [line.variant_id for line in moves],
        [line.location_id for line in moves],
        [line.delta for line in moves],
        [line.kind for line in moves],
        [line.reason for line in moves],
        order_id,
        actor,
        reference,
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


async def find_location(connection: Connection, code_or_id: str | UUID) -> Location:
    """A location by its id or its code; ``LocationNotFound``."""
    if isinstance(code_or_id, UUID):
        row = await connection.fetchrow(_FIND_LOCATION, code_or_id, None)
    else:
        row = await connection.fetchrow(_FIND_LOCATION, None, code_or_id)
    if row is None:
        raise LocationNotFound(str(code_or_id))
    return Location(*row)


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
