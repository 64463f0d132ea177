"""Refuse a request body before, or at the latest while, it grows too large.

A declared length is refused unread. A chunked body is counted as it arrives, so
that a missing or false declaration gains nothing.
"""

from collections.abc import Callable

from holdfast.resilience.asgi.types import App, Message, Receive, Scope, Send
from holdfast.resilience.errors import BodyTooLarge


class BodyLimit:
    """Let through requests of up to *limit_bytes*; raise ``BodyTooLarge`` else.

    A function says what holds for one request, as where files are taken.
    """

    # One mebibyte: a cart of a thousand lines takes a tenth of it.
    def __init__(
        self, app: App, *, limit_bytes: int | Callable[[Scope], int] = 1 << 20
    ) -> None:
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
        if not has_body:
            await self._app(scope, receive, send)
            return
        received = 0

        async def count() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise BodyTooLarge(limit_bytes=limit)
            return message

        await self._app(scope, count, send)
