"""What it costs to send something, and how sure of that we are."""

from dataclasses import dataclass
from enum import StrEnum

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


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a carrier needs to know to name its prices."""

    country: str
    weight_grams: int
    currency: str

    @classmethod
    def of(cls, *, country: str, weight_grams: int, currency: str) -> "Parcel":
        """Round the weight up to a band, so that quotes can be remembered."""
        bands = max(1, -(-weight_grams // BAND_GRAMS))
        return cls(country, bands * BAND_GRAMS, currency)


def flat_rate(method: Method, currency: str) -> Money:
    """The price when no carrier answers: 9.90 or 19.90, marked as such."""
    # In currencies of other precision the same digits: 990 yen, 9.900 dinars.
    units = {Method.STANDARD: 990, Method.EXPRESS: 1990, Method.PICKUP: 0}[method]
    return Money(units * 10 ** max(0, exponent(currency) - 2), currency)
