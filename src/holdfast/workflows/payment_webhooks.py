"""What the payment provider tells by itself becomes true here, once.

A message was verified before it comes here. Its id is noted in the transaction of its
effect, so that a copy, however late, changes nothing; and since each effect is "if it
is still so", messages may come in any order, and before the answer of the request
they are about. What does not fit is written down as a difference.
"""

from typing import Literal, TypeAlias
from uuid import UUID

import structlog

from holdfast.domain import ordering, payments
from holdfast.domain.payments import (
    Captured,
    Charge,
    ChargeRefund,
    Declined,
    Difference,
    Owed,
    Repair,
    Told,
)
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database, Transaction
from holdfast.platform.vault import Vault
from holdfast.workflows import capture, refunds, settlement

Result: TypeAlias = Literal["done", "nothing_new", "duplicate", "ignored", "differs"]
"""What came of a message: acted on, known already, seen before, of a type we do not
act on, or in conflict with our books."""

PROVIDER = "provider"

# A message says how things were when it was written.
_NOT_FINAL = frozenset({"requires_action", "authorized", "captured", "pending"})
_MAYBE_OLD = frozenset(
    {
        Difference.NOT_CAPTURED,
        Difference.AUTHORIZATION_LOST,
        Difference.REFUNDS_DIFFER,
        Difference.REFUND_DIFFERS,
    }
)

_log = structlog.get_logger(__name__)


async def receive(told: Told, *, db: Database, vault: Vault, clock: Clock) -> Result:
    """Make one message true, in one transaction."""
    if told.about is None:
        return "ignored"
    if isinstance(told.about, Charge) and await _is_known(db, told.about):
        return "nothing_new"
    async with db.transaction() as tx:
        if not await payments.note_event(tx, told.id, told.type, at=clock()):
            return "duplicate"
        if isinstance(told.about, Charge):
            result = await _charge(tx, vault, told.about, clock=clock)
        else:
            result = await _refund(tx, told.about, clock=clock)
    if result == "differs":
        _log.warning("webhook.differs", event_id=told.id, type=told.type)
    return result


async def _is_known(db: Database, theirs: Charge) -> bool:
    """Whether our books say so already, as after nearly every checkout.

    Then the message has no effect, now or when it comes again: one look is enough.
    """
    order_id = id_of(theirs.key)
    if order_id is None or theirs.status == "requires_action":
        return False
    ours = (await payments.owed(db, [order_id])).get(order_id)
    return ours is not None and payments.compare_charge(theirs, ours) is None


async def _charge(
    tx: Transaction, vault: Vault, theirs: Charge, *, clock: Clock
) -> Result:
    order_id = id_of(theirs.key)
    ours = None if order_id is None else await payments.lock_money(tx, order_id)
    verdict = payments.compare_charge(theirs, ours)
    if ours is not None and verdict is None and theirs.status == "requires_action":
        # Before the answer of the checkout, or in place of one that was lost.
        return await _action(tx, theirs, ours, clock=clock)
    if isinstance(verdict, Difference):
        return await _differs(tx, verdict, theirs, order_id, clock=clock)
    if ours is None or verdict is None or verdict is Repair.RELEASE:
        # A message may be late: whether money is still held for an order that owes
        # nothing, the provider knows, and the reconciliation asks it.
        return "nothing_new"
    await act_on_charge(tx, vault, verdict, theirs, ours, clock=clock)
    return "done"


async def act_on_charge(
    tx: Transaction,
    vault: Vault,
    repair: Repair,
    theirs: Charge,
    ours: Owed,
    *,
    clock: Clock,
) -> bool:
    """Do what is certain about a charge; *ours* was read with the order locked.

    False if that was begun before.
    """
    if repair is Repair.SETTLE:
        order = await ordering.find(tx, vault, ours.id)
        outcome = payments.outcome_of(theirs, str(ours.id), ours.total_money)
        await settlement.settle(tx, vault, order, outcome, clock=clock, actor=PROVIDER)
    elif repair is Repair.CLOSE:
        ended: Captured | Declined = Captured(theirs.reference)
        if theirs.status != "captured":
            ended = Declined(theirs.decline_reason or theirs.status)
        await capture.settle(
            *(tx, ours.id, ended),
            money=capture.Moved(theirs.captured, theirs.refunded),
            actor=PROVIDER,
            clock=clock,
        )
    elif repair is Repair.GIVE_BACK:
        if ours.captured:
            # Canceled: it is money of the order, and goes back as any other.
            surplus = await refunds.give_back_surplus(
                tx, ours, actor=PROVIDER, clock=clock
            )
            return surplus is not None
        left = ours.money(theirs.captured - theirs.refunded)
        refund_id = await refunds.give_back_stray(
            tx, ours, left, actor=PROVIDER, clock=clock
        )
        return refund_id is not None
    return True


async def _action(
    tx: Transaction, theirs: Charge, ours: Owed, *, clock: Clock
) -> Result:
    if ours.payment_status != "pending":
        return "nothing_new"
    action = payments.outcome_of(theirs, str(ours.id), ours.total_money)
    assert isinstance(action, payments.ActionRequired)  # noqa: S101 - it has an address
    await payments.note_action(tx, ours.id, action, at=clock())
    return "done"


async def _refund(tx: Transaction, theirs: ChargeRefund, *, clock: Clock) -> Result:
    refund_id = id_of(theirs.key)
    found = {} if refund_id is None else await payments.refunds_by_key(tx, [refund_id])
    ours = next(iter(found.values()), None)
    verdict = payments.compare_refund(theirs, ours)
    if isinstance(verdict, Difference):
        order_id = None if ours is None else ours.order_id
        return await _differs(tx, verdict, theirs, order_id, clock=clock)
    if ours is None or verdict is None:
        return "nothing_new"
    ended = await act_on_refund(tx, theirs, ours, clock=clock)
    return "done" if ended else "nothing_new"


async def act_on_refund(
    tx: Transaction, theirs: ChargeRefund, ours: payments.Refund, *, clock: Clock
) -> bool:
    """Write how a refund of ours ended there; False if that is known."""
    outcome = payments.refund_outcome_of(
        theirs, key=str(ours.id), charge_key=str(ours.order_id), amount=ours.amount
    )
    return await refunds.settle(tx, ours, outcome, actor=PROVIDER, clock=clock)


async def _differs(
    tx: Transaction,
    kind: Difference,
    theirs: Charge | ChargeRefund,
    order_id: UUID | None,
    *,
    clock: Clock,
) -> Result:
    """Write a difference down, unless the message may only be older than our books."""
    if kind in _MAYBE_OLD and theirs.status in _NOT_FINAL:
        return "nothing_new"
    await note_difference(
        tx, kind, theirs.key, theirs=theirs, order_id=order_id, clock=clock
    )
    return "differs"


async def note_difference(
    tx: Transaction,
    kind: Difference,
    key: str,
    *,
    theirs: Charge | ChargeRefund | None,
    order_id: UUID | None,
    clock: Clock,
) -> bool:
    """Write down what a person has to look at; returns whether it is new."""
    detail: dict[str, str | int | None] = {}
    if theirs is not None:
        detail = {
            "reference": theirs.reference,
            "status": theirs.status,
            "amount": theirs.amount.amount,
            "currency": theirs.amount.currency,
        }
    if isinstance(theirs, Charge):
        detail |= {"captured": theirs.captured, "refunded": theirs.refunded}
    return await payments.note_discrepancy(
        tx, kind, key, order_id=order_id, detail=detail, at=clock()
    )


def id_of(key: str) -> UUID | None:
    """The id that a key of ours is; None for a key that is not ours."""
    try:
        found = UUID(key)
    except ValueError:
        return None
    # "{...}" and "urn:uuid:..." are ids too, and never keys.
    return found if str(found) == key else None
