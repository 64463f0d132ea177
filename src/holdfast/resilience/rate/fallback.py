"""When the store is gone, go on with buckets in the process, and come back soon.

The way to the store *trips* after five failures in a row, or when half of the last
twenty checks failed within a second. From then on nobody waits for it: checks are
answered from buckets in this process for 1 to 1.6 s (drawn, so that processes do not
come back together), then one check probes. Recovery is within two seconds.

Each process then grants its share of every quota: one and a half times the quota
over the number of processes, for their load is never even; so all together grant at
most 1.5 times the rate, and a fresh burst in the moment of the switch. A *strict*
quota, which guards credentials, is shared exactly, and no bucket is ever simply
open. No share is less than one token. A call that costs more than the local bucket
holds empties it.

What failed is not sent again later: a reply after the fallback would count twice.
"""

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from holdfast.resilience.clock import Monotonic, monotonic
from holdfast.resilience.events import RateStoreMoved, StoreState
from holdfast.resilience.rate.memory import MemoryLimiter
from holdfast.resilience.rate.quota import Limiter, Quota, StoreUnavailable, Verdict

_IN_A_ROW = 5
_RECENT = 20
_RECENT_SECONDS = 1.0
_OPEN_SECONDS = 1.0
_OPEN_SPREAD_SECONDS = 0.6


@dataclass(slots=True)
class _Trip:
    """Whether one part of the store is asked."""

    open_until: float | None = None
    probing: bool = False
    in_a_row: int = 0
    recent: deque[tuple[float, bool]] = field(
        default_factory=lambda: deque(maxlen=_RECENT)
    )


class FallbackLimiter:
    """A limiter that answers whatever becomes of its store."""

    def __init__(
        self,
        store: Limiter,
        *,
        processes: Callable[[], int],
        local: MemoryLimiter | None = None,
        part_of: Callable[[str], str] = lambda _subject: "",
        listen: Callable[[RateStoreMoved], None] = lambda _event: None,
        timer: Monotonic = monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Say what stands in for what.

        *processes* tells how many processes share the quotas now. *part_of* names
        the part of the store a subject is in: a cluster can lose one node.
        """
        self._store = store
        self._processes = processes
        self._local = MemoryLimiter(timer=timer) if local is None else local
        self._part_of = part_of
        self._listen = listen
        self._timer = timer
        self._chance = chance
        self._trips: dict[str, _Trip] = {}
        self._state: StoreState = "up"
        self._since = timer()

    async def take(
        self, subject: str, quotas: Sequence[Quota], cost: int = 1
    ) -> Verdict:
        """Take *cost* tokens from every quota, or from none; never fails."""
        trip = self._trip_of(subject)
        probe = trip.open_until is not None
        if probe:
            if trip.probing or self._timer() < (trip.open_until or 0):
                return self._take_here(subject, quotas, cost)
            trip.probing = True
        try:
            verdict = await self._store.take(subject, quotas, cost)
        except StoreUnavailable:
            self._failed(trip, probe=probe)
            return self._take_here(subject, quotas, cost)
        finally:
            # Also when the caller was cancelled: the next one probes.
            if probe:
                trip.probing = False
        self._answered(trip, probe=probe)
        return verdict

    @property
    def state(self) -> StoreState:
        """Whether the store is asked: for all, some or none of its parts."""
        return self._state

    def _trip_of(self, subject: str) -> _Trip:
        part = self._part_of(subject)
        trip = self._trips.get(part)
        if trip is None:
            trip = self._trips[part] = _Trip()
        return trip

    def _take_here(self, subject: str, quotas: Sequence[Quota], cost: int) -> Verdict:
        if any(cost > quota.burst for quota in quotas):
            return self._local.take_now(subject, quotas, cost)
        shares = [_share(quota, self._processes()) for quota in quotas]
        cost = min([cost, *(share.burst for share in shares)])
        verdict = self._local.take_now(subject, shares, cost)
        # The caller is told about the policy, not about our share of it.
        told = zip(verdict.standings, quotas, strict=True)
        return replace(
            verdict, standings=tuple(replace(s, quota=quota) for s, quota in told)
        )

    def _answered(self, trip: _Trip, *, probe: bool) -> None:
        trip.in_a_row = 0
        if probe:
            trip.open_until = None
            trip.recent.clear()
            self._tell()
        else:
            trip.recent.append((self._timer(), True))

    def _failed(self, trip: _Trip, *, probe: bool) -> None:
        now = self._timer()
        if probe:
            trip.open_until = self._until(now)
            return
        trip.in_a_row += 1
        trip.recent.append((now, False))
        # Checks that were on their way when it tripped end later.
        if trip.open_until is None and self._is_gone(trip, now):
            trip.open_until = self._until(now)
            self._tell()

    def _tell(self) -> None:
        down = sum(trip.open_until is not None for trip in self._trips.values())
        state: StoreState = "degraded" if down else "up"
        if down == len(self._trips):
            state = "down"
        if state != self._state:
            now = self._timer()
            self._listen(RateStoreMoved(self._state, state, now - self._since))
            self._state, self._since = state, now

    def _is_gone(self, trip: _Trip, now: float) -> bool:
        if trip.in_a_row >= _IN_A_ROW:
            return True
        recent = trip.recent
        if len(recent) < _RECENT or recent[0][0] < now - _RECENT_SECONDS:
            return False
        return sum(not answered for _, answered in recent) * 2 >= _RECENT

    def _until(self, now: float) -> float:
        return now + _OPEN_SECONDS + _OPEN_SPREAD_SECONDS * self._chance()


@lru_cache(maxsize=1024)
def _share(quota: Quota, processes: int) -> Quota:
    """What one of so many processes grants of *quota*."""
    processes = max(1, processes)
    if quota.strict:
        return quota.scaled(1, processes)
    return quota.scaled(3, 2 * processes)
