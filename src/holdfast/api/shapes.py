"""Shapes that several resources share: amounts, addresses, e-mail addresses.

The types only say what a value looks like; what needs more than a pattern is
checked by the functions, which name the field at fault.
"""

from typing import Annotated

import email_validator
import msgspec

from holdfast.api.problems import InvalidRequest
from holdfast.domain.ordering import Address
from holdfast.kernel.countries import COUNTRIES
from holdfast.kernel.money import CURRENCIES, MAX_AMOUNT, Money

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Sku = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
LONGEST_EMAIL = 254
Email = Annotated[str, msgspec.Meta(min_length=3, max_length=LONGEST_EMAIL)]
CurrencyCode = Annotated[
    str,
    msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)", description="ISO 4217", examples=["EUR"]),
]
CountryCode = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Z]{2}$(?!\n)", description="ISO 3166-1", examples=["DE"]
    ),
]


class Amount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An amount in minor units of a currency: 19.99 EUR is 1999."""

    amount: Annotated[int, msgspec.Meta(ge=0, le=MAX_AMOUNT)]
    currency: CurrencyCode

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class PostalAddress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where something is sent."""

    name: Text
    line1: Text
    city: Text
    country: CountryCode
    line2: Text | None = None
    region: Text | None = None
    postal_code: Annotated[str, msgspec.Meta(min_length=1, max_length=32)] | None = None
    phone: Annotated[str, msgspec.Meta(min_length=3, max_length=32)] | None = None

    def address(self, pointer: str) -> Address:
        """The address; *pointer* is where it stands in the body."""
        if self.country not in COUNTRIES:
            raise invalid(f"{pointer}/country", "There is no such country code")
        return Address(
            name=self.name,
            line1=self.line1,
            city=self.city,
            country=self.country,
            line2=self.line2,
            region=self.region,
            postal_code=self.postal_code,
            phone=self.phone,
        )


def email_address(text: str, pointer: str) -> str:
    """An e-mail address in its normal form; DNS is not asked."""
    if len(text) > LONGEST_EMAIL:
        # Before it is looked at: composing a megabyte of accents takes an hour.
        raise invalid(pointer, f"Has more than {LONGEST_EMAIL} characters")
    try:
        checked = email_validator.validate_email(text, check_deliverability=False)
    except email_validator.EmailNotValidError as error:
        raise invalid(pointer, str(error)) from None
    return checked.normalized


def currency(code: str, pointer: str) -> str:
    """A currency the shop can price in."""
    if code not in CURRENCIES:
        raise invalid(pointer, "There is no such currency")
    return code


def invalid(pointer: str, detail: str) -> InvalidRequest:
    """The fault of one field of the body."""
    return InvalidRequest([{"pointer": pointer, "detail": detail}])
