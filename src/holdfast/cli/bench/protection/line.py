"""One client's connection, on a bare socket: the cheapest there is in Python.

An event loop with protocols costs twice as much a request, and its timers are good for
a millisecond only; the load shares its core with others and has to keep its schedule
to much less. Answers have a ``Content-Length`` and come one at a time, as our own
servers write them.
"""

import errno
import socket
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector
from typing import Any, Protocol

from holdfast.cli.bench.connection import length_of

CLOSED = "closed by the server"
_READ_BYTES = 256 * 1024
_OK = b"200"
_HEAD_END = b"\r\n\r\n"


class Owner(Protocol):
    """Who is told what happens on a line."""

    def opened(self, line: "Line") -> None: ...

    def free(self, line: "Line") -> None: ...

    def answered(self, line: "Line", status: int, answer: bytes) -> None: ...

    def lost(self, line: "Line", why: str) -> None: ...


class Line:
    """Sends a request and waits for its answer, again and again."""

    __slots__ = (
        *("_body_at", "_buffer", "_need", "_owner", "_selector", "_socket"),
        *("asked", "is_open", "serial"),
    )

    def __init__(
        self, owner: Owner, selector: BaseSelector, address: tuple[str, int]
    ) -> None:
        self._owner = owner
        self._selector = selector
        self._buffer = b""
        self._need = 0
        self._body_at = 0
        self.asked: Any = None
        """What it waits for the answer of: whatever its owner has put there."""
        self.serial = 0
        """Of the request: tells an old time limit from that of the present one."""
        self.is_open = False
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.connect_ex(address)
        selector.register(self._socket, EVENT_WRITE, self)

    @property
    def has_begun(self) -> bool:
        """Part of an answer has come."""
        return bool(self._buffer)

    def send(self, request: bytes) -> None:
        """Send a request; ``OSError`` if the connection is gone."""
        self.serial += 1
        if self._socket.send(request) != len(request):
            # Small as requests are, this is a server that has read none for long.
            raise OSError(errno.ENOBUFS, "the connection takes no more")

    def close(self) -> None:
        """Hang up, whatever was asked."""
        if self._socket.fileno() >= 0:
            self._selector.unregister(self._socket)
            self._socket.close()
        self.is_open = False

    def ready(self) -> None:
        """Something can be read; or the connection is made, or refused."""
        if not self.is_open:
            self._connected()
            return
        try:
            data = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._owner.lost(self, error.strerror or "lost")
            return
        if data:
            self._read(self._buffer + data if self._buffer else data)
        else:
            self._owner.lost(self, CLOSED)

    def _read(self, data: bytes) -> None:
        if not self._need:
            end = data.find(_HEAD_END)
            if end >= 0:
                self._body_at = end + 4
                self._need = self._body_at + length_of(data[:end])
        if not self._need or len(data) < self._need:
            self._buffer = data
            return
        self._buffer, self._need = b"", 0
        self._owner.answered(self, int(data[9:12]), data)
        if data[9:12] != _OK and b"connection: close" in data[: self._body_at].lower():
            self.asked = None
            self._owner.lost(self, CLOSED)
        else:
            self._owner.free(self)

    def _connected(self) -> None:
        failure = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failure:
            self._owner.lost(self, f"no connection: {errno.errorcode.get(failure)}")
            return
        self.is_open = True
        self._selector.modify(self._socket, EVENT_READ, self)
        self._owner.opened(self)
