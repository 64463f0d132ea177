"""What is counted of load, limits and shedding, for Prometheus.

Requests are counted in plain integers and handed to Prometheus twice a second: 0.05 us
each instead of 0.5, or of 3 where several workers share a folder. Gauges are by process
(label ``pid`` where there are several), for a level that is the mean of two processes
means nothing.
"""

from collections import Counter as Counts
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from holdfast.resilience.concurrency import Limiter
from holdfast.resilience.events import (
    LimitStep,
    QueueModeChanged,
    QueueWait,
)
from holdfast.resilience.load import Guard

TIERS: Final = ("pay", "buy", "browse", "operate", "bulk")
GOOD_SECONDS: Final = 0.25
"""An answer within this is a good one (``holdfast_goodput_requests``)."""
# What is sold out or not there was answered as well as it could be.
_REFUSED: Final = (429, 499)
_FAILED: Final = 500
_EVERY_LOOKS: Final = 10
_LAGS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_WAITS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)


class Loaded(Protocol):
    """What the gauges are read from."""

    guard: Guard

    @property
    def limiters(self) -> Mapping[str, Limiter]: ...


class LoadMetrics:
    """Counters and gauges of one process's load."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.offered = [0] * len(TIERS)
        """Requests that came, by tier."""
        self.good = [0] * len(TIERS)
        """Requests that were answered well and in time, by tier."""
        self._shed = Counts[tuple[int, str, str]]()
        self._inversions = 0
        self._looks = 0
        self._given = Counts[tuple[str, ...]]()
        self._lowest_admitted = -1
        self._gauges = _Gauges(registry)
        self._counters = _Counters(registry)
        self.handing_on: list[Callable[[], None]] = []
        """What else is counted in plain integers, and handed on with the rest."""
        self._lag = Histogram(
            "holdfast_eventloop_lag_seconds",
            "How late the event loop ran a callback, 20 times a second.",
            buckets=_LAGS,
            registry=registry,
        )
        self._pool_wait = Histogram(
            "holdfast_db_pool_wait_seconds",
            "How long requests waited for a connection of the pool.",
            buckets=_WAITS,
            registry=registry,
        )
        self._sojourn = Histogram(
            "holdfast_queue_sojourn_seconds",
            "How long requests waited for a permit, by tier and what came of it.",
            ("tier", "outcome"),
            buckets=_WAITS,
            registry=registry,
        )

    def shed(self, tier: int, stage: str, reason: str) -> None:
        """A request of *tier* was turned away at *stage*."""
        self._shed[tier, stage, reason] += 1
        if tier < self._lowest_admitted and reason != "shadow":
            self._inversions += 1

    def admitted(self, tier: int) -> None:
        """A request of *tier* is being served."""
        self._lowest_admitted = max(self._lowest_admitted, tier)

    def answered(self, tier: int, status: int, seconds: float) -> None:
        """A request of *tier* has its answer."""
        if tier < 0 or status in _REFUSED or status >= _FAILED:
            return
        if seconds <= GOOD_SECONDS:
            self.good[tier] += 1

    def paused(self) -> None:
        """No connections are accepted for a moment."""
        self._counters.pauses.inc()

    def waited_for_pool(self, seconds: float) -> None:
        """A request has got a connection, or has given up waiting for one."""
        self._pool_wait.observe(seconds)

    def shed_by_tier(self) -> dict[str, int]:
        """How many requests were turned away since the start."""
        found = dict.fromkeys(TIERS, 0)
        for (tier, _, reason), count in self._shed.items():
            if reason != "shadow":
                found[TIERS[tier]] += count
        return found

    def heard(self, event: object) -> None:
        """A limiter tells what it did."""
        if isinstance(event, QueueWait):
            tier = TIERS[event.tier]
            self._sojourn.labels(tier, event.outcome).observe(event.seconds)
            if event.outcome not in ("served", "cancelled"):
                self._counters.dropped.labels(tier, event.outcome).inc()
                stage = "deadline" if event.outcome == "deadline" else "queue"
                self.shed(event.tier, stage, event.outcome)
        elif isinstance(event, LimitStep):
            self._counters.step(event)
            self._gauges.step(event)
        elif isinstance(event, QueueModeChanged):
            self._gauges.standing(event)

    def look(self, late_seconds: float, load: Loaded) -> None:
        """Twenty times a second; every tenth time everything is handed on."""
        self._lag.observe(late_seconds)
        self._looks += 1
        if self._looks % _EVERY_LOOKS == 0:
            self.hand_on(load)

    def hand_on(self, load: Loaded) -> None:
        """Give Prometheus what was counted meanwhile, and what is now."""
        for hand_on in self.handing_on:
            hand_on()
        counters = self._counters
        for tier, name in enumerate(TIERS):
            self._add(counters.offered, self.offered[tier], "offered", name)
            self._add(counters.good, self.good[tier], "good", name)
        for (tier, stage, reason), count in self._shed.items():
            self._add(counters.shed, count, TIERS[tier], stage, reason, skip=0)
        for kind, limiter in load.limiters.items():
            for outcome, count in limiter.totals.items():
                self._add(counters.calls, count, kind, outcome, skip=0)
        self._add(counters.inversions, self._inversions, "inversions")
        self._lowest_admitted = -1
        self._gauges.read(load)

    def _add(self, counter: Any, count: int, *labels: str, skip: int = 1) -> None:
        """Raise *counter* to *count*; its labels are those after *skip* words."""
        key = (counter._name, *labels)  # noqa: SLF001 - a key of our own for it
        more = count - self._given[key]
        if more:
            self._given[key] = count
            named = labels[skip:]
            (counter.labels(*named) if named else counter).inc(more)


class _Counters:
    """What only grows."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.offered = Counter(
            "holdfast_requests_offered",
            "Requests that came, by tier.",
            ("tier",),
            registry=registry,
        )
        self.good = Counter(
            "holdfast_goodput_requests",
            "Requests answered within 250 ms, neither failed nor refused, by tier.",
            ("tier",),
            registry=registry,
        )
        self.shed = Counter(
            "holdfast_shed_requests",
            "Requests that were turned away for the load, by tier, where and why.",
            ("tier", "stage", "reason"),
            registry=registry,
        )
        self.inversions = Counter(
            "holdfast_priority_inversions",
            "Requests turned away within half a second of admitting a lesser one.",
            registry=registry,
        )
        self.pauses = Counter(
            "holdfast_accept_pauses",
            "Times that no connections were accepted for a moment.",
            registry=registry,
        )
        self.calls = Counter(
            "holdfast_concurrency_calls",
            "Requests that a limit was asked about, by what came of them.",
            ("kind", "status"),
            registry=registry,
        )
        self.dropped = Counter(
            "holdfast_queue_dropped",
            "Requests that waited for a permit and got none, by tier and reason.",
            ("tier", "reason"),
            registry=registry,
        )
        self.steps = Counter(
            "holdfast_concurrency_limit_changes",
            "Steps of a limit, by direction and reason.",
            ("kind", "direction", "reason"),
            registry=registry,
        )

    def step(self, event: LimitStep) -> None:
        """A limit was looked at; counted if it changed."""
        if event.limit != event.previous:
            direction = "up" if event.limit > event.previous else "down"
            self.steps.labels(event.limiter, direction, event.reason).inc()


class _Gauges:
    """What is now, by process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(
                f"holdfast_{name}",
                text,
                labels,
                registry=registry,
                multiprocess_mode="liveall",
            )

        self._pressure = gauge(
            "server_pressure", "Pressure from 0 to 1, by signal.", "signal"
        )
        self._level = gauge("server_pressure_level", "Level of pressure, 0 to 4.")
        self._cpu = gauge("process_cpu_ratio", "CPU seconds used a second.")
        self._threshold = gauge(
            "shed_threshold_level", "Level from which requests are shed; 640: none."
        )
        self._share = gauge("shed_ratio", "Share of requests to be shed.")
        self._terms = gauge("shed_pid_term", "Terms of the controller.", "term")
        self._limit = gauge("concurrency_limit", "Requests allowed at once.", "kind")
        self._inflight = gauge("concurrency_inflight", "Requests served now.", "kind")
        self._gradient = gauge(
            "concurrency_gradient", "Latency without load in the recent one.", "kind"
        )
        self._rtt = gauge(
            "concurrency_rtt_seconds", "Latency, recent and without load.", "kind", "of"
        )
        self._depth = gauge("queue_depth", "Requests that wait for a permit.", "tier")
        self._standing = gauge(
            "queue_standing", "1 while the newest is served first.", "kind", "tier"
        )

    def read(self, load: Loaded) -> None:
        """Everything that can be asked for."""
        guard = load.guard
        for name, reading in guard.monitor.readings.items():
            self._pressure.labels(name).set(reading.pressure)
            if name == "cpu":
                self._cpu.set(reading.value)
        self._level.set(guard.levels.level)
        self._threshold.set(guard.shedder.threshold)
        controller = guard.shedder.controller
        self._share.set(controller.share)
        self._terms.labels("p").set(controller.p)
        self._terms.labels("i").set(controller.i)
        for kind, limiter in load.limiters.items():
            self._limit.labels(kind).set(limiter.limit)
            self._inflight.labels(kind).set(limiter.inflight)
        for tier, name in enumerate(TIERS):
            waiting = sum(limiter.depth(tier) for limiter in load.limiters.values())
            self._depth.labels(name).set(waiting)

    def step(self, event: LimitStep) -> None:
        """A limit was looked at."""
        self._gradient.labels(event.limiter).set(event.gradient)
        self._rtt.labels(event.limiter, "recent").set(event.recent_seconds)
        self._rtt.labels(event.limiter, "baseline").set(event.baseline_seconds)

    def standing(self, event: QueueModeChanged) -> None:
        """A tier's queue changed its order."""
        value = 1 if event.is_standing else 0
        self._standing.labels(event.limiter, TIERS[event.tier]).set(value)
