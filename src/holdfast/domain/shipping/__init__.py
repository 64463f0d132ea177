"""Sending things: what it costs, by whom, and where they are.

Promises: a quote is always answered, in bounded time, and says whether the
carrier named the price or it is the last known one or a flat rate; a parcel is taken
at most once a key, and what is not certain stays pending; where a parcel is does not
depend on the order in which its events are told.
"""

from holdfast.domain.shipping.errors import (
    CarrierUnavailable,
    LabelNotFound,
    LocationWithoutAddress,
    NothingToShip,
    OrderWithoutAddress,
    ShipmentIsTracked,
    ShipmentLineInvalid,
    ShipmentNotFound,
    ShipmentNotLost,
    ShipmentUnderWay,
)
from holdfast.domain.shipping.gateway import Carrier, UnderWay, read_webhook
from holdfast.domain.shipping.model import (
    CarriedBy,
    Consignment,
    Method,
    Outcome,
    Parcel,
    Party,
    Quote,
    Refused,
    Shipment,
    ShipmentLine,
    ShipmentStatus,
    Source,
    Taken,
    Tracked,
    TrackingEvent,
    flat_rate,
    status_of,
)
from holdfast.domain.shipping.quotes import Quotes, Shared
from holdfast.domain.shipping.wire import CarrierFailed, Wire

__all__ = [
    "CarriedBy",
    "Carrier",
    "CarrierFailed",
    "CarrierUnavailable",
    "Consignment",
    "LabelNotFound",
    "LocationWithoutAddress",
    "Method",
    "NothingToShip",
    "OrderWithoutAddress",
    "Outcome",
    "Parcel",
    "Party",
    "Quote",
    "Quotes",
    "Refused",
    "Shared",
    "Shipment",
    "ShipmentIsTracked",
    "ShipmentLine",
    "ShipmentLineInvalid",
    "ShipmentNotFound",
    "ShipmentNotLost",
    "ShipmentStatus",
    "ShipmentUnderWay",
    "Source",
    "Taken",
    "Tracked",
    "TrackingEvent",
    "UnderWay",
    "Wire",
    "flat_rate",
    "read_webhook",
    "status_of",
]
