"""How orders change after they were placed: canceled, shipped, returned, paid back.

A change of lines holds the order's row, so that two at once come one after the other
and each sees what the one before it did; where it leads is worked out in ``standing``.
A change of money is one conditional statement. That an order has come to its end is
announced in the same transaction, by whatever brought it there.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from holdfast.domain.ordering import standing, store
from holdfast.domain.ordering.errors import OrderNotFound
from holdfast.domain.ordering.model import Order
from holdfast.domain.ordering.standing import Standing, Units
from holdfast.domain.ordering.states import (
    FulfilmentStatus,
    OrderStatus,
    PaymentStatus,
)
from holdfast.kernel.money import Money
from holdfast.platform import outbox, sql
from holdfast.platform.db import Transaction
from holdfast.platform.vault import Vault

_SQL = sql.load("holdfast.domain.ordering")
_LOCK_ORDER = _SQL["lock_order"]
_STANDING = _SQL["standing"]
_PROGRESS = _SQL["progress"]
_MARK_CAPTURED = _SQL["mark_captured"]
_MARK_VOIDED = _SQL["mark_voided"]
_CLAIM_REFUND = _SQL["claim_refund"]
_MARK_REFUNDED = _SQL["mark_refunded"]
_DROP_REFUND = _SQL["drop_refund"]

COMPLETED = "ordering.order.completed"
CANCELED = "ordering.order.canceled"
EDITED = "ordering.order.edited"
_ENDS = {OrderStatus.COMPLETED: COMPLETED, OrderStatus.CANCELED: CANCELED}


async def lock(tx: Transaction, vault: Vault, order_id: UUID) -> Order:
    """Hold an order to the end of the transaction, and read it; ``OrderNotFound``.

    Whoever also changes stock does this first, so that nobody waits in a circle.
    """
    await tx.fetchrow(_LOCK_ORDER, order_id)
    # A statement of its own: it sees what was committed while the lock was waited for.
    return await store.find(tx, vault, order_id)


async def cancel_lines(
    tx: Transaction,
    order_id: UUID,
    quantities: Mapping[int, int],
    *,
    reason: str,
    actor: str,
    at: datetime,
) -> Standing:
    """Cancel units that were not shipped; all of them cancel the order.

    Raises ``OrderNotFound``, ``OrderNotOpen`` or ``LinesNotOpen``; then nothing is
    written. So do the others here.
    """
    return await _change(
        *(tx, order_id, quantities, standing.canceled, "lines_canceled"),
        actor=actor,
        at=at,
        detail={"reason": reason},
    )


async def mark_fulfilled(
    tx: Transaction,
    order_id: UUID,
    quantities: Mapping[int, int],
    *,
    actor: str,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
) -> Standing:
    """Units were shipped; the last of an order that is paid complete it."""
    return await _change(
        *(tx, order_id, quantities, standing.fulfilled, "lines_fulfilled"),
        actor=actor,
        at=at,
        detail=detail or {},
    )


async def mark_unfulfilled(
    tx: Transaction,
    order_id: UUID,
    quantities: Mapping[int, int],
    *,
    actor: str,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
) -> Standing:
    """A shipment came to nothing: its units are to be shipped again."""
    return await _change(
        *(tx, order_id, quantities, standing.unfulfilled, "lines_unfulfilled"),
        actor=actor,
        at=at,
        detail=detail or {},
    )


async def mark_returned(
    tx: Transaction,
    order_id: UUID,
    quantities: Mapping[int, int],
    *,
    actor: str,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
) -> Standing:
    """Shipped units came back."""
    return await _change(
        *(tx, order_id, quantities, standing.returned, "lines_returned"),
        actor=actor,
        at=at,
        detail=detail or {},
    )


async def correct_lines(
    tx: Transaction,
    order_id: UUID,
    counted: Mapping[int, tuple[int, int]],
    *,
    actor: str,
    at: datetime,
) -> Standing:
    """Set lines to what was shipped of them, and of that came back, by position."""
    lines = [
        {"position": position, "fulfilled_quantity": n, "returned_quantity": back}
        for position, (n, back) in sorted(counted.items())
    ]

    def change(before: Standing, _: object) -> Standing:
        return standing.recounted(before, counted)

    return await _change(
        *(tx, order_id, {}, change, "lines_corrected"),
        actor=actor,
        at=at,
        detail={"lines": lines},
    )


async def mark_captured(
    tx: Transaction,
    order_id: UUID,
    *,
    amount: Money | None = None,
    actor: str,
    at: datetime,
) -> OrderStatus | None:
    """An authorised payment was captured, all of it or *amount*.

    Returns the status of the order after it, or None if it was not authorised (any
    more). Also of a canceled order: then the capture was faster than the void.
    """
    value = None if amount is None else amount.amount
    row = await tx.fetchrow(_MARK_CAPTURED, order_id, value, actor, at)
    if row is None:
        return None
    if row["was"] != row["status"]:
        await _announce(tx, order_id, OrderStatus(row["status"]), at=at)
    return OrderStatus(row["status"])


async def mark_voided(
    tx: Transaction, order_id: UUID, *, actor: str, at: datetime
) -> bool:
    """The authorisation of a canceled order was given back; False if there is none."""
    return await tx.fetchrow(_MARK_VOIDED, order_id, actor, at) is not None


async def claim_refund(
    tx: Transaction, order_id: UUID, amount: Money, *, at: datetime
) -> bool:
    """Set *amount* of what was captured aside for a refund; False if it is not there.

    However many ask at once: together they get no more than was captured.
    """
    del at
    return await tx.fetchrow(_CLAIM_REFUND, order_id, amount.amount) is not None


async def mark_refunded(
    tx: Transaction, order_id: UUID, amount: Money, *, actor: str, at: datetime
) -> bool:
    """What was set aside has been given back; False if it was not set aside."""
    row = await tx.fetchrow(_MARK_REFUNDED, order_id, amount.amount, actor, at)
    return row is not None


async def drop_refund(
    tx: Transaction, order_id: UUID, amount: Money, *, actor: str, at: datetime
) -> bool:
    """What was set aside will not be given back; False if it was not set aside."""
    row = await tx.fetchrow(_DROP_REFUND, order_id, amount.amount, actor, at)
    return row is not None


async def _change(
    tx: Transaction,
    order_id: UUID,
    quantities: Mapping[int, int],
    change: Callable[[Standing, Mapping[int, int]], Standing],
    kind: str,
    *,
    actor: str,
    at: datetime,
    detail: Mapping[str, Any],
) -> Standing:
    await tx.fetchrow(_LOCK_ORDER, order_id)
    before = await _standing(tx, order_id)
    after = change(before, quantities)
    moved = [(old, new) for old, new in zip(before.lines, after.lines, strict=True)]
    steps = list(standing.steps(before, after))
    row = await tx.fetchrow(
        *(_PROGRESS, order_id, actor, at),
        *(before.status, before.payment, before.fulfilment),
        *(after.status, after.payment, after.fulfilment),
        [new.position for old, new in moved if new != old],
        [new.canceled - old.canceled for old, new in moved if new != old],
        [new.fulfilled - old.fulfilled for old, new in moved if new != old],
        [new.returned - old.returned for old, new in moved if new != old],
        kind,
        {"lines": _said(quantities), **detail},
        [step[0] for step in steps],
        [step[1] for step in steps],
        [step[2] for step in steps],
    )
    # Nobody else can have changed what is locked.
    assert row is not None  # noqa: S101
    if after.status is not before.status:
        await _announce(tx, order_id, after.status, at=at)
    return after


async def _announce(
    tx: Transaction, order_id: UUID, status: OrderStatus, *, at: datetime
) -> None:
    if type_ := _ENDS.get(status):
        event = outbox.event(type_, order_id=str(order_id))
        await outbox.publish(tx, [event], at=at)


async def _standing(tx: Transaction, order_id: UUID) -> Standing:
    row = await tx.fetchrow(_STANDING, order_id)
    if row is None:
        raise OrderNotFound
    return Standing(
        OrderStatus(row["status"]),
        PaymentStatus(row["payment_status"]),
        FulfilmentStatus(row["fulfilment_status"]),
        tuple(Units(*fields) for fields in row["lines"]),
    )


def _said(quantities: Mapping[int, int]) -> list[dict[str, int]]:
    return [
        {"position": position, "quantity": quantity}
        for position, quantity in sorted(quantities.items())
    ]
