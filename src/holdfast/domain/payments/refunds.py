"""Refunds in PostgreSQL: asked for once, ended once."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from holdfast.domain.payments import due
from holdfast.domain.payments.due import Due
from holdfast.domain.payments.errors import RefundNotFailed, RefundNotFound
from holdfast.domain.payments.model import Progress, Refund
from holdfast.kernel.money import Money
from holdfast.platform import sql
from holdfast.platform.db import Connection, ConstraintViolated, Row, Transaction

_SQL = sql.load("holdfast.domain.payments")
_ADD_REFUND = _SQL["add_refund"]
_REFUND = _SQL["refund"]
_REFUNDS_OF_ORDER = _SQL["refunds_of_order"]
_REFUNDS_BY_KEY = _SQL["refunds_by_key"]
_REFUNDS_SINCE = _SQL["refunds_since"]
_FAILED_SINCE = _SQL["failed_since"]
_END_REFUND = _SQL["end_refund"]
_PUT_OFF_REFUND = _SQL["put_off_refund"]
_DUE_REFUNDS = _SQL["due_refunds"]

# More than anybody gives back in parts; a bound for one answer.
_MANY = 1_000
_ONCE = ("refunds_retried_once", "refunds_stray_once")


async def add_refund(tx: Transaction, refund: Refund) -> bool:
    """Note that money is to go back; False if this one stands already.

    Raises ``RefundNotFailed`` when the refund that it tries again was tried again
    before, or when stray money is on its way back already.
    """
    try:
        row = await tx.fetchrow(
            _ADD_REFUND,
            refund.id,
            refund.order_id,
            refund.amount.amount,
            refund.amount.currency,
            refund.reason,
            refund.requested_by,
            refund.requested_at,
            refund.retry_of,
            refund.stray,
            refund.requested_at + due.FIRST,
        )
    except ConstraintViolated as error:
        if error.constraint_name in _ONCE:
            raise RefundNotFailed("retried") from error
        raise
    return row is not None


async def find_refund(connection: Connection, refund_id: UUID) -> Refund:
    """A refund; ``RefundNotFound``."""
    row = await connection.fetchrow(_REFUND, refund_id)
    if row is None:
        raise RefundNotFound
    return _refund(row)


async def refunds_of(connection: Connection, order_id: UUID) -> list[Refund]:
    """The refunds of an order, oldest first."""
    rows = await connection.fetch(_REFUNDS_OF_ORDER, order_id, _MANY)
    return [_refund(row) for row in rows]


async def refunds_by_key(
    connection: Connection, ids: Sequence[UUID]
) -> dict[UUID, Refund]:
    """Those of these refunds that exist."""
    rows = await connection.fetch(_REFUNDS_BY_KEY, list(ids))
    return {row["id"]: _refund(row) for row in rows}


async def succeeded_since(
    connection: Connection, since: datetime, *, after: UUID | None, limit: int
) -> list[Refund]:
    """Refunds that went through, in the order of their ids."""
    rows = await connection.fetch(_REFUNDS_SINCE, since, after, limit)
    return [_refund(row) for row in rows]


async def failed_since(
    connection: Connection, since: datetime, *, after: UUID | None, limit: int
) -> list[UUID]:
    """Orders of which a refund failed since then, in the order of their ids."""
    rows = await connection.fetch(_FAILED_SINCE, since, after, limit)
    return [row["id"] for row in rows]


async def end_refund(
    tx: Transaction,
    refund_id: UUID,
    status: Progress,
    *,
    reference: str | None = None,
    failure_reason: str | None = None,
    at: datetime,
) -> bool:
    """End a pending refund; False if it had ended before."""
    row = await tx.fetchrow(
        _END_REFUND, refund_id, status, reference, failure_reason, at
    )
    return row is not None


async def put_off_refund(
    tx: Transaction,
    refund_id: UUID,
    *,
    tries: int,
    reference: str | None = None,
    at: datetime,
) -> None:
    """The provider has not ended it; ask again later, after so many *tries*."""
    await tx.execute(_PUT_OFF_REFUND, refund_id, reference, at + due.wait_after(tries))


async def due_refunds(
    connection: Connection, *, now: datetime, limit: int, beyond: Due | None = None
) -> list[Due]:
    """Pending refunds whose next try has come, longest due first."""
    return await due.read(connection, _DUE_REFUNDS, now=now, limit=limit, beyond=beyond)


def _refund(row: Row) -> Refund:
    return Refund(
        id=row["id"],
        order_id=row["order_id"],
        amount=Money(row["amount"], row["currency"]),
        status=Progress(row["status"]),
        reason=row["reason"],
        requested_by=row["requested_by"],
        requested_at=row["requested_at"],
        reference=row["reference"],
        failure_reason=row["failure_reason"],
        settled_at=row["settled_at"],
        retry_of=row["retry_of"],
        stray=row["stray"],
        tries=row["tries"],
    )
