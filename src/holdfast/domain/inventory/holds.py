"""Holds in PostgreSQL: stock that a cart keeps for a while before it is ordered.

One request takes one statement, the same as an order's. Many requests for the same
rows are decided together: their rows are locked and read, ``combining`` says who gets
what, and all of it is written, in one transaction of two statements however many they
are.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from holdfast.domain.inventory.combining import (
    Denied,
    Granted,
    Place,
    Request,
    Units,
    grant,
)
from holdfast.domain.inventory.model import Wanted
from holdfast.domain.inventory.reservations import EXPIRE_AT_ONCE, LOOKS, ask, sure
from holdfast.domain.inventory.sold_out import SoldOut
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction

LONGEST = timedelta(minutes=60)
"""After so long a hold ends, however often it was renewed."""

_SQL = sql.load("holdfast.domain.inventory")
_LOCK_FOR_HOLDS = _SQL["lock_for_holds"]
_OVERDUE_AMONG = _SQL["overdue_among"]
_WRITE_HOLDS = _SQL["write_holds"]
_LEFT_OF = _SQL["left_of"]


@dataclass(frozen=True, slots=True)
class Held:
    """A hold that was granted."""

    expires_at: datetime
    is_new: bool
    """There was none before."""
    is_same: bool
    """It was renewed as it was."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a batch."""

    outcomes: Sequence[Held | Denied]
    """One for each request, in the same order."""
    expired: int
    """How many overdue reservations were freed on the way."""


@dataclass(slots=True)
class _Books:
    """What was locked, and what is to be written."""

    at: datetime
    levels: dict[UUID, list[tuple[UUID, int]]] = field(default_factory=dict)
    held: dict[UUID, Units] = field(default_factory=dict)
    since: dict[UUID, datetime] = field(default_factory=dict)
    changes: dict[Place, int] = field(default_factory=dict)
    """By how much what is reserved of each stock row changes."""
    ended: list[tuple[UUID, Place]] = field(default_factory=list)
    expired: int = 0

    @classmethod
    def of(cls, rows: Iterable[Row], at: datetime) -> "_Books":
        books, freed, levels = cls(at), dict[Place, int](), list[Row]()
        for row in rows:
            holder, variant, location, quantity, since, until = row
            place = variant, location
            if holder is None:
                levels.append(row)
            elif until is not None and until <= at:
                # Overdue, whoever's: on offer again, to its holder as to anybody.
                freed[place] = freed.get(place, 0) + quantity
                books.ended.append((holder, place))
            else:
                books.held.setdefault(holder, {})[place] = quantity
                # One that lasts longer was made for another purpose: it begins anew.
                if since + LONGEST > at:
                    known = books.since.get(holder, since)
                    books.since[holder] = min(known, since)
        books.expired = len(books.ended)
        books.changes = {place: -units for place, units in freed.items()}
        for _, variant, location, free, _, _ in levels:
            if free is not None:
                back = freed.get((variant, location), 0)
                books.levels.setdefault(variant, []).append((location, free + back))
        return books


async def hold(
    tx: Transaction,
    holder_id: UUID,
    lines: Sequence[Wanted],
    *,
    at: datetime,
    lasts: timedelta,
) -> tuple[Held | Denied, float | None]:
    """Grant one hold, or deny it; and how many seconds its locks took to be had.

    None of a hold that stays as it was, and of one that is denied: they lock no stock.

    *lines* are one entry a variant, in order (``summed``). Raises
    ``ConstraintViolated`` when another request gave the holder something at the same
    moment; then it is to be tried again. Raises ``DatabaseBusy`` if overdue holds are
    in the way that somebody is at.
    """
    rows = await ask(
        *(tx, holder_id, lines),
        at=at,
        expires_at=at + lasts,
        instead_of=(holder_id,),
        longest=LONGEST,
    )
    first = rows[0]
    if first["variant_id"] is None:
        held = Held(first["until"], first["is_new"], first["is_same"])
        return held, first["waited"]
    return Denied({row["variant_id"]: row["available"] for row in sure(rows)}), None


async def decide(
    tx: Transaction, requests: Sequence[Request], *, at: datetime
) -> Decided:
    """Grant holds to many at once: each all of its lines, or none.

    A hold that is renewed lasts for an hour in all. Overdue holds of what is wanted are
    freed on the way. Raises ``ConstraintViolated`` when another process gave one of the
    holders something at the same moment; then it is to be tried again.
    """
    books, outcomes, short = await _look(tx, requests, at)
    looks, expired = 0, books.expired
    while short and books.expired >= EXPIRE_AT_ONCE and looks < LOOKS:
        # There may be more that are overdue: these are freed, and it is looked again.
        await _write(tx, books, {}, {})
        books, outcomes, short = await _look(tx, requests, at)
        looks, expired = looks + 1, expired + books.expired
    until = {
        one.holder_id: min(at + one.lasts, books.since.get(one.holder_id, at) + LONGEST)
        for one in requests
    }
    has = {
        request.holder_id: outcome.units
        for request, outcome in zip(requests, outcomes, strict=True)
        if isinstance(outcome, Granted)
    }
    if has or books.ended:
        await _write(tx, books, has, until)
    rows = await tx.fetch(_OVERDUE_AMONG, list(short), at) if short else []
    in_the_way = {row["variant_id"] for row in rows}
    said = [
        Held(until[request.holder_id], outcome.is_new, outcome.is_same)
        if isinstance(outcome, Granted)
        else _told(outcome, in_the_way)
        for request, outcome in zip(requests, outcomes, strict=True)
    ]
    return Decided(said, expired)


async def _look(
    tx: Transaction, requests: Sequence[Request], at: datetime
) -> tuple[_Books, list[Granted | Denied], set[UUID]]:
    """Lock what *requests* are about, and decide them; also what falls short."""
    holders = sorted({request.holder_id for request in requests})
    variants = sorted({v for request in requests for v, _ in request.lines})
    rows = await tx.fetch(_LOCK_FOR_HOLDS, holders, variants, at, EXPIRE_AT_ONCE)
    books = _Books.of(rows, at)
    outcomes = grant(books.levels, books.held, requests)
    short = {v for one in outcomes if isinstance(one, Denied) for v in one.available}
    return books, outcomes, short


def _told(denied: Denied, in_the_way: Collection[UUID]) -> Denied:
    """What is certain of a refusal, where overdue holds of some variants are left."""
    certain = {v: n for v, n in denied.available.items() if v not in in_the_way}
    return replace(denied, available=certain or denied.available, is_sure=bool(certain))


async def _write(
    tx: Transaction,
    books: _Books,
    has: Mapping[UUID, Units],
    until: Mapping[UUID, datetime],
) -> None:
    changed, made = list[tuple[Any, ...]](), list[tuple[Any, ...]]()
    ended, changes = list(books.ended), dict(books.changes)
    overdue = set(books.ended)
    for holder, units in has.items():
        had = books.held.get(holder, {})
        for place, quantity in had.items():
            changes[place] = changes.get(place, 0) - quantity
            if place not in units:
                ended.append((holder, place))
        since = books.since.get(holder, books.at)
        for place, quantity in units.items():
            changes[place] = changes.get(place, 0) + quantity
            row = holder, *place, quantity, since, until[holder]
            is_there = place in had or (holder, place) in overdue
            (changed if is_there else made).append(row)
            overdue.discard((holder, place))
    kept = {(row[0], (row[1], row[2])) for row in changed}
    await tx.fetch(
        _WRITE_HOLDS,
        *_columns([(h, *place) for h, place in ended if (h, place) not in kept], 3),
        *_columns(changed, 6),
        *_columns(made, 6),
        *_columns([(*place, n) for place, n in changes.items() if n], 3),
        books.at,
    )


async def left_of(connection: Connection, variants: Sequence[UUID]) -> list[SoldOut]:
    """What is left of variants; without those too many people hold to remember them."""
    rows = await connection.fetch(_LEFT_OF, variants)
    return [
        SoldOut(row["variant_id"], row["available"], row["holders"])
        for row in rows
        if row["holders"] is not None
    ]


def _columns(rows: Sequence[tuple[Any, ...]], count: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [
        [] for _ in range(count)
    ]
