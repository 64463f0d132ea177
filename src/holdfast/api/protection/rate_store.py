"""Where the buckets of all processes are: Redis, and what stands in when it is gone.

A check is one round trip, shared with every other of the same turn of the loop, and
callers who ask often get tokens for 50 ms at once. It has 25 ms; after five failures in
a row this process counts by itself, its share of each limit, and asks Redis again
after a second. Nobody is refused because Redis is gone, and nobody gets in by it:
credentials are granted exactly what they were, shared by the processes.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from holdfast.resilience.events import RateLeased, RateStoreMoved
from holdfast.resilience.rate import Limiter, Quota, Verdict
from holdfast.resilience.rate.fallback import FallbackLimiter
from holdfast.resilience.rate.lease import LeasingLimiter
from holdfast.resilience.rate.redis import RedisLimiter

_STATES = ("up", "degraded", "down")
_log = structlog.get_logger()


class StoreMetrics:
    """What becomes of the way to Redis, counted."""

    def __init__(self, registry: CollectorRegistry) -> None:
        state = Gauge(
            "holdfast_ratelimit_backend_state",
            "How many processes find the shared buckets in this state.",
            ("state",),
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._states = {name: state.labels(name) for name in _STATES}
        self._states["up"].set(1)
        self._fallback_seconds = Counter(
            "holdfast_ratelimit_fallback_seconds",
            "Time that processes counted by themselves because Redis was gone.",
            registry=registry,
        )
        self._leased = Gauge(
            "holdfast_ratelimit_lease_tokens",
            "Units fetched from the shared buckets and not used yet.",
            ("policy",),
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.round_trips = Counter(
            "holdfast_ratelimit_redis_roundtrips",
            "Batches of checks that were sent to Redis.",
            registry=registry,
        )
        self.noscript = Counter(
            "holdfast_ratelimit_noscript",
            "Times that Redis did not know the script and was sent it again.",
            registry=registry,
        )

    def moved(self, event: RateStoreMoved) -> None:
        """Redis came or went."""
        for name, state in self._states.items():
            state.set(int(name == event.after))
        if event.before != "up":
            self._fallback_seconds.inc(event.seconds)
        _log.warning(
            "rate_limits_moved",
            before=event.before,
            after=event.after,
            seconds=round(event.seconds, 3),
        )

    def leased(self, event: RateLeased) -> None:
        """Units went out, or came back."""
        for policy in event.policies:
            self._leased.labels(policy).inc(event.tokens)


class Counted:
    """A limiter, and what it sends to Redis counted."""

    def __init__(
        self, limiter: Limiter, redis: RedisLimiter, metrics: StoreMetrics
    ) -> None:
        self._limiter = limiter
        self._redis = redis
        self._metrics = metrics
        self._trips = 0
        self._texts = 0

    async def take(
        self, subject: str, quotas: Sequence[Quota], cost: int = 1
    ) -> Verdict:
        """Take *cost* tokens from every quota, or from none; never fails."""
        verdict = await self._limiter.take(subject, quotas, cost)
        trips, texts = self._redis.round_trips, self._redis.sent_by_source
        if trips != self._trips:
            self._metrics.round_trips.inc(trips - self._trips)
            self._trips = trips
        if texts != self._texts:
            self._metrics.noscript.inc(texts - self._texts)
            self._texts = texts
        return verdict


@asynccontextmanager
async def opened_store(
    url: str, *, processes: int, registry: CollectorRegistry
) -> AsyncIterator[Limiter]:
    """The shared buckets at *url*; connections are made when they are needed."""
    metrics = StoreMetrics(registry)
    redis = RedisLimiter.connect(url)
    leases = LeasingLimiter(redis, processes=lambda: processes, listen=metrics.leased)
    always = FallbackLimiter(leases, processes=lambda: processes, listen=metrics.moved)
    try:
        yield Counted(always, redis, metrics)
    finally:
        await leases.close()
        await redis.close()
