"""Redis (or Valkey) for what may be lost: nothing that sells depends on it.

Every call is short, and none raises because the server is slow or gone: a read
then finds nothing and a write does nothing. ``ping`` is the exception, for those
who ask whether it is there.
"""

import asyncio
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.connection import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

from holdfast.kernel.clock import Monotonic, monotonic
from holdfast.platform.dependencies import LIMITS, REDIS
from holdfast.resilience.breaker import CircuitBreaker
from holdfast.resilience.circuit import Breaker
from holdfast.resilience.deadline import Deadline
from holdfast.resilience.errors import CircuitOpen, NotEnoughTime, TimedOut

_TIMEOUT_SECONDS = 0.25
COMMAND_SECONDS = 2 * _TIMEOUT_SECONDS
"""How long one command may take, a new connection included."""
_FAILURES = (RedisError, OSError, TimeoutError)
_log = structlog.get_logger()


class Cache:
    """Small values by key, each with its time to live; gone when Redis is."""

    def __init__(
        self,
        client: Redis,
        *,
        breaker: Breaker | None = None,
        timer: Monotonic = monotonic,
    ) -> None:
        self._client = client
        self._guarded = CircuitBreaker(
            breaker or Breaker(REDIS, LIMITS[REDIS].rules, timer=timer),
            timeout_seconds=COMMAND_SECONDS,
            failures=_FAILURES,
            unreachable=_FAILURES,
            timer=timer,
        )
        self._limit = Deadline(2 * _TIMEOUT_SECONDS, stage="redis", timer=timer)
        self.failures = 0

    @classmethod
    def connect(
        cls, url: str, *, size: int = 20, breaker: Breaker | None = None
    ) -> "Cache":
        """A cache over up to *size* connections; the first is made when needed."""
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=size,
            timeout=_TIMEOUT_SECONDS,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            protocol=3,
            # With notifications on, a pooled connection that the server closed
            # while idle fails the next command (redis-py #4177).
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
            # What is lost is not asked for again: the database knows it too.
            retry=Retry(NoBackoff(), 0),
        )
        return cls(Redis(connection_pool=pool), breaker=breaker)

    async def close(self) -> None:
        """Close every connection."""
        try:
            await self._client.aclose()
            await self._client.connection_pool.disconnect()
        except _FAILURES:
            # It is gone already.
            return

    async def ping(self) -> None:
        """Return if the server answers; raises ``TimeoutError`` or ``OSError`` else."""
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                await self._client.ping()
        except RedisError as error:
            raise OSError(str(error)) from error

    async def get(self, key: str) -> bytes | None:
        """The value, or None if there is none or no server."""
        value: bytes | None = await self._try("GET", key)
        return value

    async def set(self, key: str, value: bytes, *, ttl_seconds: float) -> None:
        """Keep *value* for a while, if there is a server."""
        await self._try("SET", key, value, "PX", int(ttl_seconds * 1000))

    async def delete(self, *keys: str) -> None:
        """Forget *keys*; one that could not be reached lives until its time."""
        if keys:
            await self._try("DEL", *keys)

    async def _try(self, *command: Any) -> Any:
        # A failure leaves it alone for a second, so that a dead server costs one
        # timeout a second and not one for each request.
        try:
            return await self._guarded(lambda: self._command(*command))
        except (CircuitOpen, NotEnoughTime):
            return None
        except TimedOut as error:
            if (error.after_seconds or 0) >= 2 * _TIMEOUT_SECONDS:
                self._note(command[0], error)
            # Else its request was in a hurry: that says nothing about the server.
            return None
        except _FAILURES as error:
            self._note(command[0], error)
            return None

    def _note(self, command: str, error: Exception) -> None:
        self.failures += 1
        _log.warning("cache_failed", command=command, error=repr(error))

    async def _command(self, *command: Any) -> Any:
        return await self._limit(
            lambda: self._client.execute_command(*command)  # type: ignore[no-untyped-call]
        )
