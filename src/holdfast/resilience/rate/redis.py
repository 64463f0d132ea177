"""Buckets shared by all processes, in Redis or Valkey: one round trip a check.

The script runs on the server, under the server's clock, over all quotas of one
subject. It is called by its hash; a server that does not know it (restarted,
failed over, flushed) gets its text once. Checks raised in one turn of the loop
share a round trip (``rate.lane``), and each is answered within 25 ms or raises
``StoreUnavailable``: put a ``FallbackLimiter`` around it.

Redis 6.2 or later. Use a server of its own, or one that evicts nothing: a key that
is evicted is a bucket that is full again.
"""

from collections.abc import Sequence
from typing import Protocol, Self

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, ReadOnlyError, RedisError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig

from holdfast.resilience.rate import script
from holdfast.resilience.rate.lane import Lane
from holdfast.resilience.rate.quota import Quota, StoreUnavailable, Verdict
from holdfast.resilience.rate.script import Command

__all__ = ["CHECK_SECONDS", "RedisLimiter", "Server"]

CHECK_SECONDS = 0.025
"""How long a check may take: a fortieth of what people call at once."""
CONNECTING_CHECKS = 10
"""How many times as long it may take to connect, which no check has to wait for."""


class Server(Protocol):
    """Answers a check, wherever its keys are."""

    @property
    def round_trips(self) -> int:
        """Batches of checks that were sent so far."""
        ...

    async def ask(self, tag: str, command: Command) -> object:
        """The answer to *command*, whose keys have *tag*."""
        ...

    async def close(self) -> None: ...


class RedisLimiter:
    """A limiter over all processes that use the same server or cluster."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.sent_by_source = 0
        """How often the text of the script had to be sent."""

    @property
    def round_trips(self) -> int:
        """How often something was sent so far: many checks may share one."""
        return self._server.round_trips

    @classmethod
    def connect(
        cls, url: str, *, seconds: float = CHECK_SECONDS, connections: int = 2
    ) -> Self:
        """A limiter over one server; connections are made when needed."""
        pool = ConnectionPool.from_url(url, **CONNECTING)

        def make() -> RedisWire:
            return RedisWire(pool.make_connection())  # type: ignore[no-untyped-call]

        lane = Lane(
            make, connections=connections, connect_seconds=CONNECTING_CHECKS * seconds
        )
        return cls(_OneServer(lane, seconds))

    async def take(
        self,
        subject: str,
        quotas: Sequence[Quota],
        cost: int = 1,
        *,
        most: int | None = None,
    ) -> Verdict:
        """Take *cost* tokens from every quota, or from none; or up to *most*."""
        if cost < 0:
            raise ValueError("a call cannot cost less than nothing")
        if not quotas:
            return Verdict(allowed=True, source="store")
        most = cost if most is None else max(cost, most)
        reply = await self._run(subject, script.words(subject, quotas, cost, most))
        return script.verdict_of(reply, quotas, cost)

    async def give(self, subject: str, quotas: Sequence[Quota], tokens: int) -> None:
        """Give back tokens that were taken and not used."""
        if tokens > 0 and quotas:
            await self._run(subject, script.words(subject, quotas, -tokens, 0))

    async def close(self) -> None:
        """Drop the connections."""
        await self._server.close()

    async def _run(self, subject: str, arguments: Command) -> object:
        tag = script.tag_of(subject)
        reply = await self._server.ask(tag, script.by_hash(arguments))
        if isinstance(reply, NoScriptError):
            self.sent_by_source += 1
            reply = await self._server.ask(tag, script.by_source(arguments))
        if isinstance(reply, Exception):
            raise StoreUnavailable(repr(reply)) from reply
        return reply


class RedisWire:
    """A connection as the client library makes them."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection

    async def connect(self) -> None:
        try:
            await self._connection.connect()  # type: ignore[no-untyped-call]
        except RedisError as error:
            raise ConnectionError(str(error)) from error

    async def ask(self, commands: Sequence[Command]) -> list[object]:
        connection = self._connection
        answers: list[object] = []
        try:
            await connection.send_packed_command(
                connection.pack_commands(commands), check_health=False
            )
            for _ in commands:
                try:
                    answers.append(await connection.read_response())
                except ResponseError as error:
                    answers.append(error)
        except RedisError as error:
            raise ConnectionError(str(error)) from error
        return answers

    async def drop(self) -> None:
        await self._connection.disconnect(nowait=True)


class _OneServer:
    def __init__(self, lane: Lane, seconds: float) -> None:
        self._lane = lane
        self._seconds = seconds

    @property
    def round_trips(self) -> int:
        return self._lane.round_trips

    async def ask(self, _tag: str, command: Command) -> object:
        answer = await self._lane.ask(command, seconds=self._seconds)
        if isinstance(answer, ReadOnlyError):
            # It is a replica now; its name may lead to the new primary.
            self._lane.renew()
        return answer

    async def close(self) -> None:
        await self._lane.close()


CONNECTING = {
    "protocol": 3,
    # The lane has its own deadlines, and repeats what may be repeated.
    "socket_timeout": None,
    "socket_connect_timeout": 1.0,
    "retry": Retry(NoBackoff(), 0),
    # With notifications on, a connection that the server closed while it was idle
    # fails the next command (redis-py #4177).
    "maint_notifications_config": MaintNotificationsConfig(enabled=False),
}
