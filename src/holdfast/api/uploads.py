"""Read a form with a file in it (``multipart/form-data``, RFC 7578) as it comes.

The file goes to one without a name on the disk, of which nothing is left however the
process ends, and is never whole in memory. What is too large is refused at the byte
that is too much, and before the first where the client says how many there will be.
"""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO

from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from holdfast.api import decoding
from holdfast.api.problems import MalformedRequest, UnsupportedMediaType
from holdfast.api.shapes import invalid
from holdfast.resilience.asgi import Receive, Scope
from holdfast.resilience.errors import BodyTooLarge

FORM_BYTES = 16 << 10
"""What a form may hold besides its file: boundaries, headers and texts."""

_FORM = "multipart/form-data"
_MAX_PARTS = 8
_MAX_TEXT_BYTES = 4 << 10
# Written out in pieces of so much, each by a thread: handing over costs 0.1 ms.
_PIECE_BYTES = 1 << 20


@dataclass(slots=True)
class Arrived:
    """A form that was read: its file, and its texts by name."""

    file: IO[bytes]
    texts: dict[str, str]
    name: str | None = None
    """What the client calls the file."""
    bytes: int = 0
    sha256: str = ""


@asynccontextmanager
async def arriving(
    scope: Scope, receive: Receive, *, file: str, texts: frozenset[str], most_bytes: int
) -> AsyncIterator[Arrived]:
    """The form of a request: a part *file* of up to *most_bytes*, and these *texts*.

    Raises ``UnsupportedMediaType``, ``MalformedRequest`` for one that is cut off,
    ``BodyTooLarge``, or ``InvalidRequest`` for parts that are missing or unknown.
    """
    parser = PushMultipartParser(
        _boundary(scope), max_segment_count=_MAX_PARTS, strict=True
    )
    with tempfile.TemporaryFile() as to:
        form = _Form(to, file, texts, most_bytes)
        try:
            async for piece in decoding.pieces(receive):
                # What comes after the last boundary is read past, as RFC 2046 has it.
                if piece and not parser.closed:
                    for event in parser.parse(piece):
                        form.take(event)
                    await form.write(least=_PIECE_BYTES)
            parser.close()
        except ParserLimitReached:
            raise MalformedRequest("The form has too many parts, or headers.") from None
        except MultipartError as error:
            raise MalformedRequest(f"The form cannot be read: {error}.") from None
        await form.write()
        yield form.arrived()


class _Form:
    """A form while it is being read."""

    def __init__(
        self, to: IO[bytes], file: str, texts: frozenset[str], most_bytes: int
    ) -> None:
        self._arrived = Arrived(to, {})
        self._file = file
        self._texts = texts
        self._most_bytes = most_bytes
        self._seen: set[str] = set()
        self._part = ""
        self._piece = bytearray()
        self._text = bytearray()
        self._hash = hashlib.sha256()

    def take(self, event: MultipartSegment | bytes | None) -> None:
        """Take what the parser found: a part begins, goes on, or ends."""
        if isinstance(event, MultipartSegment):
            self._begin(event)
        elif event is None:
            self._end()
        elif self._part == self._file:
            self._arrived.bytes += len(event)
            if self._arrived.bytes > self._most_bytes:
                raise BodyTooLarge(limit_bytes=self._most_bytes)
            self._piece += event
        else:
            self._text += event
            if len(self._text) > _MAX_TEXT_BYTES:
                raise invalid(f"/{self._part}", "Is too long")

    async def write(self, least: int = 1) -> None:
        """Write what has come of the file, if it is enough to be worth it."""
        if len(self._piece) >= least:
            piece, self._piece = self._piece, bytearray()
            await asyncio.to_thread(self._write, piece)

    def arrived(self) -> Arrived:
        """The form as a whole."""
        if self._file not in self._seen:
            raise invalid(f"/{self._file}", "Is missing")
        self._arrived.sha256 = self._hash.hexdigest()
        return self._arrived

    def _begin(self, segment: MultipartSegment) -> None:
        name = segment.name or ""
        if name in self._seen:
            raise invalid(f"/{name}", "Was given before")
        if name != self._file and name not in self._texts:
            raise invalid(f"/{name[:64]}", "Is not a part of this form")
        self._seen.add(name)
        self._part = name
        if name == self._file:
            self._arrived.name = segment.filename

    def _end(self) -> None:
        if self._part == self._file:
            return
        try:
            text = self._text.decode()
        except UnicodeDecodeError:
            raise invalid(f"/{self._part}", "Is not UTF-8") from None
        self._arrived.texts[self._part] = text
        self._text = bytearray()

    def _write(self, piece: bytearray) -> None:
        self._hash.update(piece)
        self._arrived.file.write(piece)
        self._arrived.file.flush()


def _boundary(scope: Scope) -> str:
    said = ""
    for name, value in scope["headers"]:
        if name == b"content-type":
            said = value.decode("latin-1")
    media, options = parse_options_header(said)
    if media != _FORM:
        raise UnsupportedMediaType(_FORM)
    boundary: str = options.get("boundary", "")
    # RFC 2046 5.1.1 allows so many.
    if not 1 <= len(boundary) <= 70 or not boundary.isascii():  # noqa: PLR2004
        raise MalformedRequest("The form's Content-Type lacks a boundary.")
    return boundary
