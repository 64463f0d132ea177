"""A client's side of HTTP/1.1 with as little work as can be.

It shares two cores with what it measures, so every microsecond it takes is missing
there: requests are bytes made beforehand, of an answer only the status and the body
are looked at, and there is no task and no future in between. It reads what our
own servers write: one answer at a time, with a Content-Length.
"""

import asyncio
from typing import Any, Protocol

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


class User(Protocol):
    """Who sends requests over a connection."""

    def connected(self, connection: "Connection") -> None: ...

    def answered(self, status: int, body: bytes) -> None: ...

    def lost(self) -> None: ...


class Connection(asyncio.Protocol):
    """One keep-alive connection of one user."""

    def __init__(self, user: User) -> None:
        self._user = user
        self._transport: Any = None
        self._buffer = b""
        self._body_at = 0
        self._need = 0
        self.head = b""
        """Of the last answer: its status and header fields."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._user.connected(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._user.lost()

    def send(self, request: bytes) -> None:
        self._transport.write(request)

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        if not self._need:
            end = data.find(_HEAD_END)
            if end < 0:
                self._buffer = data
                return
            self._body_at = end + 4
            self.head = data[:end]
            self._need = self._body_at + length_of(self.head)
        if len(data) < self._need:
            self._buffer = data
            return
        body = data[self._body_at : self._need]
        self._buffer, self._need = b"", 0
        self._user.answered(int(data[9:12]), body)


def length_of(head: bytes) -> int:
    """Of the body that follows a head; 0 if it does not say."""
    at = head.find(_LENGTH)
    if at < 0:
        head = head.lower()
        at = head.find(_LENGTH)
        if at < 0:
            return 0
    end = head.find(b"\r", at)
    return int(head[at + len(_LENGTH) : end if end > 0 else None])


def get(path: str, token: bytes = b"") -> bytes:
    """A GET request."""
    who = b"authorization: Bearer " + token + b"\r\n" if token else b""
    return b"GET " + path.encode() + b" HTTP/1.1\r\nhost: shop\r\n" + who + b"\r\n"


def post(path: bytes, body: bytes, extra: bytes = b"") -> bytes:
    """A POST request of a JSON body."""
    return b"".join(
        (
            b"POST ",
            path,
            b" HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\n",
            extra,
            b"content-length: %d\r\n\r\n" % len(body),
            body,
        )
    )
