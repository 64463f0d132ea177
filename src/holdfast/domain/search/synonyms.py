"""Synonyms: what else somebody means who types a term."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from holdfast.domain.search.errors import (
    SynonymsChanged,
    SynonymsInvalid,
    SynonymsNotFound,
)
from holdfast.domain.search.model import MAX_TERM_WORDS
from holdfast.kernel.ids import new_id
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.kernel.versions import Versions, are_of
from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction

_SQL = sql.load("holdfast.domain.search")
_SYNONYMS = _SQL["synonyms"]
_ADD_SYNONYMS = _SQL["add_synonyms"]
_FIND_SYNONYMS = _SQL["find_synonyms"]
_LOCK_SYNONYMS = _SQL["lock_synonyms"]
_CHANGE_SYNONYMS = _SQL["change_synonyms"]
_REMOVE_SYNONYMS = _SQL["remove_synonyms"]

MAX_TERMS = 20
_NIL = UUID(int=0)


class Synonyms(msgspec.Struct, frozen=True):
    """Terms of which one finds the others."""

    id: UUID
    typed: tuple[str, ...]
    """Whoever types one of these"""
    found: tuple[str, ...]
    """finds what has one of these as well."""
    mutual: bool
    """Whether each of them means every other."""
    created_at: datetime
    version: int
    """Raised by every change."""


@dataclass(frozen=True, slots=True)
class NewSynonyms:
    """Synonyms that somebody wants there to be."""

    typed: Sequence[str]
    found: Sequence[str]
    """The same as *typed* where they mean each other."""
    mutual: bool


async def synonyms(
    connection: Connection, *, after: str | None, limit: int
) -> Page[Synonyms]:
    """Synonyms in the order they were made."""
    last = _NIL if after is None else decode_id_cursor(after)
    rows = await connection.fetch(_SYNONYMS, last, limit + 1)
    items = [_synonyms(row) for row in rows]
    if len(items) <= limit:
        return Page(items, None)
    return Page(items[:limit], encode_cursor(str(items[limit - 1].id)))


async def add_synonyms(
    tx: Transaction, wanted: NewSynonyms, *, at: datetime
) -> Synonyms:
    """Add them as the index writes words; ``SynonymsInvalid`` undoes it."""
    row = await tx.fetchrow(
        *(_ADD_SYNONYMS, new_id(), list(wanted.typed), list(wanted.found)),
        *(wanted.mutual, at),
    )
    return _checked(_synonyms(row))


async def find_synonyms(connection: Connection, synonyms_id: UUID) -> Synonyms:
    """One set of them; ``SynonymsNotFound`` if there is none."""
    row = await connection.fetchrow(_FIND_SYNONYMS, synonyms_id)
    if row is None:
        raise SynonymsNotFound
    return _synonyms(row)


async def lock_synonyms(
    tx: Transaction, synonyms_id: UUID, *, versions: Versions
) -> None:
    """Lock a set of them that has one of these versions.

    Raises ``SynonymsNotFound``, or ``SynonymsChanged`` with the version it has.
    """
    version = await tx.fetchval(_LOCK_SYNONYMS, synonyms_id)
    if version is None:
        raise SynonymsNotFound
    if not are_of(version, versions):
        raise SynonymsChanged(version)


async def change_synonyms(
    tx: Transaction, synonyms_id: UUID, wanted: NewSynonyms
) -> Synonyms:
    """Make a locked set what is wanted; ``SynonymsInvalid`` undoes it."""
    row = await tx.fetchrow(
        *(_CHANGE_SYNONYMS, synonyms_id, list(wanted.typed), list(wanted.found)),
        wanted.mutual,
    )
    return _checked(_synonyms(row))


async def remove_synonyms(tx: Transaction, synonyms_id: UUID) -> None:
    """Remove a locked set of them."""
    await tx.execute(_REMOVE_SYNONYMS, synonyms_id)


def _checked(made: Synonyms) -> Synonyms:
    least = 2 if made.mutual else 1
    for pointer, terms in (("/synonyms", made.found), ("/term", made.typed)):
        if len(terms) < least:
            raise SynonymsInvalid(pointer, f"must have {least} with letters or digits")
        if any(term.count(" ") >= MAX_TERM_WORDS for term in terms):
            raise SynonymsInvalid(pointer, f"must have at most {MAX_TERM_WORDS} words")
    return made


def _synonyms(row: object) -> Synonyms:
    return msgspec.convert(dict(row), Synonyms)  # type: ignore[call-overload]
