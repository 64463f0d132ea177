"""Parcels: what it costs to send them, and where they are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, TypeAlias
from uuid import UUID

from holdfast.kernel.money import Money, exponent

BAND_GRAMS = 500


class Method(StrEnum):
    """How an order leaves the shop."""

    STANDARD = "standard"
    EXPRESS = "express"
    PICKUP = "pickup"
    """The buyer fetches it; free, and no carrier is asked."""


class Source(StrEnum):
    """How a price came about; a buyer may see whether it is an estimate."""

    CARRIER = "carrier"
    LAST_QUOTE = "last_quote"
    FLAT_RATE = "flat_rate"
    SHOP = "shop"


@dataclass(frozen=True, slots=True)
class Quote:
    """A price for one method."""

    price: Money
    source: Source


_GOOD_FOR = timedelta(minutes=14)
"""How long the carrier's word may be charged. With the minute for which a quote is
remembered, and so may be older than it seems, 15: those of a last quote."""

_GOOD_FOR_WITHOUT_CARRIER = timedelta(seconds=60)
"""How long a price may be charged that the carrier did not name: it may be back."""


def is_outdated(source: str, quoted_at: datetime | None, *, at: datetime) -> bool:
    """Whether a price has to be asked for again before it is charged.

    Not what the shop itself says. Of one whose time is not known, yes.
    """
    if source == Source.SHOP:
        return False
    if quoted_at is None:
        return True
    named = source == Source.CARRIER
    return at - quoted_at > (_GOOD_FOR if named else _GOOD_FOR_WITHOUT_CARRIER)


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a carrier needs to know to name its prices."""

    country: str
    weight_grams: int
    currency: str
    postal_code: str | None = None

    @classmethod
    def of(
        cls,
        *,
        country: str,
        weight_grams: int,
        currency: str,
        postal_code: str | None = None,
    ) -> "Parcel":
        """Round the weight up to a band, so that quotes can be remembered."""
        bands = max(1, -(-weight_grams // BAND_GRAMS))
        return cls(country, bands * BAND_GRAMS, currency, postal_code)

    @property
    def anywhere(self) -> tuple[str, int, str]:
        """The same, wherever in its country it goes."""
        return self.country, self.weight_grams, self.currency


@dataclass(frozen=True, slots=True)
class Size:
    """The outer measures of a parcel."""

    length_mm: int
    width_mm: int
    height_mm: int


def flat_rate(method: Method, currency: str) -> Money:
    """The price when no carrier answers: 9.90 or 19.90, marked as such."""
    # In currencies of other precision the same digits: 990 yen, 9.900 dinars.
    units = {Method.STANDARD: 990, Method.EXPRESS: 1990, Method.PICKUP: 0}[method]
    return Money(units * 10 ** max(0, exponent(currency) - 2), currency)


class ShipmentStatus(StrEnum):
    """Where a shipment is.

    ``pending`` until it is certain that the carrier takes it; then wherever the carrier
    says it is. ``canceled`` is the end of one that was never picked up.
    """

    PENDING = "pending"
    CREATED = "created"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    EXCEPTION = "exception"
    LOST = "lost"
    RETURNED = "returned"
    DELIVERED = "delivered"
    CANCELED = "canceled"


CarriedBy: TypeAlias = Literal["carrier", "hand"]
"""Whether a carrier was asked to take it, or somebody sees to it without the shop."""

# Of two events of the same moment the later of these counts.
_RANK = {status: rank for rank, status in enumerate(ShipmentStatus)}


@dataclass(frozen=True, slots=True)
class TrackingEvent:
    """Something that happened to a parcel, as the carrier tells it."""

    id: str
    status: ShipmentStatus
    happened_at: datetime
    # The carrier's own words. They are shown and never kept: they may name people.
    description: str = ""


def status_of(events: Iterable[TrackingEvent]) -> ShipmentStatus | None:
    """Where a parcel is by all that is known of it; None if nothing is.

    What happened last decides, and not what was told last: the order in which events
    arrive, and how often, makes no difference.
    """
    last = max(
        events, key=lambda e: (e.happened_at, _RANK[e.status], e.id), default=None
    )
    return None if last is None else last.status


@dataclass(frozen=True, slots=True)
class ShipmentLine:
    """So many units of a line of the order."""

    position: int
    variant_id: UUID
    sku: str
    title: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Shipment:
    """A parcel of an order's goods from one location."""

    id: UUID
    order_id: UUID
    order_number: int
    location_id: UUID
    location: str
    status: ShipmentStatus
    carried_by: CarriedBy
    service: str | None
    tracking_number: str | None
    carrier_reference: str | None
    # Why nothing came of it.
    failure_reason: str | None
    actor: str
    created_at: datetime
    shipped_at: datetime | None
    delivered_at: datetime | None
    # Somebody wants it canceled, and the carrier has not agreed yet.
    cancel_requested_at: datetime | None
    cancel_actor: str | None
    reshipped_at: datetime | None
    lines: Sequence[ShipmentLine]
    events: Sequence[TrackingEvent]

    @property
    def order_label(self) -> str:
        return f"HF-{self.order_number}"

    @property
    def has_label(self) -> bool:
        """Whether the carrier has made a label that is still good."""
        ended = self.status in (ShipmentStatus.PENDING, ShipmentStatus.CANCELED)
        return self.carrier_reference is not None and not ended

    @property
    def units(self) -> dict[int, int]:
        """How many of each line of the order, by its position."""
        return {line.position: line.quantity for line in self.lines}

    @property
    def units_by_variant(self) -> dict[UUID, int]:
        """The same, as the stock counts."""
        units: dict[UUID, int] = {}
        for line in self.lines:
            units[line.variant_id] = units.get(line.variant_id, 0) + line.quantity
        return units


@dataclass(frozen=True, slots=True)
class Party:
    """Who sends a parcel, or is to get it; country is an ISO 3166 alpha-2 code."""

    name: str
    line1: str
    city: str
    country: str
    line2: str | None = None
    region: str | None = None
    postal_code: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Consignment:
    """What a carrier is asked to take; the key makes it one however often asked."""

    key: str
    service: str
    reference: str
    sender: Party
    recipient: Party
    weight_grams: int
    currency: str


@dataclass(frozen=True, slots=True)
class Taken:
    """The carrier takes it, and has made a label."""

    reference: str
    tracking_number: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The carrier does not take it, and never will under this key."""

    reason: str


Outcome: TypeAlias = Taken | Refused


@dataclass(frozen=True, slots=True)
class Tracked:
    """All that the carrier says of a parcel."""

    tracking_number: str
    events: Sequence[TrackingEvent]
