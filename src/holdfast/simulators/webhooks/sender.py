"""Posts over HTTP/1.1 and says with which status it was answered.

Connections are kept and used again, which spares a busy receiver the handshakes.
The receiver may be as badly behaved as it likes: an answer is read up to 64 KiB,
for 10 s in all.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httptools

_PATIENCE_SECONDS = 10.0
_MOST_BYTES = 64 * 1024
_MOST_IDLE = 16


class NotAnswered(Exception):
    """The receiver could not be reached, or said nothing that is HTTP."""


class _Lost(Exception):
    """The connection ended before anything was answered on it."""


@dataclass(frozen=True, slots=True)
class _Place:
    host: str
    port: int
    secure: bool


class _Answer:
    """What httptools calls back."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.reusable = self.complete = False

    def take(self, chunk: bytes) -> None:
        try:
            self.parser.feed_data(chunk)
        except httptools.HttpParserError:
            # What follows a whole answer is none of ours: a 204 with a body, say.
            if not self.complete:
                raise
            self.reusable = False

    def on_headers_complete(self) -> None:
        # At the end of a body in chunks the parser knows it no longer.
        self.reusable = bool(self.parser.should_keep_alive())

    def on_message_complete(self) -> None:
        self.complete = True


_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Sender:
    def __init__(self, *, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        self._patience_seconds = patience_seconds
        self._idle: dict[_Place, list[_Connection]] = {}

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """The status. Raises ``NotAnswered``."""
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        place = _Place(parts.hostname or "", port, secure)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"POST {path} HTTP/1.1", f"host: {parts.netloc}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines.append(f"content-length: {len(body)}")
        request = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
        try:
            async with asyncio.timeout(self._patience_seconds):
                return await self._exchange(place, request)
        except TimeoutError:
            reason = f"no answer within {self._patience_seconds:g} s"
            raise NotAnswered(reason) from None
        except (OSError, httptools.HttpParserError, _Lost) as error:
            raise NotAnswered(str(error) or type(error).__name__) from None

    async def close(self) -> None:
        for connections in self._idle.values():
            for _, writer in connections:
                await _close(writer)
        self._idle.clear()

    async def _exchange(self, place: _Place, request: bytes) -> int:
        while idle := self._idle.get(place):
            # An idle one may have been closed by the other side meanwhile; the
            # receiver knows a webhook that arrives twice by its id.
            with contextlib.suppress(_Lost, ConnectionError):
                return await self._converse(place, idle.pop(), request)
        context = ssl.create_default_context() if place.secure else None
        opened = await asyncio.open_connection(place.host, place.port, ssl=context)
        return await self._converse(place, opened, request)

    async def _converse(
        self, place: _Place, connection: _Connection, request: bytes
    ) -> int:
        reader, writer = connection
        reusable = False
        try:
            writer.write(request)
            parser, reusable = await _read(reader)
            return int(parser.get_status_code())
        finally:
            idle = self._idle.setdefault(place, [])
            if reusable and len(idle) < _MOST_IDLE:
                idle.append(connection)
            else:
                await _close(writer)


async def _close(writer: asyncio.StreamWriter) -> None:
    # At once, whatever the other side has yet to take.
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def _read(
    reader: asyncio.StreamReader,
) -> tuple[httptools.HttpResponseParser, bool]:
    """The parser, and whether the connection can be used again."""
    answer = _Answer()
    parser = answer.parser
    size = 0
    while not answer.complete:
        chunk = await reader.read(_MOST_BYTES)
        size += len(chunk)
        if not chunk:
            if not size:
                raise _Lost("the connection was closed without an answer")
            # A body without a length lasts until the end; its status is known.
            if parser.get_status_code():
                return parser, False
            raise _Lost("the connection was closed in mid-answer")
        answer.take(chunk)
        if size > _MOST_BYTES:
            return parser, False
    return parser, answer.reusable
