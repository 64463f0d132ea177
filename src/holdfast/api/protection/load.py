"""The load of this process, and what follows from it: one object of the shop.

Three controls say otherwise than what is measured. ``load.level`` is a level that an
operator forces until a time, and which sheds, too: at 3 only buyers are served, at 4
only those who have begun to pay. ``load.shedding`` is ``on``, ``shadow`` (everything
is judged and counted, nobody turned away) or ``off``. ``limit.<kind>``: see ``limits``.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

import msgspec

from holdfast.api.policy import Priority
from holdfast.api.protection.cohorts import Cohorts, key_of
from holdfast.api.protection.extras import Extras
from holdfast.api.protection.limits import PREFIX, Limits
from holdfast.api.protection.metrics_load import LoadMetrics
from holdfast.kernel.clock import Clock, Monotonic, monotonic
from holdfast.platform import telemetry
from holdfast.platform.controls import Controls
from holdfast.platform.settings import Settings
from holdfast.resilience.concurrency import Limiter, Outcome
from holdfast.resilience.events import LevelChanged, QueueWait
from holdfast.resilience.load import (
    Arrivals,
    Guard,
    Last,
    Looking,
    Monitor,
    Rate,
    Samples,
    Served,
    Shedder,
    Signal,
    kernel,
    level_of,
    signals,
)

LEVEL: Final = "load.level"
SHEDDING: Final = "load.shedding"
Shedding: TypeAlias = Literal["on", "shadow", "off"]

# What a level that was forced sheds, from this level of requests on.
_HELD: Final = {3: level_of(Priority.OPERATE, 0), 4: level_of(Priority.BROWSE, 0)}
GATE_LEVEL: Final = 4
"""The level at which requests are turned away before they are any."""


class ForcedLevel(msgspec.Struct, frozen=True):
    """A level that an operator has said, and until when it holds."""

    level: int
    until: datetime


class Load:
    """Judges requests, and says how the process fares."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        metrics: LoadMetrics,
        timer: Monotonic = monotonic,
        cpu: Callable[[], float] = time.process_time,
    ) -> None:
        self._clock = clock
        self._timer = timer
        self.metrics = metrics
        self.is_on = settings.protection == "on"
        """Whether there is any protection at all."""
        self.cohorts = Cohorts(key_of(settings), clock)
        self.limits = Limits(settings.database_pool_size, self._heard)
        self._pool_waits = Samples(within_seconds=1.0, timer=timer)
        self._queued = Samples(within_seconds=0.5, timer=timer)
        self._flow = _Flow(self.limits.limiters)
        lag, share = Last(), Rate(cpu, timer=timer)
        self.guard = Guard(
            monitor=Monitor(self._signals(lag, share)),
            arrivals=Arrivals(cpu=cpu, timer=timer),
            lag=lag,
            cpu=share,
            timer=timer,
            served=self._flow.served,
            listen=self._level_changed,
        )
        self.extras = Extras(lambda: self.guard.levels.level)
        self.shedding: Shedding = "on"
        self.forced: ForcedLevel | None = None

    @property
    def level(self) -> int:
        """From 0, nothing to worry about, to 4, a flood."""
        return self.guard.levels.level

    @property
    def limiters(self) -> Mapping[str, Limiter]:
        """By kind of route."""
        return self.limits.limiters

    @property
    def shedder(self) -> Shedder:
        """Who is turned away."""
        return self.guard.shedder

    def follow(self, controls: Controls) -> None:
        """Do what operators say, now and whenever they say something else."""
        controls.watch("load.", self._said)
        controls.watch(PREFIX, self.limits.take)

    def look(self, late_seconds: float) -> None:
        """Twenty times a second: take in how the process fares."""
        for limiter in self.limits.limiters.values():
            limiter.note_lag(late_seconds)
        self.cohorts.turn()
        self.guard.look(late_seconds)
        if self.forced is not None and self.guard.levels.forced is None:
            # Its time is over.
            self._release()
        self.metrics.look(late_seconds, self)

    def waited_for_pool(self, seconds: float) -> None:
        """A request has got a connection to the database, or given up."""
        self._pool_waits.note(seconds)
        self.metrics.waited_for_pool(seconds)

    def admits(self, level: int, stage: str) -> bool:
        """Whether a request of this level may pass; counts if not."""
        if level < 0:
            return True
        tier = level // 128
        self.metrics.offered[tier] += 1
        if self.shedding == "off":
            return True
        if self.guard.shedder.admits(level):
            return True
        if self.shedding == "shadow":
            self.metrics.shed(tier, stage, "shadow")
            return True
        self.metrics.shed(tier, stage, "threshold")
        return False

    def _signals(self, lag: Last, cpu: Rate) -> list[Signal]:
        resident, total = kernel.resident_bytes(), kernel.total_bytes()
        return [
            Signal("lag", lag, signals.LAG),
            Signal("cpu", cpu, signals.CPU, most=signals.BUSY),
            Signal("queue", self._queued, signals.SOJOURN),
            Signal("pool", self._pool_waits, signals.POOL_WAIT),
            Signal("inflight", self._flow.fullest, signals.INFLIGHT),
            Signal(
                "memory",
                signals.share_of(resident, total),
                signals.MEMORY,
                slow=True,
            ),
            Signal("cgroup_memory", kernel.cgroup_memory(), signals.MEMORY, slow=True),
            Signal(
                "throttled",
                kernel.cgroup_throttled(self._timer),
                signals.STALLED,
                slow=True,
            ),
            Signal("stalled", kernel.stalled("memory"), signals.STALLED, slow=True),
        ]

    def _heard(self, event: object) -> None:
        """A limiter tells what it did."""
        if isinstance(event, QueueWait):
            self._queued.note(event.seconds)
        self.metrics.heard(event)

    def _said(self, said: Mapping[str, Any]) -> None:
        """The controls ``load.*``; what cannot be understood was not said."""
        mode = said.get("shedding")
        self.shedding = mode if mode in ("shadow", "off") else "on"
        forced = _read(said.get("level"), self.guard.levels.highest)
        left = 0.0
        if forced is not None:
            left = (forced.until - self._clock()).total_seconds()
        if forced is None or left <= 0:
            self._release()
            return
        self.forced = forced
        self.guard.levels.force(forced.level, self._timer() + left)
        self.shedder.hold(_HELD.get(forced.level))

    def _release(self) -> None:
        self.forced = None
        self.guard.levels.release()
        self.shedder.hold(None)

    def _level_changed(self, event: LevelChanged) -> None:
        log = telemetry.logger()
        tell = log.warning if event.after > event.before else log.info
        tell(
            "load_level_changed",
            before=event.before,
            after=event.after,
            pressure=round(event.pressure, 2),
            forced=event.is_forced,
        )


@contextmanager
def watched(load: Load) -> Iterator[None]:
    """Look at the load twenty times a second, on the running event loop."""
    looking = Looking(asyncio.get_running_loop(), load.look)
    try:
        yield
    finally:
        looking.stop()
        load.metrics.hand_on(load)


class _Flow:
    """What the limiters have let through."""

    def __init__(self, limiters: Mapping[str, Limiter]) -> None:
        self._limiters = limiters
        self._before = dict.fromkeys(limiters, 0)

    def fullest(self) -> float | None:
        """How full the fullest limiter is that buyers need, with its line."""
        return max(
            (limiter.inflight + limiter.waiting) / limiter.limit
            for kind, limiter in self._limiters.items()
            if kind not in {"report", "upload"}
        )

    def served(self) -> Served:
        """The totals of all limiters; what is spare, by how much each has served."""
        arrived = total = 0
        spare = weight = 0.0
        for kind, limiter in self._limiters.items():
            totals = limiter.totals
            served = sum(totals[outcome] for outcome in Outcome) + limiter.inflight
            total += served
            arrived += served + totals["rejected"] + limiter.waiting
            # With a little weight of its own: nothing served is not nothing spare.
            share = served - self._before[kind] + 0.01
            self._before[kind] = served
            spare += share * max(0.0, 1 - limiter.inflight / limiter.limit)
            weight += share
        return Served(arrived, total, spare / weight)


def _read(value: Any, highest: int) -> ForcedLevel | None:
    if value is None:
        return None
    try:
        forced = msgspec.convert(value, ForcedLevel)
    except msgspec.ValidationError:
        return None
    is_sound = 0 <= forced.level <= highest and forced.until.tzinfo is not None
    return forced if is_sound else None
