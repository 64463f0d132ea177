"""Events that cannot be lost: written in the commit that makes them true.

A workflow publishes inside its transaction. The worker's relay then hands each
event to the job queue, marking it relayed in the same transaction, so that an
event reaches the queue exactly once however often either process is killed. The
rows stay as the record of what happened.

Why not enqueue the job at once: the queue notifies, and PostgreSQL serialises
all commits that notify on one lock. Checkout must not wait in that line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from holdfast.kernel.ids import new_id
from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction

_SQL = sql.load("holdfast.platform")
_PUBLISH = _SQL["publish"]
_TAKE_WAITING = _SQL["take_waiting"]
_COUNT_WAITING = _SQL["count_waiting"]
_IS_WAITING = _SQL["is_waiting"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: ``ordering.order.confirmed`` and what it is about."""

    id: UUID
    type: str
    payload: dict[str, Any]


def event(type_: str, **payload: Any) -> Event:
    """A new event; payload values must be JSON."""
    return Event(new_id(), type_, payload)


async def publish(tx: Transaction, events: Sequence[Event], *, at: datetime) -> None:
    await tx.execute(_PUBLISH, *columns(events), at)


def columns(events: Sequence[Event]) -> tuple[list[UUID], list[str], list[str]]:
    """Events as they are written: ids, types and payloads."""
    return (
        [e.id for e in events],
        [e.type for e in events],
        [msgspec.json.encode(e.payload).decode() for e in events],
    )


async def take_waiting(
    tx: Transaction,
    limit: int,
    *,
    at: datetime,
    types: Sequence[str] | None = None,
) -> list[Event]:
    """Take events nobody has handed on yet, oldest first, marking them as relayed.

    Of *types* only, if they are given: others are passed over, and wait.
    """
    rows = await tx.fetch(_TAKE_WAITING, limit, at, types)
    taken = [Event(row["id"], row["type"], row["payload"]) for row in rows]
    return sorted(taken, key=lambda e: e.id)


async def is_waiting(
    connection: Connection, *, types: Sequence[str] | None = None
) -> bool:
    """Whether there is an event to take; cheaper to ask than to try."""
    return bool(await connection.fetchval(_IS_WAITING, types))


async def count_waiting(connection: Connection) -> tuple[int, float]:
    """How many events wait, and for how many seconds the oldest has."""
    row = await connection.fetchrow(_COUNT_WAITING)
    assert row is not None  # noqa: S101 - an aggregate always has one row
    return row["waiting"], row["oldest_seconds"]
