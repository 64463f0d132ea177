"""Amounts of money: whole minor units with their currency, never a float.

Minor units follow ISO 4217: 19.99 EUR is 1999, 500 JPY is 500, 1.250 KWD is 1250.
Amounts are bounded so that no sum of a legal cart leaves a 64-bit integer.
"""

# ruff: noqa: SIM905 - currency codes read better as words than as a list
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

MAX_AMOUNT = 10**15
"""The largest single amount, in minor units (ten trillion euros)."""

# ASCII digits and one point: Decimal itself would also take "1e3", "1_000" and "NaN".
_PLAIN = re.compile(r"[0-9]+(\.[0-9]+)?")
_MAX_CHARS = 40
# The default context keeps 28 digits, and would round a longer number twice.
_EXACT = Context(prec=_MAX_CHARS + 4)

# ISO 4217 (2025): the active currencies whose minor unit is not 1/100.
_EXPONENTS = {
    **dict.fromkeys(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
    ),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}
_HUNDREDTHS = frozenset(
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN "
    "BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP "
    "GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD "
    "KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN "
    "NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG "
    "SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH "
    "USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG".split()
)
CURRENCIES = _HUNDREDTHS | _EXPONENTS.keys()
"""Every ISO 4217 code that the shop can price in."""


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies cannot be added."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units of an ISO 4217 currency."""

    amount: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} + {other.currency}")
        return Money(self.amount + other.amount, self.currency)

    def __mul__(self, quantity: int) -> "Money":
        return Money(self.amount * quantity, self.currency)

    def __str__(self) -> str:
        places = exponent(self.currency)
        return f"{Decimal(self.amount).scaleb(-places):,.{places}f} {self.currency}"


def exponent(currency: str) -> int:
    """How many decimal places the currency has; ``ValueError`` if unknown."""
    if currency not in CURRENCIES:
        raise ValueError(f"unknown currency {currency!r}")
    return _EXPONENTS.get(currency, 2)


def total(amounts: Iterable[Money], currency: str) -> Money:
    """Add amounts up; nothing adds up to zero of *currency*."""
    return sum(amounts, start=Money(0, currency))


def parse(text: str, currency: str) -> Money:
    """Read a decimal such as ``"19.99"``, rounding half up to the minor unit.

    Raises ``ValueError`` for anything that is not a plain non-negative decimal
    within bounds.
    """
    plain = text.strip()
    if len(plain) > _MAX_CHARS or not _PLAIN.fullmatch(plain):
        raise ValueError(f"{text[:_MAX_CHARS]!r} is not an amount")
    value = Decimal(plain).scaleb(exponent(currency), _EXACT)
    minor = value.to_integral_value(ROUND_HALF_UP)
    if minor > MAX_AMOUNT:
        raise ValueError(f"{text!r} is too large")
    return Money(int(minor), currency)
