"""Money that was only set aside: taken with the first shipment, or released.

What is to be done is written down first, one row an order, so that a charge is never
both captured and voided. The provider is asked with no transaction open, the answer is
settled in a second one, and a timer finishes what died in between. An order that was
shipped or canceled and has no such row gets one from the timer.

Somebody may take it past the shop, at the provider's own page. What was taken beyond
what the order is worth goes back, all of it where the order is canceled: the refund is
written down in the transaction in which the capture becomes known.
"""

from dataclasses import dataclass, replace
from uuid import UUID

import structlog

from holdfast.domain import ordering, payments
from holdfast.domain.payments import (
    Captured,
    Closing,
    ClosingKind,
    Declined,
    Due,
    Owed,
    Progress,
    Provider,
    Voided,
)
from holdfast.kernel.clock import Clock
from holdfast.kernel.money import Money
from holdfast.platform import outbox
from holdfast.platform.db import Connection, Database, Transaction
from holdfast.workflows import refunds

_log = structlog.get_logger(__name__)

REQUESTED = "payments.closing.requested"
CAPTURED = "payments.capture.succeeded"
FAILED = "payments.capture.failed"

PROVIDER = "provider"
TIMER = "timer"

LOST = "authorization_lost"
"""The kind of the discrepancy when money set aside cannot be taken any more."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What the provider has taken and given back of a charge, in minor units."""

    taken: int
    returned: int = 0


NOTHING = Moved(0)


async def capture(
    order_id: UUID, *, db: Database, provider: Provider, clock: Clock, actor: str
) -> Closing | None:
    """Take the money of an order, if it was only set aside; for after a commit.

    Takes what the buyer keeps: the total without what was canceled. Never fails for
    what the provider says: a capture that is not certain stays pending, and the timer
    goes on. None when there is nothing to take.
    """
    async with db.transaction() as tx:
        owed = await payments.lock_money(tx, order_id)
        if owed is not None and owed.payment_status == "authorized":
            await request_capture(tx, owed, actor=actor, clock=clock)
    return await close(order_id, db=db, provider=provider, clock=clock)


async def capture_now(
    order_id: UUID, *, db: Database, provider: Provider, clock: Clock, actor: str
) -> Closing:
    """The same because an operator asks: raises what stands in its way.

    ``OrderNotFound``, or ``PaymentNotAuthorized`` when nothing is set aside, or it is
    being released. What was captured before is shown.
    """
    async with db.transaction() as tx:
        owed = await payments.lock_money(tx, order_id)
        if owed is None:
            raise ordering.OrderNotFound
        if owed.payment_status == "authorized":
            await request_capture(tx, owed, actor=actor, clock=clock)
    closing = await close(order_id, db=db, provider=provider, clock=clock)
    if closing is None or closing.kind is not ClosingKind.CAPTURE:
        raise payments.PaymentNotAuthorized(owed.payment_status)
    return closing


async def request_capture(
    tx: Transaction, owed: Owed, *, actor: str, clock: Clock
) -> bool:
    """Note that the money is to be taken; False if it is being taken or released.

    *owed* was read with the order locked.
    """
    if owed.status == "canceled" or owed.worth <= 0:
        return False
    taken = owed.money(owed.worth)
    return await _begin(
        tx, owed.id, ClosingKind.CAPTURE, taken, actor=actor, clock=clock
    )


async def request_void(
    tx: Transaction, owed: Owed, *, actor: str, clock: Clock
) -> bool:
    """Note that the money is to be released; False if it is, or is being taken."""
    return await _begin(
        tx, owed.id, ClosingKind.VOID, owed.money(0), actor=actor, clock=clock
    )


async def _begin(
    tx: Transaction,
    order_id: UUID,
    kind: ClosingKind,
    amount: Money,
    *,
    actor: str,
    clock: Clock,
) -> bool:
    now = clock()
    if not await payments.begin_closing(tx, order_id, kind, amount, by=actor, at=now):
        return False
    event = outbox.event(REQUESTED, order_id=str(order_id))
    await outbox.publish(tx, [event], at=now)
    return True


async def close(
    order_id: UUID, *, db: Database, provider: Provider, clock: Clock
) -> Closing | None:
    """Carry out what was noted; returns it as it then is, None if nothing was."""
    closing = await payments.find_closing(db, order_id)
    if closing is None or closing.status is not Progress.PENDING:
        return closing
    key = str(order_id)
    try:
        outcome: Captured | Declined | Voided
        if closing.kind is ClosingKind.CAPTURE:
            outcome = await provider.capture(key=key, amount=closing.amount)
        else:
            outcome = await provider.void(key=key)
        money = await _money(provider, closing, outcome)
    except (payments.PaymentUnavailable, payments.PaymentOutcomeUnknown):
        _log.warning("charge.still_open", order_id=key, kind=closing.kind)
        async with db.transaction() as tx:
            await payments.put_off_closing(
                tx, order_id, tries=closing.tries, at=clock()
            )
        return closing
    async with db.transaction() as tx:
        await settle(tx, order_id, outcome, money=money, actor=PROVIDER, clock=clock)
        return await payments.find_closing(tx, order_id)


async def _money(
    provider: Provider, closing: Closing, outcome: Captured | Declined | Voided
) -> Moved:
    """How much was taken; asks when somebody took what was to be released."""
    if not isinstance(outcome, Captured):
        return NOTHING
    if closing.kind is ClosingKind.CAPTURE:
        return Moved(closing.amount.amount)
    charge = await provider.find_charge(str(closing.order_id))
    if charge is None:
        raise payments.PaymentOutcomeUnknown
    return Moved(charge.captured, charge.refunded)


async def settle(
    tx: Transaction,
    order_id: UUID,
    outcome: Captured | Declined | Voided,
    *,
    money: Moved,
    actor: str,
    clock: Clock,
) -> None:
    """Write how an authorised charge ended, once, whoever says so."""
    owed = await payments.lock_money(tx, order_id)
    if owed is None or owed.payment_status != "authorized":
        return
    if isinstance(outcome, Captured):
        await _captured(tx, owed, money, actor=actor, clock=clock)
    elif isinstance(outcome, Voided) or owed.status == "canceled":
        await _released(tx, owed, actor=actor, clock=clock)
    else:
        await _lost(tx, owed, outcome.reason, clock=clock)


async def _captured(
    tx: Transaction, owed: Owed, money: Moved, *, actor: str, clock: Clock
) -> None:
    now = clock()
    await payments.end_closing(
        tx, owed.id, ClosingKind.CAPTURE, Progress.SUCCEEDED, at=now
    )
    await payments.end_closing(
        *(tx, owed.id, ClosingKind.VOID, Progress.FAILED),
        failure_reason="captured",
        at=now,
    )
    await ordering.mark_captured(
        tx, owed.id, amount=owed.money(money.taken), actor=actor, at=now
    )
    event = outbox.event(CAPTURED, order_id=str(owed.id))
    await outbox.publish(tx, [event], at=now)
    if money.taken > owed.worth and not money.returned:
        # Where some went back past the shop too, the reconciliation lists that: what
        # is left to give back, nobody here can tell.
        taken = replace(owed, captured=money.taken)
        await refunds.give_back_surplus(tx, taken, actor=actor, clock=clock)


async def _released(tx: Transaction, owed: Owed, *, actor: str, clock: Clock) -> None:
    now = clock()
    await payments.end_closing(
        tx, owed.id, ClosingKind.VOID, Progress.SUCCEEDED, at=now
    )
    await ordering.mark_voided(tx, owed.id, actor=actor, at=now)


async def _lost(tx: Transaction, owed: Owed, reason: str, *, clock: Clock) -> None:
    """The order stands and its money is gone: a person decides."""
    now = clock()
    await payments.end_closing(
        *(tx, owed.id, ClosingKind.CAPTURE, Progress.FAILED),
        failure_reason=reason,
        at=now,
    )
    await payments.note_discrepancy(
        *(tx, LOST, str(owed.id)),
        order_id=owed.id,
        detail={"reason": reason, "amount": owed.worth, "currency": owed.currency},
        at=now,
    )
    event = outbox.event(FAILED, order_id=str(owed.id), reason=reason)
    await outbox.publish(tx, [event], at=now)


async def check_lost(connection: Connection, order_id: UUID) -> None:
    """Raise ``CaptureUnderWay`` unless it is certain that money set aside is lost.

    Until the provider has said, nobody knows what there is to give back. Once it has
    refused for good that is nothing, and goods come back all the same.
    """
    closing = await payments.find_closing(connection, order_id)
    if closing is None or closing.status is not Progress.FAILED:
        raise payments.CaptureUnderWay


async def close_due(
    db: Database, provider: Provider, *, clock: Clock, limit: int = 100
) -> int:
    """Carry out everything that is due; returns how many charges ended."""
    await _begin_forgotten(db, clock=clock, limit=limit)
    ended, last, now = 0, None, clock()
    while True:
        due: list[Due] = await payments.due_closings(
            db, now=now, limit=limit, beyond=last
        )
        for one in due:
            try:
                closing = await close(one.id, db=db, provider=provider, clock=clock)
            except Exception:  # noqa: BLE001 - the next charge is not to blame
                _log.exception("charge.not_closed", order_id=str(one.id))
            else:
                ended += closing is not None and closing.status is not Progress.PENDING
        if len(due) < limit:
            return ended
        last = due[-1]


async def _begin_forgotten(db: Database, *, clock: Clock, limit: int) -> None:
    """Note what a process died before it could: shipped or canceled, and still open."""
    for order_id in await payments.left_open(db, limit=limit):
        async with db.transaction() as tx:
            owed = await payments.lock_money(tx, order_id)
            if owed is None or owed.payment_status != "authorized":
                continue
            if owed.status == "canceled":
                await request_void(tx, owed, actor=TIMER, clock=clock)
            else:
                await request_capture(tx, owed, actor=TIMER, clock=clock)
