"""A client that goes on: it asks any of the API's processes until one answers.

One connection at a time, kept as long as it lasts, to one of several processes. When
it breaks, the next request goes to another process, as through a load balancer.
"""

import asyncio
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.cli.bench.connection import Connection

PATIENCE_SECONDS = 20.0
_CONNECT_SECONDS = 5.0
_RETRY_AFTER = re.compile(rb"\r\nretry-after: *(\d+)", re.IGNORECASE)


class Lost(Exception):
    """No answer came: what was asked may have happened or not."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    retry_after: float | None
    """Seconds to wait before the next try, if it says so."""


class _Talk:
    """One connection: at most one question at a time."""

    def __init__(self) -> None:
        self.is_over = False
        self._waiting: asyncio.Future[Answer] | None = None
        self._connection: Connection | None = None

    async def ask(self, request: bytes) -> Answer:
        if self._connection is None or self.is_over:
            raise ConnectionResetError
        self._waiting = asyncio.get_running_loop().create_future()
        self._connection.send(request)
        return await self._waiting

    def connected(self, connection: Connection) -> None:
        self._connection = connection

    def answered(self, status: int, body: bytes) -> None:
        if self._waiting is None or self._waiting.done() or self._connection is None:
            return
        found = _RETRY_AFTER.search(self._connection.head)
        wait = None if found is None else float(found[1])
        self._waiting.set_result(Answer(status, bytes(body), wait))

    def lost(self) -> None:
        self.is_over = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionResetError())


class Line:
    """The side of one client."""

    def __init__(
        self, ports: Sequence[int], chance: random.Random, *, host: str = "127.0.0.1"
    ) -> None:
        self._host = host
        self._ports = ports
        self._chance = chance
        self._talk: _Talk | None = None
        self._transport: asyncio.Transport | None = None
        self.process = chance.randrange(len(ports))
        self.asked = self.process
        """Which of them was asked last."""

    async def ask(
        self, request: bytes, *, hang_up_after: float = PATIENCE_SECONDS
    ) -> Answer:
        """Send and wait; ``Lost`` if the connection ends or it takes too long."""
        try:
            async with asyncio.timeout(hang_up_after):
                return await (await self._ready()).ask(request)
        except (TimeoutError, OSError):
            self.hang_up()
            raise Lost from None

    def hang_up(self) -> None:
        """End the connection; the next request goes to another process."""
        if self._transport is not None:
            self._transport.abort()
        self._talk = self._transport = None
        others = len(self._ports) - 1
        if others:
            step = 1 + self._chance.randrange(others)
            self.process = (self.process + step) % len(self._ports)

    async def _ready(self) -> _Talk:
        if self._talk is not None and self._talk.is_over:
            self.hang_up()
        self.asked = self.process
        if self._talk is None:
            talk = _Talk()
            async with asyncio.timeout(_CONNECT_SECONDS):
                (
                    self._transport,
                    _,
                ) = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(talk), self._host, self._ports[self.process]
                )
            self._talk = talk
        return self._talk
