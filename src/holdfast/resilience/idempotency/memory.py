"""Idempotency keys in the memory of one process: the reference store.

For one process, for tests, and as a model for others: what it forgets when the process
ends, a store in a database does not. Its size is bounded: the oldest answers go first,
and a key whose request still runs never goes. About 400 bytes a key, and its answer.
"""

from dataclasses import dataclass

from holdfast.resilience.clock import Monotonic, monotonic
from holdfast.resilience.errors import Overloaded
from holdfast.resilience.idempotency.record import (
    Claimed,
    Decision,
    Identity,
    Kept,
    Record,
    decide,
)

DAY = 24 * 60 * 60.0


@dataclass(slots=True)
class _Entry:
    record: Record
    holder: int
    answered_at: float = 0.0


class MemoryStore:
    """Up to *most* keys, each kept for *kept_seconds* after its answer."""

    def __init__(
        self,
        *,
        kept_seconds: float = DAY,
        most: int = 10_000,
        timer: Monotonic = monotonic,
    ) -> None:
        self._kept_seconds = kept_seconds
        self._most = most
        self._timer = timer
        self._running: dict[Identity, _Entry] = {}
        # In the order of their answers, so the oldest stand first.
        self._answered: dict[Identity, _Entry] = {}
        self._holders = 0

    def __len__(self) -> int:
        return len(self._running) + len(self._answered)

    async def claim(
        self, identity: Identity, fingerprint: bytes, *, lease_seconds: float
    ) -> Claimed:
        """Take the key if it is free, or its holder gone.

        Raises ``Overloaded`` when there is no room, because that many requests run.
        """
        now = self._timer()
        self._forget(now)
        entry = self._running.get(identity) or self._answered.get(identity)
        record = entry.record if entry else None
        decision = decide(record, fingerprint, now=now)
        if decision not in {Decision.EXECUTE, Decision.TAKE_OVER}:
            return Claimed(decision, answer=record.answer if record else None)
        if decision is Decision.EXECUTE:
            self._make_room(now)
        self._holders += 1
        taken = Record(fingerprint, now + lease_seconds)
        self._running[identity] = _Entry(taken, self._holders)
        return Claimed(decision, self._holders)

    async def answer(self, identity: Identity, holder: int, answer: Kept) -> bool:
        """Keep the answer; False if the key is somebody else's by now."""
        entry = self._running.get(identity)
        if entry is None or entry.holder != holder:
            return False
        del self._running[identity]
        record = Record(entry.record.fingerprint, entry.record.lease_until, answer)
        self._answered[identity] = _Entry(record, holder, self._timer())
        return True

    async def release(self, identity: Identity, holder: int) -> None:
        """Give the key back, if it is still the holder's."""
        entry = self._running.get(identity)
        if entry is not None and entry.holder == holder:
            del self._running[identity]

    def _forget(self, now: float) -> None:
        while self._answered:
            identity, entry = next(iter(self._answered.items()))
            if entry.answered_at + self._kept_seconds > now:
                return
            del self._answered[identity]

    def _make_room(self, now: float) -> None:
        if len(self) < self._most:
            return
        if self._answered:
            del self._answered[next(iter(self._answered))]
            return
        # Nobody came back for what these left.
        gone = [i for i, e in self._running.items() if e.record.lease_until < now]
        if not gone:
            raise Overloaded(1.0)
        for identity in gone:
            del self._running[identity]
