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

Remote areas (islands and the like, by the start of the postal code) cost 900 more a
shipment and take two days more. Express costs twice as much plus 500 a shipment, and
takes half the days.

What is light for its size pays by its volume: a kilogram for 5,000 cubic centimetres.
Nothing longer than 1,200 mm, or 3,000 mm in length and girth, is taken.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

import msgspec

from holdfast.simulators.carrier.scenario import CarrierMishap
from holdfast.simulators.web import Problem

Service: TypeAlias = Literal["standard", "express"]


_Millimetres: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=100_000)]
Country: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}\Z")]
Currency: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]

MAX_LENGTH_MM = 1_200
MAX_LENGTH_AND_GIRTH_MM = 3_000
_MM3_PER_GRAM = 5_000


class Parcel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Its weight, and all three of its measures or none."""

    weight_grams: Annotated[int, msgspec.Meta(ge=0, le=10**9)]
    length_mm: _Millimetres | None = None
    width_mm: _Millimetres | None = None
    height_mm: _Millimetres | None = None

    def __post_init__(self) -> None:
        if len(self._measures) not in {0, 3}:
            raise ValueError("Give length_mm, width_mm and height_mm, or none of them")

    @property
    def too_large(self) -> bool:
        if not self._measures:
            return False
        height, width, length = sorted(self._measures)
        girth = 2 * (height + width)
        return length > MAX_LENGTH_MM or length + girth > MAX_LENGTH_AND_GIRTH_MM

    @property
    def charged_grams(self) -> int:
        """The greater of what it weighs and what its volume counts as."""
        if not self._measures:
            return self.weight_grams
        return max(self.weight_grams, -(-math.prod(self._measures) // _MM3_PER_GRAM))

    @property
    def _measures(self) -> list[int]:
        measures = (self.length_mm, self.width_mm, self.height_mm)
        return [measure for measure in measures if measure is not None]


class RatesRequest(Parcel, frozen=True, kw_only=True):
    """*country* is ISO 3166 alpha-2, *currency* ISO 4217."""

    country: Country
    currency: Currency
    postal_code: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    simulate: CarrierMishap | None = None


class Price(msgspec.Struct, frozen=True):
    """Minor units."""

    amount: int
    currency: str


class Rate(msgspec.Struct, frozen=True):
    service: Service
    price: Price
    days_min: int
    days_max: int
    estimated_days: int


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


REMOTE = {
    "ES": ("35", "38", "51", "52"),
    "FR": ("20", "97", "98"),
    "GB": ("BT", "GY", "HS", "IM", "JE", "KW", "ZE"),
    "GR": ("84", "85"),
    "PT": ("9",),
    "US": ("006", "007", "009", "967", "968", "995", "996", "997", "998", "999"),
}
_REMOTE_CENTS, _REMOTE_DAYS = 900, 2


def check_size(parcel: Parcel) -> None:
    """Raises a ``Problem`` for what no van takes."""
    if parcel.too_large:
        raise Problem(
            422,
            "parcel-too-large",
            f"At most {MAX_LENGTH_MM} mm long, and {MAX_LENGTH_AND_GIRTH_MM} mm in "
            "length and girth.",
        )


def rates(request: RatesRequest) -> tuple[Rate, Rate]:
    """Standard, then express."""
    return (
        rate(
            "standard",
            request.country,
            request.postal_code,
            [request],
            request.currency,
        ),
        rate(
            "express", request.country, request.postal_code, [request], request.currency
        ),
    )


def rate(
    service: Service,
    country: str,
    postal_code: str | None,
    parcels: Sequence[Parcel],
    currency: str,
) -> Rate:
    """What all the *parcels* together cost, and how long they take."""
    zone = ZONES.get(country, WORLD)
    cents = sum(_standard_cents(zone, parcel.charged_grams) for parcel in parcels)
    soonest, latest = zone.days
    if (postal_code or "").upper().startswith(REMOTE.get(country, ("\0",))):
        cents += _REMOTE_CENTS
        soonest, latest = soonest + _REMOTE_DAYS, latest + _REMOTE_DAYS
    if service == "express":
        cents = 2 * cents + 500
        soonest, latest = (soonest + 1) // 2, (latest + 1) // 2
    return Rate(service, _price(cents, currency), soonest, latest, latest)


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
