"""What one process counts of holds, for Prometheus."""

from typing import Literal, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

Outcome: TypeAlias = Literal[
    "granted", "duplicate", "insufficient", "busy", "failed", "released", "expired"
]
"""Of a request for a hold one of the first five, and of a hold that ended here."""
Path: TypeAlias = Literal["direct", "batch", "gate"]
"""A statement of its own, with others in one, or from memory."""

_SECONDS = (0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_OUTCOMES: tuple[Outcome, ...] = (
    *("granted", "duplicate", "insufficient", "busy", "failed"),
    *("released", "expired"),
)
_PATHS: tuple[Path, ...] = ("direct", "batch", "gate")


class HoldMetrics:
    """The numbers of holds; children of labels are kept, which makes counting cheap."""

    def __init__(self, registry: CollectorRegistry) -> None:
        reservations = Counter(
            "holdfast_inventory_reservations",
            "Requests for holds by what came of them, and holds that ended here.",
            ("outcome",),
            registry=registry,
        )
        seconds = Histogram(
            "holdfast_inventory_reserve_seconds",
            "Time to decide a request for a hold, by how it was decided.",
            ("path",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.outcome = {name: reservations.labels(name) for name in _OUTCOMES}
        self.seconds = {name: seconds.labels(name) for name in _PATHS}
        self.batch_size = Histogram(
            "holdfast_inventory_batch_size",
            "Requests decided in one transaction.",
            buckets=_SIZES,
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "holdfast_inventory_batch_seconds",
            "Time that one transaction of a batch took.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.lock_wait_seconds = Histogram(
            "holdfast_inventory_lock_wait_seconds",
            "Time that a request decided by itself took to lock its stock.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.hot_skus = Gauge(
            "holdfast_inventory_hot_skus",
            "Variants whose requests are combined at this moment.",
            # Those of several processes are mostly the same ones.
            multiprocess_mode="livemax",
            registry=registry,
        )
