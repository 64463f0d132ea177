"""The index of products in PostgreSQL: written with them, asked in two statements.

One statement says what is known of the words somebody typed, one finds a page of
products, its facets and documents included. Their many filters are optional: a
connection that plans each statement for its values
(``Database.connect(planned_anew=True)``) leaves out those that are not there and walks
an index where much matches; others give the same answers, but more slowly.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from holdfast.domain.search.filters import Filters, Sort
from holdfast.domain.search.model import (
    MAX_WORDS,
    Question,
    Word,
    correct,
    has_operators,
    question,
    suggestions,
    with_operators,
)
from holdfast.kernel.page import (
    BadCursor,
    decode_cursor,
    decode_id_cursor,
    encode_cursor,
)
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction

_SQL = sql.load("holdfast.domain.search")
_INDEX = _SQL["index"]
_LOOK_UP = _SQL["look_up"]
_NEAR = _SQL["near"]
_FACETS = _SQL["facets"]
_SHOWN = _SQL["shown"]
_COMPLETE = _SQL["complete"]
_SUGGEST = _SQL["suggest"]
_CALLED = _SQL["called"]
_LOCK_NEXT = _SQL["lock_next"]
_COUNT_WORDS = _SQL["count_words"]
_CAN_TELL_ALIKE = _SQL["can_tell_alike"]
_BY_RELEVANCE = _SQL["by_relevance"]
_BY_AGE = _SQL["by_age"]
_BY_PRICE = _SQL["by_price"]
_BY_PRICE_DOWN = _SQL["by_price_down"]
_BY_TITLE = _SQL["by_title"]

# Statements that stand in others, where those have a place for them.
_ALIKE = _LOOK_UP.replace(
    "NULL::jsonb /* near */", f"({_NEAR.rstrip(';').replace('$1', 't.word')})"
)
_SUGGEST_SPOKEN = _SUGGEST.replace(
    "NULL::jsonb /* called */",
    f"({_CALLED.rstrip(';').replace('$1::', 'p.id::').replace('$2::', '$6::')})",
)
_ORDERS: dict[Sort, str] = {
    "relevance": _BY_RELEVANCE,
    "newest": _BY_AGE,
    "price": _BY_PRICE,
    "-price": _BY_PRICE_DOWN,
    "title": _BY_TITLE,
}
_LARGEST = 2**63 - 1
_PARAMETER = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value of a facet, and how many matches have it."""

    name: str
    value: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facets:
    """What the matches can be told apart by."""

    count: int
    exact: bool
    """Whether every match was counted; else there are at least as many."""
    values: tuple[FacetValue, ...]
    """The most frequent first, by name."""
    prices: tuple[tuple[str, int, int], ...]
    """Currency, least and most."""


_NOTHING = Facets(count=0, exact=True, values=(), prices=())


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what a search finds."""

    ids: list[UUID]
    next: str | None
    facets: Facets | None
    relaxed: bool = False
    """Whether nothing has all the words, and this has some of them."""
    shelf: bool = True
    """Whether there is such a category as was asked for."""
    documents: tuple[Row, ...] = ()
    """The products as the statement that reads them tells them, in order."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A product that somebody may be typing the name of."""

    id: UUID
    handle: str
    title: str
    called: dict[str, str | None] | None = None
    """Its titles in the languages that were asked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed, and what it was understood as."""

    typed: str
    """As the index writes it."""
    question: Question | None
    """None where nothing can be found: there is no letter and no digit."""


async def index(tx: Transaction, ids: Sequence[UUID]) -> None:
    """Write down what is searched of products, after all else of them is written."""
    await tx.execute(_INDEX, ids)


async def lock_next(tx: Transaction, after: UUID, limit: int) -> list[UUID]:
    """Lock the products after one, in the order of ids: the next step of a rebuild."""
    return [row["id"] for row in await tx.fetch(_LOCK_NEXT, after, limit)]


async def count_words(tx: Transaction) -> None:
    """Count the words anew, which says the order in which they are suggested."""
    await tx.execute(_COUNT_WORDS)


async def can_tell_alike(connection: Connection) -> bool:
    """Whether typing errors are seen: whether the server has pg_trgm."""
    return bool(await connection.fetchval(_CAN_TELL_ALIKE))


Reading: TypeAlias = Callable[[str, str, str | None], str]
"""How products are read: a statement of a list of ids and a time, both as SQL, and of
a list of languages, of which translations are brought along; None for none."""


class Finder:
    """Finds products for one process; reads them in the same statement if told how."""

    def __init__(
        self, connection: Connection, *, reading: Reading | None = None
    ) -> None:
        self._connection = connection
        self._alike = False
        self._statements, self._spoken = (
            {
                (sort, facets): _page(sort, facets, spoken, reading)
                for sort in _ORDERS
                for facets in (False, True)
            }
            for spoken in (False, True)
        )

    async def understand(self, typed: str) -> Asked:
        """What somebody typed as a question; one statement."""
        words, synonyms = await self._look_up(typed)
        text = " ".join(word.text for word in words)
        if has_operators(typed) and words:
            return Asked(text, Question(with_operators(typed), operators=True))
        ending = typed[-1:].isalnum()
        return Asked(text, question(words, synonyms, still_typing=ending))

    async def _look_up(self, typed: str) -> tuple[list[Word], dict[str, list[str]]]:
        if not self._alike:
            self._alike = await can_tell_alike(self._connection)
        statement = _ALIKE if self._alike else _LOOK_UP
        rows = await self._connection.fetch(
            statement, typed.replace("\x00", " "), MAX_WORDS
        )
        words = [
            Word(
                row["word"],
                row["known"],
                row["begins"],
                tuple((word, products) for word, products in row["near"] or ()),
            )
            for row in rows
        ]
        synonyms: dict[str, list[str]] = {}
        for term, found in (rows[0]["synonyms"] if rows else None) or ():
            synonyms.setdefault(term, []).extend(found)
        return words, synonyms

    async def find(
        self,
        asked: Asked | None,
        filters: Filters,
        *,
        sort: Sort,
        language: str,
        now: datetime,
        after: str | None,
        limit: int,
        facets: bool,
        spoken: Sequence[str] = (),
    ) -> Found:
        """One page; ``BadCursor`` if *after* is of another list; one statement.

        Without a question there is no relevance: the newest come first. Products come
        with what there is of them in the languages *spoken*.
        """
        if asked is None and sort == "relevance":
            sort = "newest"
        if asked is not None and asked.question is None:
            return Found([], None, _NOTHING if facets else None)
        weighed, key, last = (
            (None, None, None) if after is None else _place(after, sort)
        )
        args = [
            *_question(asked),
            *(language, asked is not None and _operators(asked)),
            *(filters.status, now, filters.category_id, filters.category),
            *_prices(filters),
            filters.available,
            *filters.sets,
            *(limit, key, last),
        ]
        if sort == "relevance" and asked is not None:
            args += [asked.typed, weighed]
        if facets:
            args.append(filters.names)
        statement = self._statements[sort, facets]
        if spoken:
            statement = self._spoken[sort, facets]
            args.append(spoken)
        if (among := filters.among) is not None:
            statement = _among(statement, among.condition, len(args))
            args += among.values
        row = await self._connection.fetchrow(statement, *args)
        assert row is not None  # noqa: S101 - an aggregate always has one row
        ids, keys = row["ids"] or [], row["keys"] or []
        next_ = None
        if len(ids) > limit:
            next_ = _cursor(sort, row["weighed"], keys[limit - 1], ids[limit - 1])
        return Found(
            ids[:limit],
            next_,
            _facets(row) if facets else None,
            bool(row["relaxed"]),
            row["shelf"],
            _documents(row),
        )

    async def suggest(
        self,
        typed: str,
        *,
        language: str,
        now: datetime,
        limit: int,
        spoken: Sequence[str] = (),
    ) -> tuple[list[str], list[Suggestion]]:
        """What somebody may be typing: questions, and products; three statements.

        A last word that nothing begins with is taken for a typing error. Products come
        with their titles in the languages *spoken*.
        """
        words, synonyms = await self._look_up(typed)
        asked = question(words, synonyms, still_typing=True)
        if asked is None:
            return [], []
        last = words[-1]
        texts = [word.text for word in words]
        if not last.known and not last.begins:
            completions = list(correct(last.text, last.near))
            texts[-1] = completions[0] if completions else last.text
        else:
            rows = await self._connection.fetch(_COMPLETE, last.text, limit)
            completions = [row["word"] for row in rows]
        args = (" ".join(texts), asked.strict, language, now, limit)
        if spoken:
            rows = await self._connection.fetch(_SUGGEST_SPOKEN, *args, spoken)
        else:
            rows = await self._connection.fetch(_SUGGEST, *args)
        products = [Suggestion(*row) for row in rows]
        return suggestions(texts, completions, limit=limit), products


def _page(sort: Sort, facets: bool, spoken: bool, reading: Reading | None) -> str:  # noqa: FBT001 - as its table has them
    """The statement of a page with what else is to stand in it.

    The $19 of facets comes after the parameters of the page, and languages after that.
    """
    statement = _ORDERS[sort]
    after = 24 if sort == "relevance" else 22
    if facets:
        names = f"${after}"
        counting = _FACETS.rstrip(";").replace("$19", names)
        statement = statement.replace("NULL::jsonb /* facets */", f"({counting})")
    if reading is not None:
        ids = "ARRAY(SELECT id FROM page ORDER BY key, id LIMIT $19)"
        languages = f"${after + facets}::text[]" if spoken else None
        read = reading(ids, "$6::timestamptz", languages)
        shown = _SHOWN.rstrip(";").replace("(SELECT 1 /* reading */)", f"({read})")
        statement = statement.replace("NULL::text /* documents */", f"({shown})")
    return statement


@lru_cache(maxsize=512)
def _among(statement: str, condition: str, before: int) -> str:
    """A page of what a condition holds of, with its values after those of the page."""
    shifted = _PARAMETER.sub(lambda n: f"${int(n[1]) + before}", condition)
    return statement.replace("true /* among */", shifted)


def _documents(row: Row) -> tuple[Row, ...]:
    if row["documents"] is None:
        return ()
    by_id = {UUID(told["id"]): told for told in msgspec.json.decode(row["documents"])}
    ids = row["ids"] or []
    return tuple({**by_id[id_], "id": id_} for id_ in ids if id_ in by_id)


def _question(asked: Asked | None) -> tuple[str | None, str | None]:
    if asked is None or asked.question is None:
        return None, None
    return asked.question.strict, asked.question.relaxed


def _operators(asked: Asked) -> bool:
    return asked.question is not None and asked.question.operators


def _prices(filters: Filters) -> tuple[int | None, int | None, str | None]:
    if filters.prices is None:
        return None, None, None
    return filters.prices.low, filters.prices.high, filters.prices.currency


def _facets(row: Row) -> Facets:
    told: dict[str, Any] = row["facets"]
    return Facets(
        told["count"],
        told["exact"],
        tuple(FacetValue(*value) for value in told["values"]),
        tuple((currency, low, high) for currency, low, high in told["prices"]),
    )


def _cursor(sort: Sort, weighed: bool | None, key: object, last: UUID) -> str:  # noqa: FBT001 - as the row says it
    mode = {True: "w", False: "t", None: ""}[weighed]
    return encode_cursor(
        sort + mode, repr(key) if sort != "title" else str(key), str(last)
    )


def _place(cursor: str, sort: Sort) -> tuple[bool | None, object, UUID]:
    """What a cursor of a list in this order says: how it is weighed, key and id."""
    name, key, last = decode_cursor(cursor, 3)
    modes: dict[str, bool | None] = (
        {"w": True, "t": False} if sort == "relevance" else {"": None}
    )
    if name[: len(sort)] != sort or name[len(sort) :] not in modes:
        raise BadCursor
    return (
        modes[name[len(sort) :]],
        _key(key, sort),
        decode_id_cursor(encode_cursor(last)),
    )


def _key(text: str, sort: Sort) -> object:
    if sort == "title":
        return text
    try:
        number = float(text) if sort == "relevance" else int(text)
    except ValueError:
        raise BadCursor from None
    if not math.isfinite(number) or abs(number) > _LARGEST:
        raise BadCursor
    return number
