"""What the rate limits decided, counted.

By policy, never by key or address: a hundred policies at most, and few callers of other
kinds meet one of them. What is counted in the process alone has the class ``any``
where nobody knows yet what is asked for.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Histogram

from holdfast.resilience.rate import Verdict

Outcome: TypeAlias = Literal[
    "allowed",
    "denied",
    "shadow_denied",
    "fallback_allowed",
    "fallback_denied",
    "too_costly",
]
_BACKENDS = {"store": "redis", "lease": "lease", "local": "local"}
# From a look into memory to twice the time after which Redis is given up.
_BUCKETS = (0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.0025, 0.01, 0.025, 0.05)


class RateMetrics:
    """The counters of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        decisions = Counter(
            "holdfast_ratelimit_decisions",
            "Decisions of the rate limits, by policy.",
            ("policy", "role", "route_class", "outcome"),
            registry=registry,
        )
        seconds = Histogram(
            "holdfast_ratelimit_check_duration_seconds",
            "Time that a check of the shared limits took, by where it was answered.",
            ("backend",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._observe = {
            source: seconds.labels(backend).observe
            for source, backend in _BACKENDS.items()
        }
        self._allowed: dict[tuple[str, str, str], int] = {}
        self._count: Callable[..., Any] = lru_cache(4096)(decisions.labels)

    def allowed(self, policy: str, role: str, kind: str) -> None:
        """Count a request that one quota let through: most of them, so in 0.1 us."""
        key = (policy, role, kind)
        self._allowed[key] = self._allowed.get(key, 0) + 1

    def hand_on(self) -> None:
        """Give Prometheus what was counted since the last time."""
        allowed, self._allowed = self._allowed, {}
        for key, count in allowed.items():
            self._count(*key, "allowed").inc(count)

    def decided(
        self, verdict: Verdict, role: str, kind: str, *, fallback: bool
    ) -> None:
        """Count what came of each quota that was asked."""
        for standing in verdict.standings:
            outcome = _outcome(verdict, standing.retry_micros, fallback=fallback)
            if outcome is not None:
                self._count(standing.quota.name, role, kind, outcome).inc()

    def shadowed(self, verdict: Verdict, role: str, kind: str) -> None:
        """Count what would have come of quotas that refuse nobody."""
        for standing in verdict.standings:
            outcome = "shadow_denied" if standing.retry_micros else "allowed"
            self._count(standing.quota.name, role, kind, outcome).inc()

    def took(self, verdict: Verdict, seconds: float) -> None:
        """Note how long a check took that may have asked Redis."""
        self._observe[verdict.source](seconds)


def _outcome(verdict: Verdict, retry_micros: int, *, fallback: bool) -> Outcome | None:
    if verdict.allowed:
        return "fallback_allowed" if fallback else "allowed"
    if retry_micros == 0:
        # Another policy refused: of this one nothing was taken.
        return None
    if retry_micros < 0:
        return "too_costly"
    return "fallback_denied" if fallback else "denied"
