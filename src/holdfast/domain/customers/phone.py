"""Telephone numbers, kept as E.164: ``+442079460018``."""

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

_MAX_CHARS = 64


class NotAPhoneNumber(Exception):
    """No country gives out such a number; the message says what is wrong."""


def e164(text: str, *, country: str | None) -> str:
    """Read a number as people write it; without ``+`` it is one of *country*."""
    if len(text) > _MAX_CHARS:
        raise NotAPhoneNumber(f"Longer than {_MAX_CHARS} characters")
    try:
        number = phonenumbers.parse(text, country)
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
            raise NotAPhoneNumber(
                "Begin with + and the code of the country, as in +44 20 7946 0018"
            ) from None
        raise NotAPhoneNumber("Not a telephone number") from None
    if number.extension:
        # E.164 has no place for it, and cutting it off would ring somebody else.
        raise NotAPhoneNumber("A number with an extension cannot be kept")
    if not phonenumbers.is_valid_number(number):
        raise NotAPhoneNumber("No such number is given out in its country")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
