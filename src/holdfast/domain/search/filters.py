"""By what a search is narrowed, and how that is written in an address.

A list of values is written with commas, ``Acme,Bolt``; a value that has a comma, a
colon, a semicolon or a quote in it stands in quotes, ``"Bolt, Inc."``, a quote in it
twice. Options and attributes have a name before a colon and are joined by semicolons:
``Size:S,M;Colour:Red``. Of one facet any value will do; of each facet there must be
one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args
from uuid import UUID

from holdfast.domain.search.errors import FilterInvalid
from holdfast.domain.search.measures import (
    Measure,
    Unquoted,
    is_range,
    measure,
    path_of,
)

Sort: TypeAlias = Literal["relevance", "newest", "price", "-price", "title"]
SORTS: tuple[Sort, ...] = get_args(Sort)

MAX_FACETS = 6
"""Facets of which values can be chosen at once."""
MAX_VALUES = 100
"""Values that can be chosen of one facet."""
MARK = "\x1f"
"""Between the name of a facet and its value, where the index has them."""

_TOKEN = re.compile(r'"((?:[^"]|"")*)"|([^",:;]+)|([,:;])')
_PLAIN = re.compile(r'[^",:;\s](?:[^",:;]*[^",:;\s])?')


@dataclass(frozen=True, slots=True)
class Prices:
    """From the least to the most, both included, in minor units."""

    currency: str
    low: int = 0
    high: int = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Among:
    """A condition on rows ``i`` of the index, in SQL whose $1 is the first value."""

    condition: str
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Filters:
    """What a product must be to be found."""

    status: str | None = "active"
    """None for any."""
    category_id: UUID | None = None
    category: str | None = None
    """By handle; with everything below it, as by id."""
    prices: Prices | None = None
    available: bool | None = None
    chosen: Mapping[str, tuple[str, ...]] | None = None
    """Values by the name of their facet, as ``vendor`` or ``option.Size``."""
    among: Among | None = None
    """What it must belong to."""
    measures: tuple[Measure, ...] = ()
    """From what to what its numbers and days must be."""

    @property
    def is_wide(self) -> bool:
        """Whether whatever has the status is wanted."""
        shelf = (self.category_id, self.category)
        narrow = self.is_narrow or self.measures or self.among
        return not narrow and shelf == (None, None)

    @property
    def is_narrow(self) -> bool:
        """Whether something is chosen of which something else may be."""
        return bool(self.chosen) or (self.prices, self.available) != (None, None)

    @property
    def path(self) -> str | None:
        """What must hold of measures, as a path expression."""
        return path_of(self.measures)

    @property
    def measured(self) -> list[str]:
        """The attributes that must be measures for that."""
        return [each.code for each in self.measures]

    @property
    def names(self) -> list[str]:
        return list(self.chosen or ())

    @property
    def sets(self) -> list[list[str] | None]:
        """The values as the index has them, a set for each facet."""
        chosen = self.chosen or {}
        sets: list[list[str] | None] = [
            [f"{name}{MARK}{value}" for value in values]
            for name, values in chosen.items()
        ]
        return sets + [None] * (MAX_FACETS - len(sets))


def read_chosen(given: Mapping[str, str | None]) -> dict[str, tuple[str, ...]]:
    """Values by facet from ``vendor``, ``tag``, ``type``, ``option``, ``attribute``.

    ``FilterInvalid`` names the parameter that cannot be understood.
    """
    chosen: dict[str, tuple[str, ...]] = {}
    for parameter, text in given.items():
        if text is None:
            continue
        if parameter in ("option", "attribute"):
            for name, values in read_named(parameter, text):
                if parameter == "attribute" and any(map(is_range, values)):
                    continue
                key = f"{parameter}.{name}"
                if key in chosen:
                    raise FilterInvalid(parameter, f"{name} is there twice")
                chosen[key] = values
        else:
            chosen[parameter] = read_list(parameter, text)
    if len(chosen) > MAX_FACETS:
        raise FilterInvalid(
            parameter="option", reason=f"at most {MAX_FACETS} facets at once"
        )
    return chosen


def read_measures(text: str | None) -> tuple[Measure, ...]:
    """The ranges among attributes; ``FilterInvalid``."""
    found: dict[str, Measure] = {}
    for code, values in read_named("attribute", text or ""):
        if any(map(is_range, values)):
            if code in found:
                raise FilterInvalid("attribute", f"{code} is there twice")
            found[code] = measure(code, values)
    if len(found) > MAX_FACETS:
        raise FilterInvalid("attribute", f"at most {MAX_FACETS} ranges at once")
    return tuple(found.values())


def read_list(parameter: str, text: str) -> tuple[str, ...]:
    """``Acme,"Bolt, Inc."`` -> the two of them."""
    tokens = list(_tokens(parameter, text))
    return _values(parameter, tokens)


def read_named(parameter: str, text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """``Size:S,M;Colour:Red`` -> each name with its values."""
    tokens = list(_tokens(parameter, text))
    while tokens:
        end = tokens.index((";", True)) if (";", True) in tokens else len(tokens)
        part, tokens = tokens[:end], tokens[end + 1 :]
        if len(part) < 3 or part[0][1] or part[1] != (":", True):  # noqa: PLR2004 - name, colon, value
            raise FilterInvalid(parameter, "must be like Name:value,value;Name:value")
        yield part[0][0], _values(parameter, part[2:])


def _tokens(parameter: str, text: str) -> Iterator[tuple[str, bool]]:
    """Each value, or sign: a text, and whether it is a sign."""
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise FilterInvalid(parameter, "has a quote that nothing closes")
        quoted, plain, sign = found.groups()
        if sign:
            yield sign, True
        elif plain is not None:
            yield Unquoted(plain.strip()), False
        else:
            yield quoted.replace('""', '"'), False
        place = found.end()


def _values(parameter: str, tokens: Sequence[tuple[str, bool]]) -> tuple[str, ...]:
    values = [text for text, _ in tokens[::2]]
    signs = tokens[1::2]
    if (
        not tokens
        or len(tokens) % 2 == 0
        or any(sign != (",", True) for sign in signs)
        or any(is_sign or not text for text, is_sign in tokens[::2])
    ):
        raise FilterInvalid(parameter, "must be values with a comma between them")
    if len(values) > MAX_VALUES:
        raise FilterInvalid(parameter, f"must be at most {MAX_VALUES} values")
    if any(MARK in value for value in values):
        raise FilterInvalid(parameter, "has a control character")
    return tuple(dict.fromkeys(values))


def written(values: Sequence[str]) -> str:
    """A list as ``read_list`` reads it."""
    return ",".join(
        value if _PLAIN.fullmatch(value) else '"' + value.replace('"', '""') + '"'
        for value in values
    )
