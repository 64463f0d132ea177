"""Sending things: what it costs, by whom.

Promise: a quote is always answered, in bounded time, and says whether the
carrier named the price or it is the last known one or a flat rate.
"""

from holdfast.domain.shipping.gateway import Carrier, CarrierFailed
from holdfast.domain.shipping.model import Method, Parcel, Quote, Source, flat_rate

__all__ = [
    "Carrier",
    "CarrierFailed",
    "Method",
    "Parcel",
    "Quote",
    "Source",
    "flat_rate",
]
