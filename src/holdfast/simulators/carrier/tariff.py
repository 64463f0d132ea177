"""What it costs to send a parcel: a table, so that a test can know the answer.

Prices are euro cents, by zone of the destination and weight band. A shipment
above the heaviest band travels as several parcels of 30 kg and one of the rest.
Other currencies are the euro price times a fixed factor, rounded up to a whole
minor unit; a currency that is not listed counts as the euro does.

| zone   | countries                  | to 500 g | 2 kg | 5 kg | 10 kg | 30 kg | days |
|--------|----------------------------|----------|------|------|-------|-------|------|
| union  | the European Union         |      390 |  490 |  690 |   990 |  1690 | 2-4  |
| europe | its neighbours             |      790 |  990 | 1490 |  1990 |  3490 | 3-6  |
| west   | Canada, Mexico, the States |     1290 | 1690 | 2990 |  4990 |  9990 | 5-10 |
| world  | everywhere else            |     1490 | 1990 | 3490 |  5990 | 11990 | 7-14 |

Express costs twice as much plus 500 a shipment, and takes half the days.
"""

from typing import Annotated, Literal, TypeAlias

import msgspec

Service: TypeAlias = Literal["standard", "express"]


class RatesRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """*country* is ISO 3166 alpha-2, *currency* ISO 4217."""

    country: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}\Z")]
    weight_grams: Annotated[int, msgspec.Meta(ge=0, le=10**9)]
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]


class Price(msgspec.Struct, frozen=True):
    """Minor units."""

    amount: int
    currency: str


class Rate(msgspec.Struct, frozen=True):
    service: Service
    price: Price
    days_min: int
    days_max: int


class Zone(msgspec.Struct, frozen=True):
    name: str
    cents: tuple[int, ...]
    days: tuple[int, int]


BANDS_GRAMS = (500, 2_000, 5_000, 10_000, 30_000)

UNION = Zone("union", (390, 490, 690, 990, 1690), (2, 4))
EUROPE = Zone("europe", (790, 990, 1490, 1990, 3490), (3, 6))
WEST = Zone("west", (1290, 1690, 2990, 4990, 9990), (5, 10))
WORLD = Zone("world", (1490, 1990, 3490, 5990, 11990), (7, 14))

_MEMBERS = (
    (UNION, "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO"),
    (UNION, "SE SI SK"),
    (EUROPE, "AD AL BA CH FO GB GG GI IM IS JE LI MC MD ME MK NO RS SM UA VA XK"),
    (WEST, "CA MX US"),
)
ZONES = {country: zone for zone, codes in _MEMBERS for country in codes.split()}

MINOR_UNITS_PER_EURO = {
    "EUR": 100,
    "AUD": 165,
    "CAD": 150,
    "CHF": 95,
    "DKK": 746,
    "GBP": 85,
    "JPY": 160,
    "KWD": 335,
    "NOK": 1150,
    "PLN": 430,
    "SEK": 1120,
    "USD": 110,
}


def rates(request: RatesRequest) -> tuple[Rate, Rate]:
    """Standard, then express."""
    zone = ZONES.get(request.country, WORLD)
    standard = _standard_cents(zone, request.weight_grams)
    soonest, latest = zone.days
    return (
        Rate("standard", _price(standard, request.currency), soonest, latest),
        Rate(
            "express",
            _price(2 * standard + 500, request.currency),
            (soonest + 1) // 2,
            (latest + 1) // 2,
        ),
    )


def _standard_cents(zone: Zone, weight_grams: int) -> int:
    parcels, rest = divmod(weight_grams, BANDS_GRAMS[-1])
    cents = parcels * zone.cents[-1]
    if rest == 0 and parcels:
        return cents
    band = next(place for place, most in enumerate(BANDS_GRAMS) if rest <= most)
    return cents + zone.cents[band]


def _price(cents: int, currency: str) -> Price:
    factor = MINOR_UNITS_PER_EURO.get(currency, 100)
    return Price(-(-cents * factor // 100), currency)
