"""What can be wrong about a drop and its waiting room."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from holdfast.kernel.errors import (
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    TooMany,
    Unauthenticated,
)


@dataclass(eq=False)
class DropNotFound(NotFound):
    """There is no such drop."""

    drop_id: UUID


@dataclass(eq=False)
class DropInvalid(Invalid):
    """The drop cannot be as it was asked for."""

    reason: str


@dataclass(eq=False)
class VariantInAnotherDrop(Conflict):
    """One of the products is in another drop already."""


@dataclass(eq=False)
class DropEnded(Gone):
    """The drop has ended."""

    drop_id: UUID


@dataclass(eq=False)
class SignInToWait(Unauthenticated):
    """Only who has signed in may wait for this drop."""


@dataclass(eq=False)
class NoMoreTickets(TooMany):
    """There are as many tickets for this address as it may have."""

    most: int


@dataclass(eq=False)
class TicketNotValid(Invalid):
    """The ticket is not one of this drop."""


@dataclass(eq=False)
class AdmissionRequired(Forbidden):
    """This is sold to those only who have waited for their turn."""

    drop_id: UUID
    tickets: str
    """Where to get a ticket, and what comes of it."""


@dataclass(eq=False)
class DropNotOpen(Forbidden):
    """The sale of this has not begun."""

    drop_id: UUID
    opens_at: datetime
    tickets: str


@dataclass(eq=False)
class DropLimitReached(Conflict):
    """One buyer may not have so many of this drop."""

    drop_id: UUID
    most: int
    bought: int
    wanted: int
