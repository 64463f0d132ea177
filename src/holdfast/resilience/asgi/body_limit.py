"""Refuse a request body before, or at the latest while, it grows too large.

A declared length is refused unread. A chunked body is counted as it arrives, so
that a missing or false declaration gains nothing. An app or a framework that makes
something else of the error (FastAPI answers 400) is not heard.
"""

from collections.abc import Awaitable, Callable

from holdfast.resilience.asgi.asked import must_not_wait
from holdfast.resilience.asgi.types import (
    App,
    Message,
    Receive,
    Scope,
    Send,
    nothing,
)
from holdfast.resilience.errors import BodyTooLarge

_ANNOUNCED = ("1.0", "1.1")


class BodyLimit:
    """Let through requests of up to *limit_bytes*; raise ``BodyTooLarge`` else.

    A function says what holds for one request, as where files are taken.
    """

    # One mebibyte: a cart of a thousand lines takes a tenth of it.
    def __init__(
        self, app: App, *, limit_bytes: int | Callable[[Scope], int] = 1 << 20
    ) -> None:
        must_not_wait(limit_bytes=limit_bytes)
        self._app = app
        self._limit = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting what it brings."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit if isinstance(self._limit, int) else self._limit(scope)
        has_body = False
        for name, value in scope["headers"]:
            if name == b"content-length":
                # Other than digits is the server's to refuse; counted below.
                if value.isdigit() and int(value) > limit:
                    raise BodyTooLarge(limit_bytes=limit)
                has_body = True
            elif name == b"transfer-encoding":
                has_body = True
        # Only HTTP/1 says by its fields that there is none.
        if not has_body and scope.get("http_version", "1.1") in _ANNOUNCED:
            await self._app(scope, receive, send)
            return
        await _Counted(limit, receive, send).run(self._app, scope)


class _Counted:
    """One request whose body is counted, and what its app answers."""

    def __init__(self, limit: int, receive: Receive, send: Send) -> None:
        self._limit = limit
        self._receive = receive
        self._send = send
        self._received = 0
        self._exceeded: BodyTooLarge | None = None
        self._answered = False

    async def run(self, app: App, scope: Scope) -> None:
        try:
            await app(scope, self.receive, self.send)
        except Exception as error:
            if self._exceeded is None or error is self._exceeded or self._answered:
                raise
            raise self._exceeded from error
        if self._exceeded is not None and not self._answered:
            raise self._exceeded

    async def receive(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > self._limit:
            self._exceeded = BodyTooLarge(limit_bytes=self._limit)
            raise self._exceeded
        return message

    def send(self, message: Message) -> Awaitable[None]:
        # One that had begun to answer before is left to it.
        if self._exceeded is not None and not self._answered:
            return nothing()
        self._answered = True
        return self._send(message)
