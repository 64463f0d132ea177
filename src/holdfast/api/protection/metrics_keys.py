"""What became of requests with an idempotency key, counted.

By the way the key is claimed and by outcome, never by key, caller or path: the route of
a request is counted with the requests themselves.
"""

from functools import cache
from typing import Any, Literal, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Histogram

Outcome: TypeAlias = Literal[
    "new",
    "replayed",
    "refused",
    "failed",
    "in_progress",
    "mismatch",
    "missing",
    "malformed",
    "not_kept",
    "takeover",
]
Step: TypeAlias = Literal["claim", "answer"]

_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5)


class KeyMetrics:
    """The counters of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "holdfast_idempotency_requests",
            "Requests with an idempotency key, by how it is claimed and what came of "
            "it.",
            ("claims", "outcome"),
            registry=registry,
        )
        self.takeovers = Counter(
            "holdfast_idempotency_lease_takeovers",
            "Requests that went on in the place of one whose lease ran out.",
            registry=registry,
        )
        seconds = Histogram(
            "holdfast_idempotency_store_seconds",
            "Time to claim a key with BEGIN, and to keep an answer with COMMIT.",
            ("step",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self.seconds: dict[Step, Any] = {
            "claim": seconds.labels("claim"),
            "answer": seconds.labels("answer"),
        }
        self._count = cache(self._requests.labels)

    def count(self, claims: str, outcome: Outcome) -> None:
        """One request came to this."""
        self._count(claims, outcome).inc()
