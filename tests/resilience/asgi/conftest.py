"""An ASGI conversation held by hand: what the client sends, what it gets."""

from dataclasses import dataclass, field
from typing import Any

import pytest


@dataclass
class Conversation:
    """One request in pieces, and the messages of its response."""

    pieces: list[bytes] = field(default_factory=lambda: [b""])
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    method: str = "POST"
    kind: str = "http"
    sent: list[dict[str, Any]] = field(default_factory=list)

    @property
    def scope(self) -> dict[str, Any]:
        return {"type": self.kind, "method": self.method, "headers": self.headers}

    async def receive(self) -> dict[str, Any]:
        if not self.pieces:
            return {"type": "http.disconnect"}
        body = self.pieces.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(self.pieces)}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    async def hold(self, app: Any) -> "Conversation":
        await app(self.scope, self.receive, self.send)
        return self

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def fields(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.sent[1:])


@pytest.fixture
def converse() -> type[Conversation]:
    return Conversation
