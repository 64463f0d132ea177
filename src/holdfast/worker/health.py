"""Whether the worker is well, over HTTP: /livez, /readyz and /metrics.

A few lines over asyncio instead of a web framework: the worker has no other use
for one, and this must answer when all else is slow. ``/livez`` fails when an
activity has stopped turning, which a restart can mend; ``/readyz`` also when one
turns and fails, as while the database is away, which a restart cannot. Some can fail
without the others: then the worker is ready, and says which.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from prometheus_client import generate_latest

from holdfast.kernel.clock import Monotonic, monotonic
from holdfast.worker.metrics import Metrics
from holdfast.worker.recurring import Recurring

# Longer than any step may take by its own limits, several times over.
STUCK_SECONDS = 600.0
_READ_SECONDS = 5.0
_LONGEST_REQUEST_BYTES = 16 * 1024


class Health:
    """Answers for the activities it is given."""

    def __init__(
        self,
        activities: Sequence[Recurring],
        metrics: Metrics,
        *,
        timer: Monotonic = monotonic,
    ) -> None:
        self._activities = activities
        self._metrics = metrics
        self._timer = timer

    def stuck(self) -> list[str]:
        """Activities that have not turned for too long."""
        before = self._timer() - STUCK_SECONDS
        return [a.name for a in self._activities if a.turned_at < before]

    def failing(self, *, dispensable: bool = False) -> list[str]:
        """Activities whose last step failed, those that are needed or the others."""
        return [
            a.name
            for a in self._activities
            if not a.works and a.dispensable is dispensable
        ]

    @asynccontextmanager
    async def served(self, host: str, port: int) -> AsyncIterator[int]:
        """Answer HTTP meanwhile; gives the port, as 0 asks for a free one."""
        server = await asyncio.start_server(
            self._answer, host, port, limit=_LONGEST_REQUEST_BYTES
        )
        async with server:
            yield server.sockets[0].getsockname()[1]

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            async with asyncio.timeout(_READ_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._response(head))
                await writer.drain()
        except (OSError, TimeoutError, EOFError, asyncio.LimitOverrunError):
            # Whoever asked does not want to know.
            return
        finally:
            writer.close()

    def _response(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b" ")
        path = rest.split(b" ", 1)[0].split(b"?", 1)[0]
        if method not in (b"GET", b"HEAD"):
            return _reply("405 Method Not Allowed", b"method not allowed\n")
        if path == b"/metrics":
            kind = "text/plain; version=0.0.4; charset=utf-8"
            return _reply("200 OK", generate_latest(self._metrics.registry), kind)
        if path == b"/livez":
            return _verdict(self.stuck())
        if path == b"/readyz":
            return _verdict(
                [*self.stuck(), *self.failing()], self.failing(dispensable=True)
            )
        return _reply("404 Not Found", b"not found\n")


def _verdict(faults: Sequence[str], lesser: Sequence[str] = ()) -> bytes:
    if faults:
        said = "not well: " + ", ".join(faults) + "\n"
        return _reply("503 Service Unavailable", said.encode())
    if lesser:
        return _reply("200 OK", ("degraded: " + ", ".join(lesser) + "\n").encode())
    return _reply("200 OK", b"ok\n")


def _reply(status: str, body: bytes, kind: str = "text/plain; charset=utf-8") -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
