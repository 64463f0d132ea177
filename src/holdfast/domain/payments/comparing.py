"""How the provider's books and ours differ, and what of that is certain.

Pure: a charge or refund of theirs, and what we know of it. What is certain is
repaired: money captured for an order that still waits belongs to it, and money
captured for one that failed, or that is canceled, does not. The rest is a difference,
for a person.
"""

from enum import StrEnum
from typing import TypeAlias

from holdfast.domain.payments.books import Owed
from holdfast.domain.payments.model import Charge, ChargeRefund, Progress, Refund


class Repair(StrEnum):
    """What can be done without asking anybody."""

    SETTLE = "settled"
    """The order waits, and the provider knows the outcome."""
    CLOSE = "closed"
    """The authorised charge has ended there."""
    GIVE_BACK = "given_back"
    """Captured for an order that owes nothing: failed, voided or canceled."""
    RELEASE = "released"
    """Set aside, or waiting for its buyer, for an order that owes nothing."""
    SETTLE_REFUND = "refund_settled"
    """Our refund waits, and the provider knows the outcome."""


class Difference(StrEnum):
    """What a person has to look at."""

    UNKNOWN_CHARGE = "unknown_charge"
    """Money under a key that is no order's."""
    AMOUNT_DIFFERS = "amount_differs"
    """Another amount or currency than the order's."""
    CHARGED_FOR_NOTHING = "charged_for_nothing"
    """Captured for an order that owes nothing, and giving it back failed."""
    KEPT_TOO_MUCH = "kept_too_much"
    """More is kept than the order is worth: mostly because a refund failed."""
    RETURN_UNPAID = "return_unpaid"
    """Goods came back, and the refund for them failed."""
    CAPTURED_TOO_LITTLE = "captured_too_little"
    """Less was captured than the order is worth."""
    NOT_CAPTURED = "not_captured"
    """Paid here; there nothing was captured."""
    AUTHORIZATION_LOST = "authorization_lost"
    """Set aside here; there it is not any more."""
    UNKNOWN_AT_PROVIDER = "unknown_at_provider"
    """Paid here; there nobody has heard of it."""
    REFUNDS_DIFFER = "refunds_differ"
    """Given back there: another sum than here."""
    UNKNOWN_REFUND = "unknown_refund"
    """Given back under a key that is no refund's of ours."""
    REFUND_DIFFERS = "refund_differs"
    """A refund has another amount or end there."""
    REFUND_UNKNOWN_AT_PROVIDER = "refund_unknown_at_provider"
    """Given back here; there nobody has heard of it."""


Verdict: TypeAlias = Repair | Difference | None
"""None: both books say the same."""

_PAID = frozenset({"captured", "partially_refunded", "refunded"})
_OVER = frozenset({"declined", "canceled"})


def compare_charge(theirs: Charge, ours: Owed | None) -> Verdict:
    """Hold a charge of the provider against the order it is for."""
    if ours is None:
        held = theirs.status in ("captured", "authorized")
        return Difference.UNKNOWN_CHARGE if held else None
    if theirs.status in _OVER:
        return _ended(ours)
    if theirs.amount != ours.total_money:
        return Difference.AMOUNT_DIFFERS
    if theirs.status == "captured":
        return _captured(theirs, ours)
    return _waiting(theirs, ours)


def _ended(ours: Owed) -> Verdict:
    """Nothing is captured or held there, and nothing ever will."""
    if ours.payment_status == "pending":
        return Repair.SETTLE
    if ours.payment_status == "authorized":
        if ours.status == "canceled":
            return Repair.CLOSE
        return Difference.AUTHORIZATION_LOST
    if ours.payment_status in _PAID and ours.captured > 0:
        return Difference.NOT_CAPTURED
    return None


def _captured(theirs: Charge, ours: Owed) -> Verdict:
    if ours.payment_status == "pending":
        whole = theirs.captured == ours.total
        return Repair.SETTLE if whole else Difference.AMOUNT_DIFFERS
    if ours.payment_status == "authorized":
        return Repair.CLOSE
    if ours.payment_status not in _PAID:
        left = theirs.captured > theirs.refunded
        return Repair.GIVE_BACK if left else None
    if theirs.captured != ours.captured:
        return Difference.AMOUNT_DIFFERS
    if not ours.refunded <= theirs.refunded <= ours.refunded + ours.refunding:
        return Difference.REFUNDS_DIFFER
    return _worth(ours)


def _worth(ours: Owed) -> Verdict:
    """Both say the same; what is kept may still not be what the order is worth.

    Of an order that goes on a person decides: what it is worth rests on its lines,
    and the buyer gets something for the money.
    """
    if ours.surplus > 0:
        canceled = ours.status == "canceled"
        return Repair.GIVE_BACK if canceled else Difference.KEPT_TOO_MUCH
    if ours.unpaid:
        return Difference.RETURN_UNPAID
    if ours.captured < ours.worth:
        return Difference.CAPTURED_TOO_LITTLE
    return None


def _waiting(theirs: Charge, ours: Owed) -> Verdict:
    """Held there for the shop, or waiting for its buyer."""
    if ours.payment_status == "pending":
        return Repair.SETTLE if theirs.status == "authorized" else None
    if ours.payment_status == "authorized":
        held = theirs.status == "authorized"
        return None if held else Difference.AUTHORIZATION_LOST
    if ours.payment_status in _PAID:
        return Difference.NOT_CAPTURED
    return Repair.RELEASE


def compare_refund(theirs: ChargeRefund, ours: Refund | None) -> Verdict:
    """Hold a refund of the provider against ours."""
    moved = theirs.status in ("succeeded", "pending")
    if ours is None:
        return Difference.UNKNOWN_REFUND if moved else None
    same = (theirs.charge_key, theirs.amount) == (str(ours.order_id), ours.amount)
    if moved and not same:
        return Difference.REFUND_DIFFERS
    if ours.status is Progress.PENDING:
        return None if theirs.status == "pending" else Repair.SETTLE_REFUND
    if ours.status is Progress.SUCCEEDED:
        return None if theirs.status == "succeeded" else Difference.REFUND_DIFFERS
    return Difference.REFUND_DIFFERS if moved else None


def compare_absent_charge(ours: Owed) -> Verdict:
    """An order that the provider has no charge for."""
    if ours.paid_outside:
        return None
    if ours.total > 0 and ours.payment_status in _PAID | {"authorized"}:
        return Difference.UNKNOWN_AT_PROVIDER
    return None


def compare_absent_refund(ours: Refund) -> Verdict:
    """A refund that the provider has not heard of."""
    if ours.status is Progress.SUCCEEDED:
        return Difference.REFUND_UNKNOWN_AT_PROVIDER
    return None
