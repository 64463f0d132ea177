"""When something that the provider has not ended is tried again.

The first try is made by whoever asked, right after the commit. What died in between
the timer takes up ten seconds later; after that the waits double, up to five minutes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from holdfast.platform.db import Connection

FIRST = timedelta(seconds=10)
_LONGEST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Due:
    """Something whose next try has come."""

    id: UUID
    try_at: datetime


def wait_after(tries: int) -> timedelta:
    """How long to wait after so many tries that ended nothing."""
    return min(FIRST * 2.0 ** min(tries, 10), _LONGEST)


async def read(
    connection: Connection,
    statement: str,
    *,
    now: datetime,
    limit: int,
    beyond: Due | None,
) -> list[Due]:
    """Read what is due with one of the statements that find it."""
    seen: Sequence[object] = (
        (None, None) if beyond is None else (beyond.try_at, beyond.id)
    )
    rows = await connection.fetch(statement, now, limit, *seen)
    return [Due(*row) for row in rows]
