"""What was charged, by key: each key has one outcome, for good.

Nothing here awaits, so on one event loop two requests with one key cannot both
be the first. An entry is in the journal before it is in memory.

Memory: about 0.6 KB a charge, a million of them at most; then new keys are
refused, because a provider may refuse money but never forget it.
"""

import sys
import uuid
from collections import Counter

from holdfast.simulators.clock import Clock, utc_now
from holdfast.simulators.payment.charge import Charge, ChargeRequest, Entry, Status
from holdfast.simulators.payment.journal import Journal

MAX_CHARGES = 1_000_000


class KeyReused(Exception):
    """The key belongs to a charge that was asked for differently."""


class LedgerFull(Exception):
    """No room for another key; nothing was charged."""


class Ledger:
    def __init__(
        self,
        journal: Journal | None = None,
        *,
        clock: Clock = utc_now,
        max_charges: int = MAX_CHARGES,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._max_charges = max_charges
        self._by_key: dict[str, Entry] = {}
        self._in_order: list[Entry] = []
        self._counts: Counter[Status] = Counter()
        self._captured: Counter[str] = Counter()
        for entry in journal.entries() if journal else ():
            self._remember(entry)

    def find(self, key: str) -> Charge | None:
        entry = self._by_key.get(key)
        return entry.charge if entry else None

    def charge(
        self, key: str, request: ChargeRequest, *, decline_reason: str | None
    ) -> tuple[Charge, bool]:
        """The key's charge, and whether it is new. ``OSError``: nothing charged."""
        known = self._by_key.get(key)
        if known is not None:
            if not known.is_for(request):
                raise KeyReused(key)
            return known.charge, False
        charge = Charge(
            id=f"ch_{uuid.uuid4().hex}",
            key=key,
            status="declined" if decline_reason else "captured",
            amount=request.amount,
            currency=sys.intern(request.currency),
            reference=request.reference,
            decline_reason=decline_reason,
            created_at=self._clock(),
        )
        self._record(Entry(charge, sys.intern(request.payment_method)))
        return charge, True

    def cancel(self, key: str) -> Charge:
        """What became of the key; if nothing has, nothing ever will."""
        known = self._by_key.get(key)
        if known is not None:
            return known.charge
        tombstone = Charge(
            id=f"ch_{uuid.uuid4().hex}",
            key=key,
            status="canceled",
            amount=0,
            currency="XXX",
            reference="",
            decline_reason=None,
            created_at=self._clock(),
        )
        self._record(Entry(tombstone))
        return tombstone

    def count(self, status: Status) -> int:
        return self._counts[status]

    def captured_by_currency(self) -> dict[str, int]:
        return dict(sorted(self._captured.items()))

    def page(self, *, start: int, limit: int) -> list[Charge]:
        """Charges in the order they were made; *start* counts from 0."""
        return [entry.charge for entry in self._in_order[start : start + limit]]

    def last(self, limit: int) -> list[Charge]:
        """The newest first."""
        return [entry.charge for entry in self._in_order[: -limit - 1 : -1]]

    def __len__(self) -> int:
        return len(self._in_order)

    def clear(self) -> None:
        if self._journal:
            self._journal.clear()
        self._by_key.clear()
        self._in_order.clear()
        self._counts.clear()
        self._captured.clear()

    def _record(self, entry: Entry) -> None:
        if len(self._in_order) >= self._max_charges:
            raise LedgerFull(f"{self._max_charges} charges are the most it keeps")
        if self._journal:
            self._journal.append(entry)
        self._remember(entry)

    def _remember(self, entry: Entry) -> None:
        charge = entry.charge
        self._by_key[charge.key] = entry
        self._in_order.append(entry)
        self._counts[charge.status] += 1
        if charge.status == "captured":
            self._captured[charge.currency] += charge.amount
