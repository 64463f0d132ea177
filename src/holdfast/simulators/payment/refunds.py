"""What was given back: never more than was captured, each key once.

Money of a pending refund is held: it cannot be given back twice. A pending one
settles by itself when its time has come by the clock, or when it is told to.

Memory: about 0.5 KB a refund, a million of them at most.
"""

import uuid
from collections import Counter

import msgspec

from holdfast.simulators.payment.charge import Entry
from holdfast.simulators.payment.ledger import KeyReused, Ledger, Line, WrongState
from holdfast.simulators.payment.methods import METHODS, REFUND_WAIT, Method
from holdfast.simulators.payment.refund import (
    Refund,
    RefundEntry,
    RefundRequest,
    RefundStatus,
)
from holdfast.simulators.register import Register

MAX_REFUNDS = 1_000_000
_FAILURE = "refund_declined"
_UNKNOWN = Method()


class RefundExceedsCharge(Exception):
    """More than was captured and is not refunded yet; carries what is left."""


class Refunds:
    def __init__(self, ledger: Ledger, *, max_refunds: int = MAX_REFUNDS) -> None:
        self.entries: Register[RefundEntry] = Register(most=max_refunds, what="refunds")
        self._ledger = ledger
        self._counts: Counter[RefundStatus] = Counter()
        self._succeeded: Counter[str] = Counter()
        for read in ledger.refunds:
            entry = self.entries.find(read.refund.key) or read
            self._remember(entry, read.refund)
        ledger.refunds.clear()
        for entry in self.entries.page(start=0, limit=len(self.entries)):
            self._plan(entry)

    def find(self, key: str) -> Refund | None:
        entry = self.entries.find(key)
        return entry.refund if entry else None

    def known(self, key: str, request: RefundRequest) -> Refund | None:
        """What became of the key before. Raises ``KeyReused``."""
        refund = self.find(key)
        if refund is not None and not refund.is_for(request):
            raise KeyReused(key)
        return refund

    def refund(self, key: str, request: RefundRequest, charge: Entry) -> Refund:
        """Make a new one. ``OSError``: nothing was refunded.

        Raises ``WrongState``, ``RefundExceedsCharge``.
        """
        if charge.charge.status != "captured":
            raise WrongState(charge.charge.status)
        left = charge.charge.captured_amount - charge.charge.refunded_amount
        if request.amount > left:
            raise RefundExceedsCharge(left)
        self.entries.check_room()
        how = METHODS.get(charge.payment_method or "", _UNKNOWN).refunds
        waits = how in {"wait", "wait_then_fail"}
        failed = how == "fail"
        refund = Refund(
            id=f"re_{uuid.uuid4().hex}",
            key=key,
            charge_key=request.charge_key,
            status="pending" if waits else "failed" if failed else "succeeded",
            amount=request.amount,
            currency=request.currency,
            reason=request.reason,
            failure_reason=_FAILURE if failed else None,
            created_at=self._ledger.clock.text(),
        )
        due = self._ledger.clock.now() + REFUND_WAIT if waits else None
        entry = RefundEntry(refund, due, how == "wait_then_fail")
        self._record(entry, refund)
        self._plan(entry)
        return refund

    def cancel(self, key: str) -> Refund:
        """What became of the key; if nothing has, nothing ever will."""
        known = self.entries.find(key)
        if known is not None:
            if known.refund.status == "pending":
                return self._change(known, status="canceled")
            return known.refund
        self.entries.check_room()
        tombstone = Refund(
            id=f"re_{uuid.uuid4().hex}",
            key=key,
            charge_key="",
            status="canceled",
            amount=0,
            currency="XXX",
            reason="",
            failure_reason=None,
            created_at=self._ledger.clock.text(),
        )
        self._record(RefundEntry(tombstone), tombstone)
        return tombstone

    def complete(self, entry: RefundEntry, *, fails: bool) -> Refund:
        """Settle a pending one. Raises ``WrongState``."""
        wanted: RefundStatus = "failed" if fails else "succeeded"
        if entry.refund.status == wanted:
            return entry.refund
        if entry.refund.status != "pending":
            raise WrongState(entry.refund.status)
        reason = _FAILURE if fails else None
        return self._change(entry, status=wanted, failure_reason=reason)

    def count(self, status: RefundStatus) -> int:
        return self._counts[status]

    def succeeded_by_currency(self) -> dict[str, int]:
        return dict(sorted(self._succeeded.items()))

    def clear(self) -> None:
        """The journal is the ledger's to clear."""
        self.entries.clear()
        self._counts.clear()
        self._succeeded.clear()

    def _plan(self, entry: RefundEntry) -> None:
        if entry.refund.status == "pending" and entry.due is not None:
            self._ledger.clock.at(entry.due, lambda _: self._settle(entry))

    def _settle(self, entry: RefundEntry) -> None:
        if entry.refund.status != "pending":
            return
        try:
            self.complete(entry, fails=entry.fails)
        except OSError:
            # The disk is full: it stays pending, and is tried again.
            entry.due = self._ledger.clock.now() + REFUND_WAIT
            self._plan(entry)

    def _change(self, entry: RefundEntry, **changes: object) -> Refund:
        refund = msgspec.structs.replace(entry.refund, **changes)
        self._record(entry, refund)
        return refund

    def _record(self, entry: RefundEntry, refund: Refund) -> None:
        self._ledger.write(Line(refund=refund, due=entry.due, fails=entry.fails))
        self._remember(entry, refund)
        if refund.charge_key:
            kind = f"refund.{refund.status}"
            self._ledger.listener(kind, subject=refund.key, data=refund)

    def _remember(self, entry: RefundEntry, refund: Refund) -> None:
        known = self.entries.find(refund.key)
        if known is None:
            self.entries.put(refund.key, entry, created_at=refund.created_at)
        else:
            self._count(entry.refund, -1)
        entry.refund = refund
        self._count(refund, 1)

    def _count(self, refund: Refund, one: int) -> None:
        self._counts[refund.status] += one
        if refund.status == "succeeded":
            self._succeeded[refund.currency] += one * refund.amount
        self._ledger.hold(refund.charge_key, one * refund.holds)
