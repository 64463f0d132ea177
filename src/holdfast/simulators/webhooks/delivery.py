"""One event on its way to the receiver, and what the journal keeps of it."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import msgspec

State: TypeAlias = Literal["pending", "delivered", "failed", "dropped"]


class Event(msgspec.Struct, frozen=True):
    """What is sent; *data* is the whole object, as JSON."""

    id: str
    type: str
    created_at: str
    data: msgspec.Raw


class Note(msgspec.Struct, frozen=True):
    """What outlives the process. *subject*: the key of what it is about."""

    subject: str
    event: Event


class Ended(msgspec.Struct, frozen=True):
    """Nothing more is to be done for the event."""

    id: str


class Attempt(msgspec.Struct, frozen=True):
    """*status* is null when there was no answer; *error* says why."""

    at: str
    status: int | None
    error: str | None
    duplicate: bool


@dataclass(slots=True)
class Delivery:
    note: Note
    body: bytes
    state: State = "pending"
    attempts: list[Attempt] = field(default_factory=list)
    next_attempt_at: str | None = None
    failures: int = 0
    """In a row, since it was asked for."""

    def shown(self) -> dict[str, object]:
        event = self.note.event
        return {
            "id": event.id,
            "type": event.type,
            "created_at": event.created_at,
            "subject": self.note.subject,
            "status": self.state,
            "attempts": self.attempts,
            "next_attempt_at": self.next_attempt_at,
        }
