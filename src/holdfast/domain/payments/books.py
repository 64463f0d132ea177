"""The books that are held against the provider's: what orders owe, what differs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from holdfast.domain.payments.model import Discrepancy
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction

_SQL = sql.load("holdfast.domain.payments")
_OWED = _SQL["owed"]
_PAID_SINCE = _SQL["paid_since"]
_LOCK_MONEY = _SQL["lock_money"]
_NOTE_DISCREPANCY = _SQL["note_discrepancy"]
_RESOLVE_DISCREPANCIES = _SQL["resolve_discrepancies"]
_DISCREPANCIES = _SQL["discrepancies"]
_COUNT_DISCREPANCIES = _SQL["count_discrepancies"]


@dataclass(frozen=True, slots=True)
class Owed:
    """What an order owes and has paid, in minor units of its currency."""

    id: UUID
    currency: str
    status: str
    payment_status: str
    fulfilment_status: str
    total: int
    captured: int
    refunded: int
    refunding: int
    placed_at: datetime
    reference: str | None
    # What is to be paid in money for what was not canceled.
    worth: int
    # How its charge ends, if it was only authorised: kind and progress.
    closing: str | None
    closing_status: str | None
    # By transfer or in cash: no provider knows of it.
    paid_outside: bool
    # For goods that came back, by refunds that failed and that nobody tried again.
    unpaid: int

    @property
    def total_money(self) -> Money:
        return Money(self.total, self.currency)

    @property
    def kept(self) -> int:
        """Captured, and not given back or about to be."""
        return self.captured - self.refunded - self.refunding

    @property
    def surplus(self) -> int:
        """What is kept beyond what the order is worth; below 0 where less is kept."""
        return self.kept - self.worth

    def money(self, amount: int) -> Money:
        return Money(amount, self.currency)


async def owed(connection: Connection, order_ids: Sequence[UUID]) -> dict[UUID, Owed]:
    """What those of these orders owe that exist."""
    rows = await connection.fetch(_OWED, list(order_ids))
    return {row["id"]: Owed(*row) for row in rows}


async def paid_since(
    connection: Connection, since: datetime, *, after: UUID | None, limit: int
) -> list[UUID]:
    """Orders with money of a charge, placed since then, in the order of their ids."""
    rows = await connection.fetch(_PAID_SINCE, since, after, limit)
    return [row["id"] for row in rows]


async def lock_money(tx: Transaction, order_id: UUID) -> Owed | None:
    """Hold an order while its money is decided about; None if there is none."""
    if await tx.fetchrow(_LOCK_MONEY, order_id) is None:
        return None
    # A statement of its own: it sees what was committed while the lock was waited for.
    return (await owed(tx, [order_id])).get(order_id)


async def note_discrepancy(
    tx: Transaction,
    kind: str,
    subject: str,
    *,
    order_id: UUID | None,
    detail: Mapping[str, str | int | None],
    at: datetime,
) -> bool:
    """Write a difference down, or that it is still there; returns whether it is new."""
    is_new: bool = await tx.fetchval(
        _NOTE_DISCREPANCY, new_id(), kind, subject, order_id, dict(detail), at
    )
    return is_new


async def resolve_discrepancies(
    tx: Transaction, subject: str, *, except_: Collection[str] = (), at: datetime
) -> int:
    """Close the differences of a subject that are not there any more."""
    return len(await tx.fetch(_RESOLVE_DISCREPANCIES, subject, list(except_), at))


async def discrepancies(
    connection: Connection, *, after: str | None, limit: int, open_only: bool
) -> Page[Discrepancy]:
    """Differences, newest first."""
    before = None if after is None else decode_id_cursor(after)
    rows = await connection.fetch(_DISCREPANCIES, before, limit + 1, open_only)
    items = [Discrepancy(*row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items, encode_cursor(str(items[-1].id)) if more else None)


async def count_discrepancies(connection: Connection) -> int:
    """How many differences are open."""
    return int(await connection.fetchval(_COUNT_DISCREPANCIES))
