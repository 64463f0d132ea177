"""How long calls to others take, and how they end: one histogram a process."""

from collections.abc import Callable
from functools import partial

from prometheus_client import CollectorRegistry, Histogram

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class OutgoingCalls:
    """Calls to services that are not ours, by what was asked and how it ended."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "holdfast_outgoing_call_seconds",
            "Time of each attempt to ask another service.",
            ("service", "operation", "outcome"),
            buckets=_BUCKETS,
            registry=registry,
        )

    def watch(self, service: str) -> Callable[[str, str, float], None]:
        """What counts the calls to one service: operation, outcome, seconds."""
        return partial(self._observe, service)

    def _observe(
        self, service: str, operation: str, outcome: str, seconds: float
    ) -> None:
        self._seconds.labels(service, operation, outcome).observe(seconds)
