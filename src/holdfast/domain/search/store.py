"""The index of products in PostgreSQL: written with them, asked in two statements.

One statement says what is known of the words somebody typed, one finds a page of
products, its facets and documents included.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from holdfast.domain.search.cursors import cursor, place
from holdfast.domain.search.filters import Filters, Sort
from holdfast.domain.search.model import (
    MAX_LONGER,
    MAX_WORDS,
    Question,
    Word,
    completed,
    correct,
    has_operators,
    question,
    sample_of,
    suggestions,
    with_operators,
)
from holdfast.domain.search.statement import Pages, Reading, Shape, length_for
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction

_SQL = sql.load("holdfast.domain.search")
_INDEX = _SQL["index"]
_LOOK_UP = _SQL["look_up"]
_NEAR = _SQL["near"]
_SUGGEST = _SQL["suggest"]
_CALLED = _SQL["called"]
_LOCK_NEXT = _SQL["lock_next"]
_COUNT_WORDS = _SQL["count_words"]
_CAN_TELL_ALIKE = _SQL["can_tell_alike"]

# Statements that stand in others, where those have a place for them.
_ALIKE = _LOOK_UP.replace(
    "NULL::jsonb /* near */", f"({_NEAR.rstrip(';').replace('$1', 't.word')})"
)
_SUGGEST_SPOKEN = _SUGGEST.replace(
    "NULL::jsonb /* called */",
    f"({_CALLED.rstrip(';').replace('$1::', 'p.id::').replace('$2::', '$8::')})",
)
_LONGEST_CODE = 255


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value of a facet, and how many matches have it."""

    name: str
    value: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Bought:
    """How many matches can be bought, or how many cannot."""

    can_be: bool
    count: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Facets:
    """What the matches can be told apart by."""

    count: int
    exact: bool
    """Whether every match was counted; else counts are estimates, from a sample."""
    values: tuple[FacetValue, ...]
    """The most frequent first, by name."""
    prices: tuple[tuple[str, int, int], ...]
    """Currency, least and most."""
    bought: tuple[Bought, ...] = ()


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
    measured: bool = True
    """Whether attributes with a range are numbers or days that can be filtered by."""
    defined: bool = True
    """Whether attributes with values can be filtered by."""
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
    codes: tuple[str, ...] = ()
    """How it is written if it is an SKU or a barcode."""


async def index(tx: Transaction, ids: Sequence[UUID]) -> None:
    """Write down what is searched of products, after all else of them is written."""
    await tx.execute(_INDEX, ids)


async def lock_next(tx: Transaction, after: UUID, limit: int) -> list[UUID]:
    """Lock the products after one, in the order of ids: the next step of a rebuild."""
    return [row["id"] for row in await tx.fetch(_LOCK_NEXT, after, limit)]


async def count_words(
    tx: Transaction, *, before: datetime, limit: int, at: datetime
) -> int:
    """Count some words anew that were last counted before a moment; returns how many.

    Their numbers say which of several words is offered first.
    """
    return len(await tx.fetch(_COUNT_WORDS, before, limit, at))


async def can_tell_alike(connection: Connection) -> bool:
    """Whether typing errors are seen: whether the server has pg_trgm."""
    return bool(await connection.fetchval(_CAN_TELL_ALIKE))


class Finder:
    """Finds products for one process; reads them in the same statement if told how."""

    def __init__(
        self, connection: Connection, *, reading: Reading | None = None
    ) -> None:
        self._connection = connection
        self._alike = False
        self._pages = Pages(reading)

    async def understand(self, typed: str, *, on_sale: bool = True) -> Asked:
        """What somebody typed as a question; one statement.

        Only what is *on_sale* is looked for, or all there is: whose words nobody knows.
        """
        words, synonyms = await self._look_up(typed)
        text = " ".join(word.text for word in words)
        asked: Question | None
        if has_operators(typed) and words:
            asked = Question(with_operators(typed), operators=True)
        else:
            ending = typed[-1:].isalnum()
            asked = question(words, synonyms, still_typing=ending, on_sale=on_sale)
        return Asked(text, asked, codes_of(typed))

    async def _look_up(self, typed: str) -> tuple[list[Word], dict[str, list[str]]]:
        if not self._alike:
            self._alike = await can_tell_alike(self._connection)
        statement = _ALIKE if self._alike else _LOOK_UP
        rows = await self._connection.fetch(
            statement, typed.replace("\x00", " "), MAX_WORDS, MAX_LONGER
        )
        words = [
            Word(
                row["word"],
                row["known"],
                row["products"],
                tuple((word, products) for word, products in row["goes_on"] or ()),
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
        few, key, last = (None, None, None) if after is None else place(after, sort)
        if asked is None and filters.is_wide and not facets:
            # In a whole shop many are: nobody need look.
            few = False
        among = filters.among
        every = [
            *_question(asked),
            *(language, asked is not None and _operators(asked)),
            *(filters.status, now, filters.category_id, filters.category),
            filters.path,
            *filters.sets,
            *_prices(filters),
            filters.available,
            *(limit, last, key, few),
            *(("", []) if asked is None else (asked.typed, list(asked.codes))),
            *(filters.names, filters.measured, list(spoken)),
        ]
        shape = Shape(
            *(sort, facets, facets and filters.is_narrow, bool(spoken)),
            absent=frozenset(n for n, value in enumerate(every, 1) if value is None),
            limit=length_for(limit),
            among=None if among is None else among.condition,
        )
        of_page = self._pages.of(shape)
        args = of_page.pick(every)
        if among is not None:
            args += among.values
        row = await self._connection.fetchrow(of_page.sql, *args)
        assert row is not None  # noqa: S101 - an aggregate always has one row
        ids, keys = row["ids"] or [], row["keys"] or []
        next_ = None
        if len(ids) > limit:
            next_ = cursor(sort, row["few"], keys[limit - 1], ids[limit - 1])
        return Found(
            ids[:limit],
            next_,
            _facets(row) if facets else None,
            bool(row["relaxed"]),
            row["shelf"],
            row["measured"],
            row["defined"],
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
        """What somebody may be typing: questions, and products; two statements.

        A last word that nothing begins with is taken for a typing error. Products come
        with their titles in the languages *spoken*.
        """
        words, synonyms = await self._look_up(typed)
        asked = question(words, synonyms, still_typing=True)
        if asked is None:
            return [], []
        last = words[-1]
        texts = [word.text for word in words]
        completions = completed(last)
        if not last.known and not last.longer:
            completions = list(correct(last.text, last.near))
            texts[-1] = completions[0] if completions else last.text
        codes = list(codes_of(typed))
        sample = 0 if len(words) > 1 else sample_of(last, limit)
        args = (" ".join(texts), asked.strict, language, now, limit, codes, sample)
        if spoken:
            rows = await self._connection.fetch(_SUGGEST_SPOKEN, *args, spoken)
        else:
            rows = await self._connection.fetch(_SUGGEST, *args)
        products = [Suggestion(*row) for row in rows]
        return suggestions(texts, completions, limit=limit), products


def codes_of(typed: str) -> tuple[str, ...]:
    """How an SKU or a barcode is written that somebody has typed; () if it is none."""
    code = typed.replace("\x00", " ").strip()
    if not code or len(code) > _LONGEST_CODE:
        return ()
    return tuple(dict.fromkeys((code, code.upper(), code.lower())))


def _documents(row: Row) -> tuple[Row, ...]:
    if row["documents"] is None:
        return ()
    by_id = {UUID(told["id"]): told for told in msgspec.json.decode(row["documents"])}
    ids = row["ids"] or []
    return tuple({**by_id[id_], "id": id_} for id_ in ids if id_ in by_id)


def _question(asked: Asked | None) -> tuple[str | None, list[str] | None]:
    if asked is None or asked.question is None:
        return None, None
    return asked.question.strict, list(asked.question.relaxed) or None


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
        tuple(Bought(*each) for each in told["bought"]),
    )
