"""The statement of a search, put together from the parts that ``queries.sql`` has.

``find`` is whole as it stands, and long. What a search does not ask for is left out, so
that PostgreSQL need not plan it: that is what stands between ``/* when x: */`` and
``/* end x */``, and parameters without a value, which become NULL. What is said many
times is written once, between ``/* as x: */`` and ``/* end x */``, and elsewhere
``true /* same x */``, or a NULL, stands for it. Parameters that are left over are
numbered anew.

So the text depends on what is asked for and not on the values: PostgreSQL plans it once
a connection. Planned for its values, each search took some 2 ms of planning beside 0.5
to 2 of searching (20,000 variants).
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from holdfast.domain.search.filters import Sort
from holdfast.platform import sql

_SQL = sql.load("holdfast.domain.search")
_FIND = _SQL["find"]
_IN_ORDER = _SQL["in_order"]
_SHOWN = _SQL["shown"]

Reading: TypeAlias = Callable[[str, str, str | None], str]
"""How products are read: a statement of a list of ids and a time, both as SQL, and of
a list of languages, of which translations are brought along; None for none."""

_PARAMETER = re.compile(r"\$(\d+)")
_COMMENT = re.compile(r"--[^\n]*\n\s*")
_SAME = re.compile(r"(?:true|NULL::\w+) /\* same (\w+) \*/")
_WHEN = re.compile(
    r"/\* when (\w+): \*/((?:(?!/\* when ).)*?)/\* end \1 \*/", re.DOTALL
)
_IS_NULL = re.compile(r"\$(\d+)(?:::[a-z]+(?:\[\])?)? IS (NOT )?NULL")
_CAST = re.compile(r"\$(\d+)::([a-z]+(?:\[\])?)")
_AMONG = "true /* among */"
_BEFORE_ORDER = 19
"""Parameters of ``find`` before those that ``in_order`` has too."""
# What each order goes by: in the index, among few matches, and its type.
_KEYS: Mapping[Sort, tuple[str, str, str]] = {
    "newest": ("i.age", "f.age", "bigint"),
    "price": ("i.price_low", "f.price_low", "bigint"),
    "-price": ("(-i.price_high)", "f.price_down", "bigint"),
    "title": ("i.title", "f.title", "text"),
}
_MOST = "$20::integer"
# A page is looked for with one of these as its length, so that the plan knows how far
# it walks; what is beyond the length that was asked for is not told.
_LENGTHS = (20, 100)
_KEPT = 256
KEPT_STATEMENTS = 30
"""How many statements a connection should keep that searches use, among others: one
with facets, and its plan, takes 3 MB of the server's memory."""


class Shape(NamedTuple):
    """What a search asks for, whatever the values."""

    sort: Sort
    facets: bool
    narrowed: bool
    """Whether something is chosen that may be chosen otherwise."""
    spoken: bool
    absent: frozenset[int]
    """Parameters that have no value, by their numbers in ``find``."""
    limit: int
    among: str | None = None
    """A condition of a collection, with parameters from $1 on."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL, and which of all arguments it takes, by their numbers from 0."""

    sql: str
    takes: tuple[int, ...]

    def pick(self, every: Sequence[object]) -> list[object]:
        """Of all arguments, its own."""
        return [every[place] for place in self.takes]


class Pages:
    """The statements of pages, by what is asked for."""

    def __init__(self, reading: Reading | None) -> None:
        """*reading*: how the products of a page are read, if they are."""
        self._reading = reading
        self.of = lru_cache(maxsize=_KEPT)(self._of)
        """The statement of a shape whose limit is one of ``length_for``."""

    def _of(self, shape: Shape) -> Statement:
        instead = {}
        if shape.sort != "relevance":
            of_index, of_few, type_ = _KEYS[shape.sort]
            walk = shifted(part(_IN_ORDER, "found"), _BEFORE_ORDER)
            walk = walk.replace("i.age /* walked */", of_index)
            walk = walk.replace("f.age /* key */", of_few).replace("bigint", type_)
            instead[part(_COMMENT.sub("", _FIND), "found")] = walk
        if self._reading is not None:
            ids = "ARRAY(SELECT id FROM page ORDER BY key, id LIMIT $20)"
            languages = "$28::text[]" if shape.spoken else None
            read = self._reading(ids, "$6::timestamptz", languages)
            shown = _SHOWN.rstrip(";").replace("(SELECT 1 /* reading */)", f"({read})")
            instead["NULL::text /* documents */"] = f"({shown})"
        wanted = {
            "facets": shape.facets,
            "narrowed": shape.narrowed,
            "weighed": shape.sort == "relevance",
        }
        return composed(
            *(_FIND, frozenset(name for name, is_ in wanted.items() if is_)),
            instead=instead,
            absent=shape.absent,
            most=shape.limit,
            among=shape.among,
        )


def length_for(limit: int) -> int:
    """The length for which a page of *limit* is looked for."""
    return next(length for length in _LENGTHS if length >= limit)


def part(statement: str, name: str) -> str:
    """What stands between ``/* as name: */`` and its end."""
    _, _, rest = statement.partition(f"/* as {name}: */")
    found, end, _ = rest.partition(f"/* end {name} */")
    assert end, name  # noqa: S101 - a fault of queries.sql
    return found


def shifted(statement: str, by: int) -> str:
    """The same with *by* other parameters before its own."""
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", statement)


def composed(
    statement: str,
    wanted: frozenset[str],
    *,
    instead: Mapping[str, str],
    absent: Collection[int] = (),
    most: int | None = None,
    among: str | None = None,
) -> Statement:
    """The parts of a statement that are *wanted*, with others *instead* of some.

    Parameters that are *absent* become NULL. Those of *among* come after all others.
    """
    text = _COMMENT.sub("", statement)
    while _WHEN.search(text):
        # Those within others first.
        text = _WHEN.sub(lambda found: found[2] if found[1] in wanted else "", text)
    # What is said is looked up where all of it still stands.
    whole = text
    for there, other in instead.items():
        text = text.replace(there, other)
    while (same := _SAME.search(text)) is not None:
        text = text.replace(same[0], f"({part(whole, same[1])})")
    if most is not None:
        text = text.replace(_MOST, str(most))
    # Whether there is a value is known before the plan is made: it can use an index.
    text = _IS_NULL.sub(
        lambda found: str((int(found[1]) in absent) is not bool(found[2])), text
    )
    numbers = {int(number) for number in _PARAMETER.findall(text)}.difference(absent)
    anew = {number: f"${place}" for place, number in enumerate(sorted(numbers), 1)}
    anew |= dict.fromkeys(absent, "NULL")
    # What its first mention says of its type may be gone by now: each says it.
    anew |= {
        int(number): f"{anew[int(number)]}::{type_}"
        for number, type_ in _CAST.findall(statement)
        if int(number) in anew
    }
    text = _PARAMETER.sub(lambda found: anew[int(found[1])], text)
    if among is not None:
        text = text.replace(_AMONG, shifted(among, len(numbers)))
    return Statement(text, tuple(number - 1 for number in sorted(numbers)))
