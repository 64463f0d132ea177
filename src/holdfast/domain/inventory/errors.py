"""What can be wrong with stock."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from holdfast.domain.inventory.model import Shortage
from holdfast.kernel.errors import Conflict, Gone, Invalid, NotFound, Unavailable


@dataclass(eq=False)
class OutOfStock(Conflict):
    """There is not enough stock to fill this order."""

    shortages: list[Shortage]


@dataclass(eq=False)
class StockBelowReserved(Conflict):
    """The stock cannot be set below what is promised to buyers."""

    sku: str
    reserved: int


@dataclass(eq=False)
class NotReserved(Conflict):
    """Less is reserved for this order than was asked for."""

    variant_id: str
    requested: int
    reserved: int


@dataclass(eq=False)
class NotEnoughOnHand(Conflict):
    """There are fewer units at this location than were to leave it."""

    variant_id: str
    requested: int
    on_hand: int
    """Units that are there and not promised to others."""


@dataclass(eq=False)
class UnknownStock(NotFound):
    """No stock is kept under this SKU."""

    sku: str


@dataclass(eq=False)
class LocationNotFound(NotFound):
    """There is no such location."""

    location: str


@dataclass(eq=False)
class StockLevelOutOfRange(Invalid):
    """A stock level must be a whole number from 0 to 1,000,000,000,000."""

    sku: str


@dataclass(eq=False)
class ReservationsBusy(Unavailable):
    """So many want the same at this moment that it could not be decided."""

    retry_after_seconds: float


@dataclass(eq=False)
class ReservationNotFound(NotFound):
    """Nothing is held for this cart, or it is held for somebody else."""


@dataclass(eq=False)
class ReservationExpired(Gone):
    """What was held for this cart is no longer."""

    expired_at: datetime


@dataclass(frozen=True, slots=True)
class Changed:
    """A level that is not what somebody thought it was."""

    sku: str
    location: str
    expected: int
    on_hand: int


@dataclass(eq=False)
class StockChanged(Conflict):
    """The stock is not what this change was made for."""

    changes: list[Changed]


@dataclass(eq=False)
class StockLineRepeated(Invalid):
    """One SKU at one location is named twice."""

    sku: str
    location: str


@dataclass(eq=False)
class StillAvailable(Conflict):
    """This can be bought at the moment."""

    sku: str


@dataclass(eq=False)
class LocationCodeTaken(Conflict):
    """Another location has this code."""

    code: str


@dataclass(eq=False)
class TooManyLocations(Conflict):
    """There are as many locations as a shop can have."""

    limit: int


@dataclass(eq=False)
class LocationInUse(Conflict):
    """Stock at this location is promised to buyers."""

    location: str
    reserved: int


@dataclass(eq=False)
class MainLocation(Conflict):
    """The main location cannot be closed."""


@dataclass(eq=False)
class TransferNotFound(NotFound):
    """There is no such transfer."""

    transfer_id: UUID


@dataclass(eq=False)
class TransferState(Conflict):
    """The transfer is not in a state that allows this."""

    transfer_id: UUID
    state: str


@dataclass(eq=False)
class TransferInvalid(Invalid):
    """The transfer does not make sense."""

    reason: str


@dataclass(eq=False)
class StockCountNotFound(NotFound):
    """There is no such stock count."""

    count_id: UUID


@dataclass(eq=False)
class StockCountClosed(Conflict):
    """The stock count was ended before."""

    count_id: UUID
    state: str


@dataclass(eq=False)
class StockRequestNeedsEmail(Invalid):
    """An e-mail address is needed from somebody who is not signed in."""


@dataclass(eq=False)
class StockRequestNotFound(NotFound):
    """There is no such request."""

    request_id: UUID


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a line of a file; 1 is the header."""

    line: int
    reason: str


@dataclass(eq=False)
class LevelsRefused(Invalid):
    """Lines of this file cannot be taken."""

    faults: list[Fault]
    more: int
    """How many further faults are not listed."""
