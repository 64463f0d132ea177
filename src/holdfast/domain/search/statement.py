"""The statement of a search, put together from the parts that ``queries.sql`` has.

``find`` is whole as it stands, and long. What a search does not ask for is left out, so
that PostgreSQL need not plan it: that is what stands between ``/* when x: */`` and
``/* end x */``. What is said many times is written once, between ``/* as x: */`` and
``/* end x */``; ``true /* same x */``, or a NULL, stands for it elsewhere. Parameters
that are left over are numbered anew.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

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


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL, and which of all arguments it takes, by their numbers from 0."""

    sql: str
    takes: tuple[int, ...]

    def pick(self, every: Sequence[object]) -> list[object]:
        """Of all arguments, its own."""
        return [every[place] for place in self.takes]


def page(
    sort: Sort,
    *,
    facets: bool,
    narrowed: bool,
    spoken: bool,
    reading: Reading | None,
) -> Statement:
    """The statement of a page in an order, with what else is to stand in it.

    *narrowed* where something is chosen that may be chosen otherwise.
    """
    instead = {}
    if sort != "relevance":
        of_index, of_few, type_ = _KEYS[sort]
        walk = shifted(part(_IN_ORDER, "found"), _BEFORE_ORDER)
        walk = walk.replace("i.age /* walked */", of_index)
        walk = walk.replace("f.age /* key */", of_few).replace("bigint", type_)
        instead[part(_COMMENT.sub("", _FIND), "found")] = walk
    if reading is not None:
        ids = "ARRAY(SELECT id FROM page ORDER BY key, id LIMIT $20)"
        read = reading(ids, "$6::timestamptz", "$28::text[]" if spoken else None)
        shown = _SHOWN.rstrip(";").replace("(SELECT 1 /* reading */)", f"({read})")
        instead["NULL::text /* documents */"] = f"({shown})"
    wanted = {"facets": facets, "narrowed": narrowed}
    return composed(
        *(_FIND, frozenset(name for name, is_ in wanted.items() if is_)),
        instead=instead,
    )


@lru_cache(maxsize=512)
def among(statement: str, condition: str, before: int) -> str:
    """A page of what a condition holds of, with its values after those of the page."""
    return statement.replace(_AMONG, shifted(condition, before))


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
    statement: str, wanted: frozenset[str], *, instead: Mapping[str, str]
) -> Statement:
    """The parts of a statement that are *wanted*, with others *instead* of some."""
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
    numbers = sorted({int(number) for number in _PARAMETER.findall(text)})
    anew = {number: place for place, number in enumerate(numbers, start=1)}
    return Statement(
        _PARAMETER.sub(lambda found: f"${anew[int(found[1])]}", text),
        tuple(number - 1 for number in numbers),
    )
