"""A drop, and what may be said of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from holdfast.domain.drops.errors import DropInvalid

MAX_DROP_VARIANTS = 50
DROP_TITLE_CHARS = 200
_LONGEST = timedelta(days=31)

DropStatus: TypeAlias = Literal["announced", "open", "ended"]


@dataclass(frozen=True, slots=True)
class Drop:
    """Some variants that are sold from a moment on, to those whose turn it is."""

    id: UUID
    name: str
    opens_at: datetime
    closes_at: datetime | None
    guests: bool
    """Whether people may wait who have not signed in."""
    most_units: int
    """That one ticket may buy."""
    most_tickets: int
    """That one address may take without signing in."""
    per_minute: int | None
    """How many are let in a minute; None for a share of what can be served."""
    pass_seconds: int
    """How long somebody who was let in may take."""
    variant_ids: Sequence[UUID]
    skus: Sequence[str]
    commitment: bytes
    """SHA-256 of the seed that the lots are drawn with."""
    issued: int = 0
    drawn: int | None = None
    """How many took part in the draw; None before it."""
    admitted: int = 0
    """How far the line has come."""
    drawn_at: datetime | None = None
    paced_at: datetime | None = None
    ended_at: datetime | None = None
    created_at: datetime | None = None

    @property
    def status(self) -> DropStatus:
        """Open from the draw on, which the first process makes that sees the time."""
        if self.ended_at is not None:
            return "ended"
        return "announced" if self.drawn_at is None else "open"


@dataclass(frozen=True, slots=True)
class Purchase:
    """How many units an order has bought with a ticket."""

    order_id: UUID
    units: int


@dataclass(frozen=True, slots=True)
class HeldTicket:
    """A ticket as its holder is shown it among all that is held of them."""

    drop_id: UUID
    name: str
    position: int | None
    issued_at: datetime
    admitted_at: datetime | None
    purchases: Sequence[Purchase]


@dataclass(frozen=True, slots=True)
class Entry:
    """What came of somebody who came when it was their turn."""

    since: datetime | None
    """When they were let in; None if it is not their turn."""
    missed: bool
    """They did not come for so long that others were let in."""


def check(opens_at: datetime, closes_at: datetime | None, now: datetime) -> None:
    """Raise ``DropInvalid`` unless a drop may open and close at these times."""
    if opens_at <= now:
        raise DropInvalid("opens_at has passed")
    if opens_at > now + _LONGEST * 12:
        raise DropInvalid("opens_at is more than a year away")
    check_end(opens_at, closes_at)


def check_end(opens_at: datetime, closes_at: datetime | None) -> None:
    """Raise ``DropInvalid`` unless what opens then may close then."""
    if closes_at is not None and closes_at <= opens_at:
        raise DropInvalid("closes_at is not after opens_at")
    if closes_at is not None and closes_at > opens_at + _LONGEST:
        raise DropInvalid("it would be open for more than a month")
