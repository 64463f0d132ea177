"""How often somebody waits for PostgreSQL, counted on the wire.

A relay between a shop and its database. The server ends its answer to each message
that a client waits for with ``ReadyForQuery``; so many of them are so many round trips,
whatever the driver does and however many statements go in one message.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

_READY = ord("Z")
# One byte says what a message is, four how long the rest is, those four included.
_HEAD = 5
_LENGTH = 4
_CHUNK = 1 << 16


@dataclass
class Relay:
    """Passes on what both sides say, and counts."""

    url: str
    count: int = 0
    _busy: set["asyncio.Task[None]"] = field(default_factory=set)

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """One connection of the shop's, until either side ends it."""
        where = urlsplit(self.url)
        host, port = where.hostname or "127.0.0.1", where.port or 5432
        there, back = await asyncio.open_connection(host, port)
        counter = _Ready()
        with suppress(OSError):
            async with asyncio.TaskGroup() as both:
                both.create_task(_pass(reader, back))
                both.create_task(self._count(there, writer, counter))

    async def _count(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        counter: "_Ready",
    ) -> None:
        while chunk := await reader.read(_CHUNK):
            self.count += counter.feed(chunk)
            writer.write(chunk)
        writer.close()


class _Ready:
    """Finds the ends of answers in a stream of messages."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._has_begun = False

    def feed(self, chunk: bytes) -> int:
        """How many answers ended in this piece of the stream."""
        if not self._has_begun:
            self._has_begun = True
            # No, there is no encryption: the only answer that is a byte and no message.
            chunk = chunk.removeprefix(b"N")
        self._rest += chunk
        found = at = 0
        while len(self._rest) - at >= _HEAD:
            size = 1 + int.from_bytes(self._rest[at + 1 : at + 1 + _LENGTH])
            if len(self._rest) - at < size:
                break
            found += self._rest[at] == _READY
            at += size
        del self._rest[:at]
        return found


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK):
        writer.write(chunk)
    writer.close()


@asynccontextmanager
async def relayed(url: str) -> AsyncIterator[tuple[Relay, str]]:
    """A relay to the database at *url*, and the address at which it is reached."""
    relay = Relay(url)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    where = urlsplit(url)
    who = where.netloc.rpartition("@")[0]
    netloc = f"{who}@127.0.0.1:{port}" if who else f"127.0.0.1:{port}"
    # In clear: what is encrypted cannot be counted.
    try:
        yield relay, urlunsplit(where._replace(netloc=netloc))
    finally:
        server.close()
