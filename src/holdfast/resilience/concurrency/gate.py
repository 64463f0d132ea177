"""Permits for so many calls at once; who finds none waits, or is turned away.

The algorithm decides how many, the queue who is next; the gate holds both together. It
is told when calls come and end, and says at once who may go and who is turned away:
nothing here waits, so a simulation in virtual time drives the very code that an event
loop does (``Limiter``).

A *share* is a tier's guarantee, enforced only while the gate is full: as long as the
tier has less than its share of the limit under way, its calls start at once, even over
the limit (as Netflix partitions its limiters). So a payment does not wait behind
sixteen exports, and while there is room nothing is held back for payments that do not
come. The calls under way never exceed the limit by more than the shares.
"""

import random
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from holdfast.resilience.clock import Monotonic, monotonic
from holdfast.resilience.concurrency.bucket import COHORTS, Entry
from holdfast.resilience.concurrency.limit import Limit, Step
from holdfast.resilience.concurrency.queue import Queue, Reason
from holdfast.resilience.concurrency.window import Collector
from holdfast.resilience.errors import TimedOut
from holdfast.resilience.events import (
    ConcurrencyEvent,
    LimiterCall,
    LimitStep,
    QueueModeChanged,
    QueueWait,
)

T = TypeVar("T")

STALL_SECONDS = 0.2
"""A loop that came so late has made every call under way look slow."""


class Outcome(StrEnum):
    """How a call ended, as far as the limit is concerned."""

    SUCCESS = "success"
    """Its latency is a sample."""
    DROPPED = "dropped"
    """It ran past its deadline: there were too many."""
    IGNORED = "ignored"
    """It says nothing of the capacity: refused, failed, or its caller left."""


# (To look a member up in its class takes 0.1 us in Python 3.11.)
_SUCCESS = Outcome.SUCCESS


class Permit:
    """Leave for one call. Ends once, by ``release`` or as a context.

    As a context it ends as a success, or as the exception says: ``TimedOut`` is a
    missed deadline, anything else says nothing of the capacity.
    """

    __slots__ = ("_began_at", "_gate", "_inflight", "_is_held", "tier")

    def __init__(
        self, gate: "Gate[Any]", tier: int, began_at: float, inflight: int
    ) -> None:
        self._gate = gate
        self._began_at = began_at
        self._inflight = inflight
        self._is_held = True
        self.tier = tier

    def release(self, outcome: Outcome = Outcome.SUCCESS) -> None:
        """Give it back. Of several times the first counts."""
        if self._is_held:
            self._is_held = False
            # Not for others to call: the two are one thing in two halves.
            self._gate._end(  # noqa: SLF001
                self.tier, self._began_at, self._inflight, outcome
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.release(Outcome.SUCCESS)
        elif isinstance(error, TimedOut):
            self.release(Outcome.DROPPED)
        else:
            self.release(Outcome.IGNORED)


class Gate(Generic[T]):
    """At most so many calls at once, as *limit* decides.

    Whoever derives from it says what becomes of those who waited: ``_granted`` and
    ``_refused``.
    """

    def __init__(
        self,
        name: str,
        limit: Limit,
        *,
        queue: Queue[T] | None = None,
        collector: Collector | None = None,
        shares: Mapping[int, float] | None = None,
        listen: Callable[[ConcurrencyEvent], None] | None = None,
        each_call: bool = True,
        timer: Monotonic = monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Begin with the limit as it is and nobody under way.

        *name* becomes the label of metrics. *shares* are of the limit, by tier. Hand
        in a *queue* to change how long it may be, a *collector* to change what a
        window is. Without *each_call*, *listen* hears no ``LimiterCall``: whoever only
        counts them reads ``totals``.
        """
        self.name = name
        self._limit = limit
        # Not ``or``: a queue nobody waits in is falsy.
        self._queue = Queue[T](chance=chance) if queue is None else queue
        self._collector = Collector(timer()) if collector is None else collector
        self._shares = dict(shares or {})
        self._listen = listen
        self._hears_calls = listen if each_call else None
        self._timer = timer
        self._chance = chance
        self.totals = dict.fromkeys((*Outcome, "rejected", "bypassed"), 0)
        """How many calls have ended since the beginning, by what came of them."""
        self._inflight = 0
        self._inflight_by_tier = dict.fromkeys(self._shares, 0)
        self._cut_at = float("-inf")
        self._standing = set[int]()

    @property
    def limit(self) -> int:
        """How many may be under way now."""
        return self._limit.current

    @property
    def inflight(self) -> int:
        """How many are under way."""
        return self._inflight

    @property
    def waiting(self) -> int:
        """How many wait for a permit."""
        return len(self._queue)

    def depth(self, tier: int) -> int:
        """How many of *tier* wait."""
        return self._queue.depth(tier)

    def use(self, limit: Limit) -> None:
        """Go on with another algorithm, say ``Fixed`` while somebody forces it."""
        self._limit = limit
        self._grant()

    def note_lag(self, seconds: float) -> None:
        """The event loop came so late; the window is not judged if that was a stall."""
        if seconds > STALL_SECONDS:
            self._collector.spoil()

    def try_acquire(self, level: int = 0) -> Permit | None:
        """A permit if one is free now, without waiting."""
        tier = level // COHORTS
        if self._inflight < self._limit.current or self._is_owed(tier):
            return self._permit(tier, self._timer())
        self._collector.full()
        return None

    def join(self, entry: Entry[T]) -> None:
        """Let *entry* wait: it is granted a permit or refused, perhaps at once."""
        loser = self._queue.join(entry, self._limit.current)
        if loser is not None:
            self._turn_away(loser, Reason.FULL)

    def leave(self, entry: Entry[T]) -> None:
        """Let *entry*, which waits, wait no longer."""
        self._queue.leave(entry)
        self._waited(entry, "cancelled")
        self._ended(entry.tier, Outcome.IGNORED, 0.0)

    def bypass(self, level: int = -COHORTS) -> None:
        """Count a call that needs no permit."""
        self._ended(level // COHORTS, "bypassed", 0.0)

    def sweep(self) -> None:
        """Turn away those for whom it is too late."""
        now = self._timer()
        for entry, reason in self._queue.expire(now):
            self._turn_away(entry, reason)
        for tier in range(self._queue.tiers):
            is_standing = self._queue.is_standing(tier, now)
            if is_standing != (tier in self._standing):
                self._standing ^= {tier}
                if self._listen is not None:
                    self._listen(QueueModeChanged(self.name, tier, is_standing))

    def _granted(self, entry: Entry[T], permit: Permit) -> None:
        """Somebody who waited may go."""
        raise NotImplementedError

    def _refused(self, entry: Entry[T], reason: Reason) -> None:
        """Somebody who waited, or wanted to, is turned away."""
        raise NotImplementedError

    def _is_owed(self, tier: int) -> bool:
        """Whether *tier* has less under way than the share it is guaranteed."""
        share = self._shares.get(tier)
        if share is None:
            return False
        owed = max(1, -int(-self._limit.current * share // 1))
        return self._inflight_by_tier[tier] < owed

    def _permit(self, tier: int, now: float) -> Permit:
        self._inflight += 1
        if tier in self._inflight_by_tier:
            self._inflight_by_tier[tier] += 1
        return Permit(self, tier, now, self._inflight)

    def _turn_away(self, entry: Entry[T], reason: Reason) -> None:
        self._waited(entry, reason)
        self._ended(entry.tier, "rejected", 0.0)
        self._refused(entry, reason)

    def _grant(self) -> None:
        """Let go on who waits, as far as there are permits."""
        if not self._queue:
            return
        now = self._timer()
        while self._inflight < self._limit.current and self._grant_one(now, None):
            pass
        for tier in self._shares:
            while self._is_owed(tier) and self._grant_one(now, tier):
                pass

    def _grant_one(self, now: float, tier: int | None) -> bool:
        entry, dropped = self._queue.take(now, tier)
        for lost, reason in dropped:
            self._turn_away(lost, reason)
        if entry is None:
            return False
        self._waited(entry, "served")
        self._granted(entry, self._permit(entry.tier, now))
        return True

    def _end(self, tier: int, began_at: float, inflight: int, outcome: Outcome) -> None:
        now = self._timer()
        self._inflight -= 1
        if tier in self._inflight_by_tier:
            self._inflight_by_tier[tier] -= 1
        self.totals[outcome] += 1
        if self._hears_calls is not None:
            self._hears_calls(LimiterCall(self.name, tier, outcome, now - began_at))
        window = None
        if outcome is _SUCCESS:
            window = self._collector.success(now, now - began_at, inflight)
        elif outcome is Outcome.DROPPED:
            window = self._collector.drop(now, now - began_at, inflight)
            if began_at >= self._cut_at:
                self._cut_at = now
                self._step(self._limit.current, self._limit.drop())
        if window is not None:
            self._queue.tune(window.p50_seconds, window.p90_seconds)
            self._step(self._limit.current, self._limit.update(window))
        if self._queue:
            self._grant()

    def _step(self, previous: int, step: Step) -> None:
        if self._listen is not None:
            self._listen(
                LimitStep(
                    self.name,
                    previous,
                    step.limit,
                    step.reason,
                    step.gradient,
                    step.recent_seconds,
                    step.baseline_seconds,
                )
            )

    def _ended(self, tier: int, outcome: str, seconds: float) -> None:
        self.totals[outcome] += 1
        if self._hears_calls is not None:
            self._hears_calls(LimiterCall(self.name, tier, outcome, seconds))

    def _waited(self, entry: Entry[T], outcome: str) -> None:
        if self._listen is not None:
            seconds = self._timer() - entry.entered_at
            self._listen(QueueWait(self.name, entry.tier, seconds, outcome))
