"""A service with a gate in front of it, in virtual time: what a limit would have done.

Callers come at random (Poisson, in bursts if the arrivals say so) and take a time that
depends on how many are under way: ``max(base, base * (n / capacity) ** 1.5)``. Up to
its capacity the service does more the more it has to do; beyond it, less: throughput
``n / time`` peaks at ``n == capacity`` and falls with the root of n. So the best limit
is known, and it does not depend on *base*.

The gate is the real one. Only time, chance and the callers are played.
"""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from holdfast.resilience.concurrency import Collector, Entry, Gate, Outcome, Queue

SWEEP = 0.1


@dataclass
class Service:
    """How long a call takes of which *n* are under way at *now*."""

    base: Callable[[float], float]
    capacity: float
    timeout: float = float("inf")
    """Calls that would take longer are cut here: the deadline of their callers."""

    def seconds(self, now: float, n: int, dice: random.Random) -> float:
        base = self.base(now)
        # A fifth more or less, as real calls differ.
        return dice.uniform(0.8, 1.2) * max(base, base * (n / self.capacity) ** 1.5)


@dataclass
class Result:
    """What became of the callers."""

    limits: list[tuple[float, int]] = field(default_factory=list)
    steps: list = field(default_factory=list)
    done: list[tuple[float, float]] = field(default_factory=list)
    """When each served call ended, and how long since it came."""
    waits: list[tuple[float, float]] = field(default_factory=list)
    refused: int = 0
    timed_out: int = 0
    arrived: int = 0

    def limit_at(self, at: float) -> int:
        return [limit for when, limit in self.limits if when <= at][-1]

    def throughput(self, begins: float, ends: float) -> float:
        return sum(begins <= at < ends for at, _ in self.done) / (ends - begins)

    def p99(self, begins: float, ends: float) -> float:
        seconds = sorted(s for at, s in self.done if begins <= at < ends)
        return seconds[int(0.99 * len(seconds))]


class _Simulated(Gate):
    """The gate of callers that are played."""

    play: "Play"

    def _granted(self, entry, permit):
        self.play.begin(permit, entry.item)
        self.play.result.waits.append((self.play.now, self.play.now - entry.item))

    def _refused(self, entry, reason):
        self.play.result.refused += 1


class Play:
    """So many seconds of callers at a gate."""

    def __init__(
        self,
        limit,
        service: Service,
        rate: Callable[[float], float],
        *,
        seed: int = 1,
        patience: float = 1.0,
        keep: bool = True,
    ) -> None:
        self.now = 0.0
        self.dice = random.Random(seed)  # noqa: S311 - the same each time
        self.service = service
        self.rate = rate
        self.patience = patience
        self.keep = keep
        self.result = Result(limits=[(0.0, limit.current)])
        self._queue = []
        self._number = count()
        self.gate = _Simulated(
            "played",
            limit,
            queue=Queue(chance=self.dice.random),
            collector=Collector(0.0),
            listen=self._heard,
            timer=lambda: self.now,
            chance=self.dice.random,
        )
        self.gate.play = self
        self.inside = 0

    def _heard(self, event):
        if type(event).__name__ == "LimitStep":
            self.result.limits.append((self.now, event.limit))
            self.result.steps.append((self.now, event))

    def _at(self, when, what, *arguments):
        heapq.heappush(self._queue, (when, next(self._number), what, arguments))

    def begin(self, permit, came):
        self.inside += 1
        seconds = self.service.seconds(self.now, self.inside, self.dice)
        cut = seconds > self.service.timeout
        self._at(
            self.now + min(seconds, self.service.timeout), self._end, permit, came, cut
        )

    def _end(self, permit, came, cut):
        self.inside -= 1
        if cut:
            self.result.timed_out += 1
        elif self.keep:
            self.result.done.append((self.now, self.now - came))
        permit.release(Outcome.DROPPED if cut else Outcome.SUCCESS)

    def _arrive(self):
        self.result.arrived += 1
        permit = self.gate.try_acquire()
        if permit is not None:
            self.begin(permit, self.now)
        else:
            self.gate.join(
                Entry(self.now, 256, self.now, deadline=self.now + self.patience)
            )
        self._at(self.now + self.dice.expovariate(self.rate(self.now)), self._arrive)

    def _sweep(self):
        self.gate.sweep()
        self._at(self.now + SWEEP, self._sweep)

    def run(self, seconds: float) -> Result:
        self._at(0.0, self._arrive)
        self._at(SWEEP, self._sweep)
        while self._queue[0][0] < seconds:
            self.now, _, what, arguments = heapq.heappop(self._queue)
            what(*arguments)
        return self.result
