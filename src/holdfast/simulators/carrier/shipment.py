"""What is asked of the carrier, and what it remembers of it."""

from typing import Annotated, TypeAlias

import msgspec

from holdfast.simulators.carrier.scenario import CarrierMishap, ParcelStatus
from holdfast.simulators.carrier.tariff import (
    Country,
    Currency,
    Parcel,
    Price,
    Service,
)

_Line: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
_MaybeLine: TypeAlias = Annotated[str, msgspec.Meta(max_length=255)] | None


class Address(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: _Line
    line1: _Line
    line2: _MaybeLine = None
    city: _Line
    region: _MaybeLine = None
    postal_code: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    country: Country
    phone: _MaybeLine = None

    @property
    def place(self) -> str:
        return f"{self.city}, {self.country}"


class ShipmentRequest(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True
):
    service: Service
    reference: _Line
    ship_from: Address
    ship_to: Address
    parcels: Annotated[tuple[Parcel, ...], msgspec.Meta(min_length=1, max_length=100)]
    currency: Currency = "EUR"
    simulate: CarrierMishap | None = None


class Shipment(msgspec.Struct, frozen=True):
    """A tombstone is *canceled* and has neither service nor number nor label."""

    id: str
    key: str
    tracking_number: str | None
    service: Service | None
    reference: str
    status: ParcelStatus
    label_url: str | None
    price: Price | None
    created_at: str


class TrackingEvent(msgspec.Struct, frozen=True):
    id: str
    status: ParcelStatus
    description: str
    location: str
    happened_at: str


class Tracking(msgspec.Struct, frozen=True):
    tracking_number: str
    status: ParcelStatus
    events: list[TrackingEvent]


class Planned(msgspec.Struct, frozen=True):
    """An event to come, at an instant of the simulator's clock."""

    due: int
    status: ParcelStatus
    description: str
    location: str


class Consignment(msgspec.Struct):
    """A shipment as it is now: where it was, and where it will be."""

    shipment: Shipment
    request: ShipmentRequest | None = None
    events: tuple[TrackingEvent, ...] = ()
    plan: tuple[Planned, ...] = ()

    def is_for(self, request: ShipmentRequest) -> bool:
        """Whether *request* asks for this very shipment; a tombstone fits any."""
        mine = self.request
        plain = msgspec.structs.replace(request, simulate=None)
        return mine is None or mine == plain

    def tracking(self) -> Tracking:
        shipment = self.shipment
        number = shipment.tracking_number or ""
        return Tracking(number, shipment.status, list(self.events))
