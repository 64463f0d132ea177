"""What can be wrong with sending something."""

from dataclasses import dataclass
from uuid import UUID

from holdfast.kernel.errors import Conflict, Invalid, Malformed, NotFound, Unavailable


@dataclass(eq=False)
class ShipmentNotFound(NotFound):
    """There is no such shipment, or it belongs to somebody else."""


@dataclass(eq=False)
class NothingToShip(Conflict):
    """Nothing of the order is left to be shipped, or not from there."""


@dataclass(eq=False)
class ShipmentLineInvalid(Invalid):
    """The order has no such line, or it was named twice."""

    position: int


@dataclass(eq=False)
class ShipmentRefused(Conflict):
    """The shipment cannot be sent; its units are open again."""

    shipment_ids: list[UUID]
    reasons: list[str]


@dataclass(eq=False)
class LocationWithoutAddress(Conflict):
    """The location has no address that a carrier could fetch parcels from."""

    location: str


@dataclass(eq=False)
class OrderWithoutAddress(Conflict):
    """The order has no address to send it to."""


@dataclass(eq=False)
class ShipmentUnderWay(Conflict):
    """The shipment was picked up already and can no longer be canceled."""

    shipment_status: str


@dataclass(eq=False)
class ShipmentNotLost(Conflict):
    """Only a shipment that was lost or came back can be sent again, once."""

    shipment_status: str


@dataclass(eq=False)
class ShipmentIsTracked(Conflict):
    """The carrier says itself where this shipment is."""


@dataclass(eq=False)
class ShipmentEnded(Conflict):
    """The shipment has not left, or never will: it cannot be anywhere."""

    shipment_status: str


@dataclass(eq=False)
class CarrierMessageUnreadable(Malformed):
    """The message is not one that the carrier sends."""


@dataclass(eq=False)
class LabelNotFound(NotFound):
    """There is no label: the shipment is made by hand, pending or canceled."""


@dataclass(eq=False)
class CarrierUnavailable(Unavailable):
    """The carrier does not answer at the moment."""
