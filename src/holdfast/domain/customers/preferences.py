"""What a profile may say: names, phone, language, currency, time zone."""

# ruff: noqa: SIM905 - language codes read better as words than as a list
import functools
import re
import zoneinfo
from collections.abc import Callable
from dataclasses import replace

from holdfast.domain.customers.errors import ProfileInvalid
from holdfast.domain.customers.model import Customer, faults_of, tidy
from holdfast.domain.customers.phone import NotAPhoneNumber, e164
from holdfast.kernel.countries import COUNTRIES
from holdfast.kernel.money import CURRENCIES

# ISO 639-1, and those of three letters that shops are translated into.
_LANGUAGES = frozenset(
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr "
    "cs cu cv cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu "
    "gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk "
    "kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms "
    "mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro "
    "ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl "
    "tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu "
    "ast ceb ckb fil gsw haw hsb dsb kok mai mni sat yue".split()
)
# RFC 5646: language, script, region, variants.
_LOCALE = re.compile(
    r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?"
    r"((?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)",
    re.IGNORECASE,
)
_MAX_LOCALE_CHARS = 35  # RFC 5646 4.4.1
# The files of the time zone database that are no zones begin in lower case.
_TIME_ZONE = re.compile(r"[A-Z][A-Za-z0-9_+-]{0,31}(/[A-Za-z0-9_+-]{1,32}){0,2}")


def checked(customer: Customer, *, country: str | None) -> Customer:
    """The customer as it should be written.

    A phone number without a country's code is one of *country*. Raises
    ``ProfileInvalid`` with everything that is wrong.
    """
    names: dict[str, str | None] = {
        "given_name": customer.given_name,
        "family_name": customer.family_name,
    }
    errors = faults_of(names)
    readings: dict[str, Callable[[str], str]] = {
        "phone": functools.partial(_phone, country=country),
        "locale": _locale,
        "currency": _currency,
        "time_zone": _time_zone,
    }
    read: dict[str, str | None] = {}
    for name, reading in readings.items():
        text: str | None = getattr(customer, name)
        try:
            read[name] = None if text is None else reading(text)
        except ValueError as error:
            errors.append({"pointer": f"/{name}", "detail": str(error)})
    if errors:
        raise ProfileInvalid(errors)
    return replace(
        customer,
        given_name=_name(customer.given_name),
        family_name=_name(customer.family_name),
        phone=read["phone"],
        locale=read["locale"],
        currency=read["currency"],
        time_zone=read["time_zone"],
    )


def country_of(locale: str | None) -> str | None:
    """The country that a locale is of, if it says one."""
    match = None if locale is None else _LOCALE.fullmatch(locale)
    return match[3] if match and match[3] in COUNTRIES else None


def _name(text: str | None) -> str | None:
    return None if text is None else tidy(text)


def _phone(text: str, *, country: str | None) -> str:
    try:
        return e164(text, country=country)
    except NotAPhoneNumber as error:
        raise ValueError(str(error)) from None


def _locale(text: str) -> str:
    match = _LOCALE.fullmatch(text) if len(text) <= _MAX_LOCALE_CHARS else None
    if match is None:
        raise ValueError("Not a BCP 47 language tag such as en-GB or zh-Hant-TW")
    language, script, region, variants = match.groups()
    if language.lower() not in _LANGUAGES:
        raise ValueError("There is no such language")
    if region and region.isalpha() and region.upper() not in COUNTRIES:
        raise ValueError("There is no such country")
    # The case that RFC 5646 2.1.1 recommends.
    parts = [language.lower(), script and script.title(), region and region.upper()]
    return "-".join(part for part in parts if part) + variants.lower()


def _currency(text: str) -> str:
    if text not in CURRENCIES:
        raise ValueError("There is no such currency")
    return text


def _time_zone(text: str) -> str:
    # Listing all zones walks a folder of 600 files, 60 ms; opening one takes 0.1.
    try:
        if _TIME_ZONE.fullmatch(text):
            return zoneinfo.ZoneInfo(text).key
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise ValueError("Not an IANA time zone such as Europe/Berlin")
