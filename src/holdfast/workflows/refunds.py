"""Money that goes back: promised in the commit of its cause, carried out after it.

``request`` writes the refund down and takes its amount from what the order can still
give back, in one transaction; two at once cannot promise more than was captured,
because the database refuses. ``carry_out`` asks the provider, with the refund's id as
the key, and may run any number of times: right after the commit, by the worker's task,
by a timer for what died in between. A webhook or the reconciliation may be first.
Whoever learns the outcome first writes it.
"""

from datetime import datetime
from uuid import UUID, uuid5

import structlog

from holdfast.domain import ordering, payments
from holdfast.domain.ordering import Order
from holdfast.domain.payments import (
    Due,
    Owed,
    Progress,
    Provider,
    Refund,
    RefundOutcome,
    RefundPending,
    RefundSucceeded,
)
from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.platform import outbox
from holdfast.platform.db import Database, Transaction
from holdfast.platform.vault import Vault

_log = structlog.get_logger(__name__)

REQUESTED = "payments.refund.requested"
SUCCEEDED = "payments.refund.succeeded"
FAILED = "payments.refund.failed"

PROVIDER = "provider"
STRAY = "charged_for_nothing"
CANCELED = "canceled"
SURPLUS = "captured_too_much"
OUTSIDE = "external"

# After some four hours of silence a refund that never arrived is given up for good:
# it can be tried again under another key then.
_GIVE_UP_AFTER_TRIES = 50


async def request(
    tx: Transaction,
    order: Order | Owed,
    amount: Money,
    *,
    reason: str,
    actor: str,
    clock: Clock,
    retry_of: UUID | None = None,
    refund_id: UUID | None = None,
) -> UUID:
    """Promise a buyer money back; returns the id of the refund.

    Raises ``RefundExceedsCaptured`` when there is less left to give back. Carry it
    out after the commit, or leave it to the worker.
    """
    now = clock()
    if not await ordering.claim_refund(tx, order.id, amount, at=now):
        raise payments.RefundExceedsCaptured(await _refundable(tx, order))
    refund = Refund(
        id=refund_id or new_id(),
        order_id=order.id,
        amount=amount,
        status=Progress.PENDING,
        reason=reason,
        requested_by=actor,
        requested_at=now,
        retry_of=retry_of,
    )
    await payments.add_refund(tx, refund)
    await _announce(tx, REQUESTED, refund, at=now)
    return refund.id


async def retry(
    refund_id: UUID, *, db: Database, vault: Vault, actor: str, clock: Clock
) -> UUID:
    """Try a failed refund again, under another key; returns its id.

    Raises ``RefundNotFailed``, also when it was tried again before.
    """
    async with db.transaction() as tx:
        failed = await payments.find_refund(tx, refund_id)
        if failed.status is not Progress.FAILED or failed.stray:
            raise payments.RefundNotFailed(failed.status)
        return await request(
            tx,
            await ordering.find(tx, vault, failed.order_id),
            failed.amount,
            reason=failed.reason,
            actor=actor,
            clock=clock,
            retry_of=failed.id,
        )


async def give_back_surplus(
    tx: Transaction, owed: Owed, *, actor: str, clock: Clock
) -> UUID | None:
    """Promise back what is kept of an order beyond what it is worth.

    *owed* was read with the order locked, so that it is promised once. None when there
    is nothing, or when giving it back was tried and failed: then a person has to look.
    """
    if owed.surplus <= 0 or await _has_failed(tx, owed.id):
        return None
    return await request(
        *(tx, owed, owed.money(owed.surplus)),
        reason=CANCELED if owed.status == "canceled" else SURPLUS,
        actor=actor,
        clock=clock,
    )


async def _has_failed(tx: Transaction, order_id: UUID) -> bool:
    """Whether a refund failed that nobody has tried again."""
    known = await payments.refunds_of(tx, order_id)
    again = {refund.retry_of for refund in known}
    return any(
        refund.status is Progress.FAILED and refund.id not in again
        for refund in known
        if not refund.stray
    )


async def give_back_stray(
    tx: Transaction, owed: Owed, amount: Money, *, actor: str, clock: Clock
) -> UUID | None:
    """Promise back what was charged for an order that owes nothing.

    Its id follows from the order's, so that whoever finds the money, and however often,
    gives it back once. None if it is on its way, or was tried and failed: then a person
    has to look.
    """
    now = clock()
    refund = Refund(
        id=stray_id(owed.id),
        order_id=owed.id,
        amount=amount,
        status=Progress.PENDING,
        reason=STRAY,
        requested_by=actor,
        requested_at=now,
        stray=True,
    )
    if not await payments.add_refund(tx, refund):
        return None
    await _announce(tx, REQUESTED, refund, at=now)
    return refund.id


def stray_id(order_id: UUID) -> UUID:
    """The key under which stray money of an order goes back."""
    return uuid5(order_id, "stray refund")


async def carry_out(
    refund_id: UUID, *, db: Database, provider: Provider, clock: Clock
) -> Refund:
    """Ask the provider to give the money back; returns the refund as it then is.

    One that is not certain, or that the provider has not ended, stays pending.
    """
    refund = await payments.find_refund(db, refund_id)
    if refund.status is not Progress.PENDING:
        return refund
    try:
        outcome = await _ask(db, provider, refund)
    except (payments.PaymentUnavailable, payments.PaymentOutcomeUnknown):
        _log.warning("refund.still_pending", refund_id=str(refund.id))
        async with db.transaction() as tx:
            await payments.put_off_refund(tx, refund.id, tries=refund.tries, at=clock())
        return refund
    async with db.transaction() as tx:
        await settle(tx, refund, outcome, actor=PROVIDER, clock=clock)
        return await payments.find_refund(tx, refund.id)


async def settle(
    tx: Transaction,
    refund: Refund,
    outcome: RefundOutcome,
    *,
    actor: str,
    clock: Clock,
) -> bool:
    """Write what became of a refund; False if it had ended before."""
    now = clock()
    if isinstance(outcome, RefundPending):
        await payments.put_off_refund(
            *(tx, refund.id),
            tries=refund.tries,
            reference=outcome.reference,
            at=now,
        )
        return False
    # The order before the refund, as whoever asks for one does: else each waits for the
    # other when a failed refund is tried again by two.
    await payments.lock_money(tx, refund.order_id)
    if isinstance(outcome, RefundSucceeded):
        ended = await payments.end_refund(
            tx, refund.id, Progress.SUCCEEDED, reference=outcome.reference, at=now
        )
        if ended and not refund.stray:
            await ordering.mark_refunded(
                tx, refund.order_id, refund.amount, actor=actor, at=now
            )
    else:
        ended = await payments.end_refund(
            tx, refund.id, Progress.FAILED, failure_reason=outcome.reason, at=now
        )
        if ended and not refund.stray:
            await ordering.drop_refund(
                tx, refund.order_id, refund.amount, actor=actor, at=now
            )
    if ended:
        word = SUCCEEDED if isinstance(outcome, RefundSucceeded) else FAILED
        await _announce(tx, word, refund, at=now)
    return ended


async def carry_out_due(
    db: Database, provider: Provider, *, clock: Clock, limit: int = 100
) -> int:
    """Carry out every refund that is due; returns how many ended."""
    ended, last, now = 0, None, clock()
    while True:
        due: list[Due] = await payments.due_refunds(
            db, now=now, limit=limit, beyond=last
        )
        for one in due:
            try:
                refund = await carry_out(one.id, db=db, provider=provider, clock=clock)
            except Exception:  # noqa: BLE001 - the next refund is not to blame
                _log.exception("refund.not_carried_out", refund_id=str(one.id))
            else:
                ended += refund.status is not Progress.PENDING
        if len(due) < limit:
            return ended
        last = due[-1]


async def _refundable(tx: Transaction, order: Order | Owed) -> Money:
    owed = (await payments.owed(tx, [order.id]))[order.id]
    return owed.money(owed.kept)


async def _ask(db: Database, provider: Provider, refund: Refund) -> RefundOutcome:
    owed = (await payments.owed(db, [refund.order_id]))[refund.order_id]
    if owed.paid_outside:
        # It goes back as it came: by the shop's own hands.
        return RefundSucceeded(OUTSIDE)
    key, charge_key = str(refund.id), str(refund.order_id)
    if refund.reference is not None or refund.tries >= _GIVE_UP_AFTER_TRIES:
        # The provider has it and takes its time; or nobody has ever answered.
        return await provider.settle_refund(
            key=key, charge_key=charge_key, amount=refund.amount
        )
    return await provider.refund(
        key=key, charge_key=charge_key, amount=refund.amount, reason=refund.reason
    )


async def _announce(
    tx: Transaction, type_: str, refund: Refund, *, at: datetime
) -> None:
    event = outbox.event(type_, refund_id=str(refund.id), order_id=str(refund.order_id))
    await outbox.publish(tx, [event], at=at)
