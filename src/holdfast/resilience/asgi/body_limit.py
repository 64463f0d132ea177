"""Refuse a request body before, or at the latest while, it grows too large.

A declared length is refused unread. A chunked body is counted as it arrives, so
that a missing or false declaration gains nothing.
"""

from holdfast.resilience.asgi.types import App, Message, Receive, Scope, Send
from holdfast.resilience.errors import BodyTooLarge


class BodyLimit:
    """Let through requests of up to *limit_bytes*; raise ``BodyTooLarge`` else."""

    # One mebibyte: a cart of a thousand lines takes a tenth of it.
    def __init__(self, app: App, *, limit_bytes: int = 1 << 20) -> None:
        self._app = app
        self._limit = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting what it brings."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_body = False
        for name, value in scope["headers"]:
            if name == b"content-length":
                # Other than digits is the server's to refuse; counted below.
                if value.isdigit() and int(value) > self._limit:
                    raise BodyTooLarge(limit_bytes=self._limit)
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
            if received > self._limit:
                raise BodyTooLarge(limit_bytes=self._limit)
            return message

        await self._app(scope, count, send)
