"""What was charged, by key: each key has one outcome, for good.

Nothing here awaits, so on one event loop two requests with one key cannot both
be the first. A change is in the journal before it is in memory, and whoever
listens is told of it after both.

Memory: about 0.7 KB a charge, a million of them at most; then new keys are
refused, because a provider may refuse money but never forget it.
"""

import sys
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Protocol, TypeAlias

import msgspec

from holdfast.simulators.clock import Clock
from holdfast.simulators.journal import Journal
from holdfast.simulators.payment.charge import (
    Capture,
    Charge,
    ChargeRequest,
    Entry,
    Redirect,
    Status,
)
from holdfast.simulators.payment.refund import Refund, RefundEntry
from holdfast.simulators.register import Register
from holdfast.simulators.webhooks import Ended, Note

MAX_CHARGES = 1_000_000


class Line(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A line of the journal: a charge or a refund as it is now, or a webhook."""

    charge: Charge | None = None
    payment_method: str | None = None
    capture: Capture = "automatic"
    return_url: str | None = None
    challenged: bool = False
    refund: Refund | None = None
    due: int | None = None
    fails: bool = False
    webhook: Note | None = None
    webhook_ended: Ended | None = None


class KeyReused(Exception):
    """The key belongs to something that was asked for differently."""


class WrongState(Exception):
    """The charge is no longer, or not yet, what this takes."""


class Listener(Protocol):
    """Told of each change; a tombstone is none."""

    def __call__(self, kind: str, *, subject: str, data: object) -> None: ...


Challenge: TypeAlias = Callable[[str], str]
"""The page on which a buyer approves the charge of that id."""


class Ledger:
    """*undelivered* and *refunds* are what else the journal had."""

    def __init__(
        self,
        journal: Journal[Line] | None = None,
        *,
        clock: Clock | None = None,
        max_charges: int = MAX_CHARGES,
    ) -> None:
        self.clock = clock or Clock()
        self.listener: Listener = _nobody
        self.entries: Register[Entry] = Register(most=max_charges, what="charges")
        self._journal = journal
        self._challenged: dict[str, Entry] = {}
        self._counts: Counter[Status] = Counter()
        self._captured: Counter[str] = Counter()
        self._authorized: Counter[str] = Counter()
        self.refunds: list[RefundEntry] = []
        self.undelivered: dict[str, Note] = {}
        for line in journal.entries() if journal else ():
            self._read(line)

    def find(self, key: str) -> Charge | None:
        entry = self.entries.find(key)
        return entry.charge if entry else None

    def charge(
        self,
        key: str,
        request: ChargeRequest,
        *,
        decline_reason: str | None,
        challenge: Challenge | None = None,
    ) -> tuple[Charge, bool]:
        """The key's charge, and whether it is new. ``OSError``: nothing charged."""
        known = self.entries.find(key)
        if known is not None:
            if not known.is_for(request):
                raise KeyReused(key)
            return known.charge, False
        self.entries.check_room()
        charge_id = f"ch_{uuid.uuid4().hex}"
        status = _first_status(request, decline_reason, challenge)
        charge = Charge(
            id=charge_id,
            key=key,
            status=status,
            amount=request.amount,
            currency=sys.intern(request.currency),
            reference=request.reference,
            decline_reason=None if challenge else decline_reason,
            created_at=self.clock.text(),
            captured_amount=request.amount if status == "captured" else 0,
            next_action=Redirect(challenge(charge_id)) if challenge else None,
        )
        entry = Entry(
            charge,
            sys.intern(request.payment_method),
            request.capture,
            request.return_url,
            challenge is not None,
        )
        self._record(entry, charge)
        return charge, True

    def capture(self, entry: Entry, amount: int | None) -> Charge:
        """Take *amount* of what was authorized, and release the rest.

        Raises ``WrongState``, and ``ValueError`` for more than was authorized.
        """
        charge = entry.charge
        if charge.status == "captured" and amount in {None, charge.captured_amount}:
            return charge
        if charge.status != "authorized":
            raise WrongState(charge.status)
        if amount is not None and amount > charge.amount:
            raise ValueError(amount)
        taken = charge.amount if amount is None else amount
        return self._change(entry, status="captured", captured_amount=taken)

    def void(self, entry: Entry) -> Charge:
        """Release what was authorized. Raises ``WrongState``."""
        if entry.charge.status == "canceled":
            return entry.charge
        if entry.charge.status != "authorized":
            raise WrongState(entry.charge.status)
        return self._change(entry, status="canceled")

    def cancel(self, key: str) -> Charge:
        """What became of the key; if nothing has, nothing ever will."""
        known = self.entries.find(key)
        if known is not None:
            if known.charge.status in {"authorized", "requires_action"}:
                return self._change(known, status="canceled", next_action=None)
            return known.charge
        self.entries.check_room()
        tombstone = Charge(
            id=f"ch_{uuid.uuid4().hex}",
            key=key,
            status="canceled",
            amount=0,
            currency="XXX",
            reference="",
            decline_reason=None,
            created_at=self.clock.text(),
        )
        self._record(Entry(tombstone), tombstone)
        return tombstone

    def complete(self, entry: Entry, *, decline_reason: str | None) -> Charge:
        """The buyer has decided. Raises ``WrongState`` when it was not to be."""
        if entry.charge.status != "requires_action":
            raise WrongState(entry.charge.status)
        if decline_reason is not None:
            return self._change(
                entry,
                status="declined",
                decline_reason=decline_reason,
                next_action=None,
            )
        if entry.capture == "manual":
            return self._change(entry, status="authorized", next_action=None)
        amount = entry.charge.amount
        return self._change(
            entry, status="captured", captured_amount=amount, next_action=None
        )

    def challenged(self, charge_id: str) -> Entry | None:
        """The charge of that id that a buyer was asked about."""
        return self._challenged.get(charge_id)

    def count(self, status: Status) -> int:
        return self._counts[status]

    def captured_by_currency(self) -> dict[str, int]:
        return dict(sorted(self._captured.items()))

    def authorized_by_currency(self) -> dict[str, int]:
        return dict(sorted((+self._authorized).items()))

    def page(self, *, start: int, limit: int) -> list[Charge]:
        return [entry.charge for entry in self.entries.page(start=start, limit=limit)]

    def last(self, limit: int) -> list[Charge]:
        """The newest first."""
        return [entry.charge for entry in self.entries.last(limit)]

    def __len__(self) -> int:
        return len(self.entries)

    def write(self, line: Line) -> None:
        """Write what belongs into the same file; ``OSError``: it is not there."""
        if self._journal:
            self._journal.append(line)

    def keep_webhook(self, what: Note | Ended) -> None:
        """As far as the disk allows: what happened has happened anyway."""
        try:
            if isinstance(what, Note):
                self.write(Line(webhook=what))
            else:
                self.write(Line(webhook_ended=what))
        except OSError:
            return

    def hold(self, key: str, amount: int) -> None:
        """So much more of the charge is refunded, or less; not a change of its own."""
        entry = self.entries.find(key)
        if entry is not None and amount:
            refunded = entry.charge.refunded_amount + amount
            entry.charge = msgspec.structs.replace(
                entry.charge, refunded_amount=refunded
            )

    def clear(self) -> None:
        if self._journal:
            self._journal.clear()
        self.entries.clear()
        self._challenged.clear()
        self._counts.clear()
        self._captured.clear()
        self._authorized.clear()

    def _change(self, entry: Entry, **changes: object) -> Charge:
        charge = msgspec.structs.replace(entry.charge, **changes)
        self._record(entry, charge)
        return charge

    def _record(self, entry: Entry, charge: Charge) -> None:
        """Make *charge* what the entry is: on disk, in memory, then known."""
        if self._journal:
            line = Line(
                charge,
                entry.payment_method,
                entry.capture,
                entry.return_url,
                entry.challenged,
            )
            self._journal.append(line)
        self._remember(entry, charge)
        if entry.payment_method is not None:
            self.listener(f"charge.{charge.status}", subject=charge.key, data=charge)

    def _remember(self, entry: Entry, charge: Charge) -> None:
        known = self.entries.find(charge.key)
        if known is None:
            self.entries.put(charge.key, entry, created_at=charge.created_at)
            if entry.challenged:
                self._challenged[charge.id] = entry
        else:
            self._count(entry.charge, -1)
        entry.charge = charge
        self._count(charge, 1)

    def _count(self, charge: Charge, one: int) -> None:
        self._counts[charge.status] += one
        if charge.status == "captured":
            self._captured[charge.currency] += one * charge.captured_amount
        elif charge.status == "authorized":
            self._authorized[charge.currency] += one * charge.amount

    def _read(self, line: Line) -> None:
        if (charge := line.charge) is not None:
            if charge.status == "captured" and not charge.captured_amount:
                # Written before there were partial captures.
                charge = msgspec.structs.replace(charge, captured_amount=charge.amount)
            entry = self.entries.find(charge.key) or Entry(
                charge,
                line.payment_method,
                line.capture,
                line.return_url,
                line.challenged,
            )
            self._remember(entry, charge)
        elif line.refund is not None:
            self.refunds.append(RefundEntry(line.refund, line.due, line.fails))
        elif line.webhook is not None:
            self.undelivered[line.webhook.event.id] = line.webhook
        elif line.webhook_ended is not None:
            self.undelivered.pop(line.webhook_ended.id, None)


def _first_status(
    request: ChargeRequest, decline_reason: str | None, challenge: Challenge | None
) -> Status:
    if challenge is not None:
        return "requires_action"
    if decline_reason is not None:
        return "declined"
    return "captured" if request.capture == "automatic" else "authorized"


def _nobody(kind: str, *, subject: str, data: object) -> None:
    """Nobody listens."""
