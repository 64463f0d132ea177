"""Drops in PostgreSQL: one row is the door, and every ticket is a row.

Whoever changes the door takes its row, so that places are given once. Those who only
ask how far they are never come here: their ticket says it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from holdfast.domain.drops.errors import DropNotFound, VariantInAnotherDrop
from holdfast.domain.drops.model import Drop, Entry, HeldTicket, Purchase
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, ConstraintViolated, Row, Transaction
from holdfast.platform.vault import Vault

_SQL = sql.load("holdfast.domain.drops")
_ADD_DROP = _SQL["add_drop"]
_DROPS = _SQL["drops"]
_DROPS_ON = _SQL["drops_on"]
_CHANGE_DROP = _SQL["change_drop"]
_END_DROP = _SQL["end_drop"]
_ISSUE_TICKETS = _SQL["issue_tickets"]
_TICKETS_OF = _SQL["tickets_of"]
_PLACES = _SQL["places"]
_BEGIN_DRAW = _SQL["begin_draw"]
_DRAW_LOTS = _SQL["draw_lots"]
_ADMIT = _SQL["admit"]
_ENTER = _SQL["enter"]
_LOCK_TICKET = _SQL["lock_ticket"]
_BOUGHT = _SQL["bought"]
_NOTE_PURCHASE = _SQL["note_purchase"]
_TICKETS_HELD = _SQL["tickets_held"]
_FORGET_HOLDER = _SQL["forget_holder"]
_NOTE_CAPACITY = _SQL["note_capacity"]
_FORGET_TICKETS = _SQL["forget_tickets"]

_KEPT = timedelta(days=7)


async def add(tx: Transaction, drop: Drop, *, by: str, at: datetime) -> None:
    """Announce a drop; ``VariantInAnotherDrop``."""
    try:
        await tx.execute(
            _ADD_DROP,
            *(drop.id, drop.name, drop.opens_at, drop.closes_at, drop.guests),
            *(drop.most_units, drop.most_tickets, drop.per_minute, drop.pass_seconds),
            *(list(drop.variant_ids), drop.commitment, by, at),
        )
    except ConstraintViolated as error:
        if error.constraint_name == "drop_variants_pkey":
            raise VariantInAnotherDrop from None
        raise


async def find(connection: Connection, drop_id: UUID) -> Drop:
    """One drop; ``DropNotFound``."""
    rows = await connection.fetch(_DROPS, drop_id, None, 1)
    if not rows:
        raise DropNotFound(drop_id)
    return _drop(rows[0])


async def browse(
    connection: Connection, *, after: str | None, limit: int
) -> Page[Drop]:
    """Drops, newest first."""
    before = None if after is None else decode_id_cursor(after)
    rows = await connection.fetch(_DROPS, None, before, limit + 1)
    items = [_drop(row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items, encode_cursor(str(items[-1].id)) if more else None)


async def on(connection: Connection, until: datetime) -> list[Drop]:
    """Those that have not ended and open before *until*, without their SKUs."""
    return [_drop(row) for row in await connection.fetch(_DROPS_ON, until)]


async def change(
    tx: Transaction,
    drop_id: UUID,
    *,
    closes_at: datetime | None,
    per_minute: int | None,
) -> bool:
    """Change what may be; False if it has ended or is not there."""
    return await tx.fetchval(_CHANGE_DROP, drop_id, closes_at, per_minute) is not None


async def end(tx: Transaction, drop_id: UUID, *, at: datetime) -> bool:
    """End it; False if it had ended or is not there."""
    return await tx.fetchval(_END_DROP, drop_id, at) is not None


async def issue(
    tx: Transaction,
    drop_id: UUID,
    wanted: Sequence[tuple[UUID, bytes, int]],
    *,
    at: datetime,
) -> Mapping[UUID, int | None]:
    """Give out tickets: their ids, holders, and how many each holder may have.

    Returns the places of those that were made, None before the draw.
    """
    ids, holders, most = (list(column) for column in zip(*wanted, strict=True))
    rows = await tx.fetch(_ISSUE_TICKETS, drop_id, ids, holders, most, at)
    return {row["id"]: row["position"] for row in rows}


async def tickets_of(
    connection: Connection, drop_id: UUID, holder: bytes
) -> list[tuple[UUID, int | None]]:
    """The tickets of one holder, with their places."""
    rows = await connection.fetch(_TICKETS_OF, drop_id, holder)
    return [(row["id"], row["position"]) for row in rows]


async def places(
    connection: Connection, ticket_ids: Sequence[UUID]
) -> Mapping[UUID, int | None]:
    """The places of tickets, of those that exist."""
    rows = await connection.fetch(_PLACES, ticket_ids)
    return {row["id"]: row["position"] for row in rows}


async def begin_draw(tx: Transaction, drop_id: UUID, *, at: datetime) -> bool:
    """Open the door; True for the one who is to draw the lots."""
    return await tx.fetchrow(_BEGIN_DRAW, drop_id, at) is not None


async def draw_lots(tx: Transaction, drop_id: UUID, seed: bytes) -> None:
    """Give everybody who has come a place, by lot."""
    await tx.execute(_DRAW_LOTS, drop_id, seed)


async def admit(tx: Transaction, drop: Drop, count: int, *, at: datetime) -> int | None:
    """Let in so many more; how far the line has come, None if another was first."""
    admitted: int | None = await tx.fetchval(_ADMIT, drop.id, count, at, drop.paced_at)
    return admitted


async def enter(
    tx: Transaction, ticket_id: UUID, *, waits_seconds: float, at: datetime
) -> Entry | None:
    """Somebody comes whose turn it may be; None if there is no such ticket."""
    row = await tx.fetchrow(_ENTER, ticket_id, at, waits_seconds)
    return None if row is None else Entry(row["admitted_at"], row["missed"])


async def lock_ticket(tx: Transaction, ticket_id: UUID) -> UUID | None:
    """Take a ticket; returns its drop, None if there is none."""
    drop_id: UUID | None = await tx.fetchval(_LOCK_TICKET, ticket_id)
    return drop_id


async def bought(tx: Transaction, ticket_id: UUID) -> int:
    """Units bought with a ticket, without what failed or was canceled."""
    return int(await tx.fetchval(_BOUGHT, ticket_id))


async def note_purchase(
    tx: Transaction, order_id: UUID, ticket_id: UUID, units: int
) -> None:
    """Note what an order has bought with a ticket."""
    await tx.execute(_NOTE_PURCHASE, order_id, ticket_id, units)


def account_holder(vault: Vault, account_id: UUID) -> bytes:
    """As whom an account holds tickets."""
    return vault.index(str(account_id), purpose="drop-account")


async def tickets_held(connection: Connection, holder: bytes) -> list[HeldTicket]:
    """Every ticket of one holder, of whatever drop, oldest first."""
    return [
        HeldTicket(
            *(row["drop_id"], row["name"], row["position"]),
            *(row["issued_at"], row["admitted_at"]),
            [Purchase(UUID(order_id), units) for order_id, units in row["purchases"]],
        )
        for row in await connection.fetch(_TICKETS_HELD, holder)
    ]


async def forget_holder(tx: Transaction, holder: bytes) -> int:
    """Let the tickets of a holder say nothing of them; returns how many."""
    return len(await tx.fetch(_FORGET_HOLDER, holder))


async def note_capacity(
    tx: Transaction, process_id: UUID, per_second: float, *, at: datetime
) -> float:
    """Note what this process can serve; returns what all can, together."""
    return float(await tx.fetchval(_NOTE_CAPACITY, process_id, per_second, at))


async def forget_tickets(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Drop the tickets of drops that ended a week ago; returns how many."""
    return len(await tx.fetch(_FORGET_TICKETS, now - _KEPT, limit))


def _drop(row: Row) -> Drop:
    columns: dict[str, Any] = dict(row)
    return Drop(**columns)
