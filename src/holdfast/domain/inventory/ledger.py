"""The ledger in PostgreSQL: every change of a level, who made it, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from holdfast.domain.inventory.model import Move, Movement
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction

_SQL = sql.load("holdfast.domain.inventory")
_MOVE = _SQL["move"]
_LEDGER = _SQL["ledger"]
_LEDGER_OF_VARIANT = _SQL["ledger_of_variant"]
_LEDGER_OF_ORDER = _SQL["ledger_of_order"]

Kind: TypeAlias = Literal[
    "receipt", "sale", "return", "adjustment", "transfer", "count"
]


@dataclass(frozen=True, slots=True)
class MovementFilter:
    """Which movements; None takes all."""

    variant_id: UUID | None = None
    location_id: UUID | None = None
    kind: Kind | None = None
    since: datetime | None = None
    until: datetime | None = None
    """The first moment that is too late."""
    order_id: UUID | None = None
    actor: str | None = None


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


async def movements(
    connection: Connection,
    variant_id: UUID | None = None,
    *,
    only: MovementFilter | None = None,
    after: str | None,
    limit: int,
) -> Page[Movement]:
    """The ledger, newest first: of a variant, or of whatever the filter names."""
    before = None if after is None else decode_id_cursor(after)
    asked = only or MovementFilter()
    variant = variant_id or asked.variant_id
    filters = (asked.location_id, asked.kind, asked.since, asked.until, asked.actor)
    rest = (variant, *filters, before, limit + 1)
    if asked.order_id is not None:
        rows = await connection.fetch(_LEDGER_OF_ORDER, asked.order_id, *rest)
    elif variant is not None:
        rows = await connection.fetch(_LEDGER_OF_VARIANT, *rest)
    else:
        rows = await connection.fetch(_LEDGER, *rest)
    items = [Movement(*row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items, encode_cursor(str(items[-1].id)) if more else None)
