"""Customers, their addresses and what they agreed to, as values.

Names and addresses are of any script. What is refused is what no name has: control
characters, line breaks and marks that turn the direction of the text around them,
with which one field of a label could dress up as another.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

MAX_ADDRESSES = 50
"""How many addresses a customer may keep."""

# Cc: control; Cs: half a character; Zl, Zp: line and paragraph separators.
_UNWRITABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Embeddings, overrides and isolates. The marks U+200C to U+200F are letters' business:
# Persian and Sinhala names are spelt with some of them.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who buys: the profile of an account."""

    account_id: UUID
    given_name: str | None
    family_name: str | None
    # E.164.
    phone: str | None
    # BCP 47, ISO 4217 and IANA names.
    locale: str | None
    currency: str | None
    time_zone: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; country is an ISO 3166 alpha-2 code, phone E.164."""

    name: str
    line1: str
    country: str
    line2: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class CustomerAddress:
    """An address that a customer keeps."""

    id: UUID
    account_id: UUID
    address: Address
    default_shipping: bool
    default_billing: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Consent:
    """That somebody agreed to marketing, or took it back, when and where."""

    granted: bool
    # account_page, checkout, operator:<id> or api:<client>.
    source: str
    said_at: datetime


def tidy(text: str) -> str | None:
    """*text* in its normal form, NFC and without space around it; None if empty."""
    return unicodedata.normalize("NFC", text).strip() or None


def fault_in(text: str) -> str | None:
    """What makes *text* no line of a name or address; None if nothing does."""
    for char in text:
        if unicodedata.category(char) in _UNWRITABLE or char in _TURNING:
            return f"The character U+{ord(char):04X} cannot be part of it"
    return None


def faults_of(fields: Mapping[str, str | None]) -> list[dict[str, str]]:
    """What is wrong with the characters of *fields*, by pointer."""
    return [
        {"pointer": f"/{name}", "detail": fault}
        for name, text in fields.items()
        if text is not None and (fault := fault_in(text)) is not None
    ]
