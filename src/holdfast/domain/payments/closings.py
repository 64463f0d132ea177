"""Captures and voids in PostgreSQL: one an order, so that it is never both."""

from datetime import datetime
from uuid import UUID

from holdfast.domain.payments import due
from holdfast.domain.payments.due import Due
from holdfast.domain.payments.model import Closing, ClosingKind, Progress
from holdfast.kernel.money import Money
from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction

_SQL = sql.load("holdfast.domain.payments")
_BEGIN_CLOSING = _SQL["begin_closing"]
_CLOSING = _SQL["closing"]
_END_CLOSING = _SQL["end_closing"]
_PUT_OFF_CLOSING = _SQL["put_off_closing"]
_DUE_CLOSINGS = _SQL["due_closings"]
_LEFT_OPEN = _SQL["left_open"]


async def begin_closing(
    tx: Transaction,
    order_id: UUID,
    kind: ClosingKind,
    amount: Money,
    *,
    by: str,
    at: datetime,
) -> bool:
    """Note that a charge is to be captured or voided.

    False if a capture or void of it was begun before and has not failed.
    """
    row = await tx.fetchrow(
        _BEGIN_CLOSING,
        *(order_id, kind, amount.amount, amount.currency, by, at),
        at + due.FIRST,
    )
    return row is not None


async def find_closing(connection: Connection, order_id: UUID) -> Closing | None:
    """How the charge of an order ends; None if nobody has asked for it."""
    row = await connection.fetchrow(_CLOSING, order_id)
    if row is None:
        return None
    return Closing(
        order_id=row["order_id"],
        kind=ClosingKind(row["kind"]),
        amount=Money(row["amount"], row["currency"]),
        status=Progress(row["status"]),
        requested_by=row["requested_by"],
        requested_at=row["requested_at"],
        failure_reason=row["failure_reason"],
        settled_at=row["settled_at"],
        tries=row["tries"],
    )


async def end_closing(
    tx: Transaction,
    order_id: UUID,
    kind: ClosingKind,
    status: Progress,
    *,
    failure_reason: str | None = None,
    at: datetime,
) -> bool:
    """End a pending one; False if it had ended before."""
    row = await tx.fetchrow(_END_CLOSING, order_id, kind, status, failure_reason, at)
    return row is not None


async def put_off_closing(
    tx: Transaction, order_id: UUID, *, tries: int, at: datetime
) -> None:
    """The provider did not say what became of it; ask again later."""
    await tx.execute(_PUT_OFF_CLOSING, order_id, at + due.wait_after(tries))


async def due_closings(
    connection: Connection, *, now: datetime, limit: int, beyond: Due | None = None
) -> list[Due]:
    """Orders whose pending capture or void is to be tried, longest due first."""
    return await due.read(
        connection, _DUE_CLOSINGS, now=now, limit=limit, beyond=beyond
    )


async def left_open(connection: Connection, *, limit: int) -> list[UUID]:
    """Orders shipped or canceled whose charge nobody has begun to close."""
    rows = await connection.fetch(_LEFT_OPEN, limit)
    return [row["id"] for row in rows]
