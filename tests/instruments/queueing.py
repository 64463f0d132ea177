"""A service with a gate in front of it, in virtual time: what a limit would have done.

Callers come at random (Poisson; in bursts if the rate says so) and take a time that
depends on how many are under way: ``max(base, base * (n / capacity) ** 1.5)``. Up to
its capacity the service does more the more it has to do; beyond it, less: throughput
``n / time`` peaks at ``n == capacity`` and falls with the root of n. So the best limit
is known, and it does not depend on *base*.

The gate is the real one. Only time, chance and the callers are played.
"""

import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from holdfast.resilience.concurrency import Collector, Entry, Gate, Outcome, Queue
from holdfast.resilience.events import LimitStep

SWEEP_SECONDS = 0.1
BROWSE = 2 * 128


@dataclass
class Service:
    """How long calls take."""

    capacity: float | Callable[[float], float] = 16
    base: float | Callable[[float], float] = 0.02
    deadline: float = float("inf")
    """A call that would take longer is cut here, and is late."""
    is_memoryless: bool = False
    """Exponential, as chance at its worst; else a fifth more or less."""

    def seconds(self, now: float, inflight: int, dice: random.Random) -> float:
        base, capacity = _at(self.base, now), _at(self.capacity, now)
        chance = dice.expovariate(1) if self.is_memoryless else dice.uniform(0.8, 1.2)
        return chance * max(base, base * (inflight / capacity) ** 1.5)


@dataclass
class Result:
    """What became of the callers."""

    limits: list[tuple[float, int]]
    steps: list[tuple[float, LimitStep]] = field(default_factory=list)
    done: list[tuple[float, float]] = field(default_factory=list)
    """When each served call ended, and how long since it came."""
    waits: list[float] = field(default_factory=list)
    """Of those who waited and were served."""
    came: Counter[int] = field(default_factory=Counter)
    """By tier."""
    served: Counter[int] = field(default_factory=Counter)
    late: int = 0

    def throughput(self, begins: float, ends: float) -> float:
        return sum(begins <= at < ends for at, _ in self.done) / (ends - begins)

    def p99(self, begins: float, ends: float) -> float:
        seconds = sorted(s for at, s in self.done if begins <= at < ends)
        return seconds[int(0.99 * len(seconds))]

    def between(self, begins: float, ends: float) -> list[int]:
        """The limits that were in force."""
        before = [limit for at, limit in self.limits if at <= begins][-1]
        return [before, *(n for at, n in self.limits if begins < at < ends)]

    def limit_at(self, at: float) -> int:
        return self.between(at, at)[0]


class Play:
    """Callers at a gate with this limit, *rate* of them a second."""

    def __init__(
        self,
        limit,
        service: Service,
        rate: float | Callable[[float], float],
        *,
        patience: float = 1.0,
        levels: tuple[int, ...] = (BROWSE,),
        shares: dict[int, float] | None = None,
        seed: int = 1,
    ) -> None:
        self.now = 0.0
        self.result = Result([(0.0, limit.current)])
        self._dice = random.Random(seed)  # noqa: S311 - the same each time
        self._service = service
        self._rate = rate
        self._patience = patience
        self._levels = levels
        self._inside = 0
        self._agenda: list = []
        self._number = count()
        self._gate = _Played(
            "played",
            limit,
            queue=Queue(chance=self._dice.random),
            collector=Collector(0.0),
            shares=shares,
            listen=self._hear,
            timer=lambda: self.now,
        )
        self._gate.play = self

    def run(self, seconds: float) -> Result:
        """Everything that happens in so many seconds."""
        self._plan(0.0, self._arrive)
        self._plan(SWEEP_SECONDS, self._sweep)
        while self._agenda[0][0] < seconds:
            self.now, _, what, arguments = heapq.heappop(self._agenda)
            what(*arguments)
        return self.result

    def granted(self, entry: Entry, permit) -> None:
        self.result.waits.append(self.now - entry.entered_at)
        self._begin(permit, entry.entered_at)

    def _plan(self, at, what, *arguments):
        heapq.heappush(self._agenda, (at, next(self._number), what, arguments))

    def _arrive(self):
        level = self._dice.choice(self._levels)
        self.result.came[level // 128] += 1
        permit = self._gate.try_acquire(level)
        if permit is not None:
            self._begin(permit, self.now)
        else:
            deadline = self.now + self._patience
            self._gate.join(Entry(None, level, self.now, deadline))
        gap = self._dice.expovariate(_at(self._rate, self.now))
        self._plan(self.now + gap, self._arrive)

    def _begin(self, permit, came):
        self._inside += 1
        seconds = self._service.seconds(self.now, self._inside, self._dice)
        cut = self._service.deadline
        is_late = seconds > cut
        self._plan(self.now + min(seconds, cut), self._end, permit, came, is_late)

    def _end(self, permit, came, is_late):
        self._inside -= 1
        if is_late:
            self.result.late += 1
        else:
            self.result.done.append((self.now, self.now - came))
            self.result.served[permit.tier] += 1
        permit.release(Outcome.DROPPED if is_late else Outcome.SUCCESS)

    def _sweep(self):
        self._gate.sweep()
        self._plan(self.now + SWEEP_SECONDS, self._sweep)

    def _hear(self, event):
        if isinstance(event, LimitStep):
            self.result.limits.append((self.now, event.limit))
            self.result.steps.append((self.now, event))


class _Played(Gate):
    """The gate of callers that are played."""

    play: Play

    def _granted(self, entry, permit):
        self.play.granted(entry, permit)

    def _refused(self, entry, reason):
        """Nobody to tell: the play counts who came and who was served."""


def _at(value: float | Callable[[float], float], now: float) -> float:
    return value(now) if callable(value) else value
