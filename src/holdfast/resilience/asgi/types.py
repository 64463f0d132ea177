"""The words of ASGI 3, and a whole response as one value."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Layer: TypeAlias = Callable[[App], App]


ANSWERED = "holdfast.answered"
"""In the scope, where an outer layer watches what is sent: an object whose ``status``
is that of the answer, 0 before there is one. Layers without it watch for themselves."""


@dataclass(slots=True)
class Answered:
    """What is known of an answer so far."""

    status: int = 0


def watching(send: Send) -> tuple[Answered, Send]:
    """*send*, and what is sent by it."""
    answered = Answered()

    def watch(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            answered.status = message["status"]
        return send(message)

    return answered, watch


async def nothing() -> None:
    """What to await in place of sending a message that nobody is to get."""


# RFC 9110 8.6: these must not announce a length, not even zero.
_BODILESS = (204, 304)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole response, small enough to be in memory."""

    status: int
    body: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it; a HEAD request gets everything but the body."""
        headers = self.headers
        if self.status not in _BODILESS:
            headers = [(b"content-length", b"%d" % len(self.body)), *headers]
        await send(
            {"type": "http.response.start", "status": self.status, "headers": headers}
        )
        body = b"" if scope["method"] == "HEAD" else self.body
        await send({"type": "http.response.body", "body": body})
