"""Products as clients read them: JSON made when it was written, stock put in now.

A product is read far more often than it changes, so its JSON is kept beside it
(see ``project`` in queries.sql) and sent on as it is; only the number of
available units is filled in. A page of 20 costs PostgreSQL 115 us this way
instead of 430, and Python builds no object at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar
from uuid import UUID

import msgspec

from holdfast.domain.catalog.errors import ProductNotFound
from holdfast.domain.catalog.model import (
    Product,
    Status,
    is_handle,
    parse_id,
)
from holdfast.domain.catalog.speaking import speaking, translated
from holdfast.kernel.clock import Clock
from holdfast.kernel.negotiation import Preference
from holdfast.kernel.page import (
    decode_id_cursor,
    encode_cursor,
)
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row
from holdfast.platform.together import Together

_SQL = sql.load("holdfast.domain.catalog")
_READ_BY_ID = _SQL["read_by_id"]
_READ_BY_HANDLE = _SQL["read_by_handle"]
_PAGE_ON_SALE = _SQL["page_on_sale"]
_PAGE = _SQL["page"]
_PAGE_IN_CATEGORY = _SQL["page_in_category"]

# The same with what is translated, for those who ask for that.
_SPOKEN_BY_ID = speaking(_READ_BY_ID, "p.id", "$3::text[]")
_SPOKEN_BY_HANDLE = speaking(_READ_BY_HANDLE, "p.id", "$3::text[]")
_OF_PAGE = "jsonb_object_agg(page.id, {}) FILTER (WHERE page.place <= $2)"
_SPOKEN_PAGE_ON_SALE = speaking(_PAGE_ON_SALE, "page.id", "$4::text[]", _OF_PAGE)
_SPOKEN_PAGE = speaking(_PAGE, "page.id", "$5::text[]", _OF_PAGE)
_SPOKEN_IN_CATEGORY = speaking(_PAGE_IN_CATEGORY, "page.id", "$6::text[]", _OF_PAGE)

PLACE = "\x1f"
"""Stands in a stored document where the status goes, and each number of units."""
_BEGINS = '{"id":"'
_ID_LENGTH = 36
_UNITS = '"available":'

_FIRST = UUID(int=0)
_decoder = msgspec.json.Decoder(Product)


@dataclass(frozen=True, slots=True)
class Document:
    """One product as JSON."""

    id: UUID
    status: Status
    json: str
    version: int
    has_offers: bool = True
    """Whether there may be other prices than the document says."""
    languages: tuple[str, ...] = ()
    """What it is written in; empty for the shop's own language."""

    def product(self) -> Product:
        """The same as an object; 20 us."""
        return _decoder.decode(self.json)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of products as JSON, and the cursor of the next page."""

    json: str
    """The products, with commas between."""
    next: str | None
    languages: tuple[str, ...] = ()
    """What they are written in; empty for the shop's own language."""


K = TypeVar("K")


class Read(Protocol[K]):
    """A statement that reads products by keys."""

    async def __call__(
        self,
        connection: Connection,
        keys: Sequence[K],
        /,
        *,
        at: datetime | None = None,
    ) -> dict[K, Document]: ...


class Reader:
    """Reads single products for one process, many in one statement.

    Requests that arrive while others wait for the database are answered by one
    statement; see ``Together`` for what that is worth.
    """

    def __init__(self, connection: Connection, clock: Clock | None = None) -> None:
        self._by_id = Together(partial(_now, read_by_id, connection, clock))
        self._by_handle = Together(partial(_now, _read_by_handle, connection, clock))
        # Who asks for another language waits for nobody who does not.
        spoken = partial(_spoken, connection, clock)
        self._spoken_by_id = Together(partial(spoken, _SPOKEN_BY_ID, "id"))
        self._spoken_by_handle = Together(partial(spoken, _SPOKEN_BY_HANDLE, "handle"))

    async def find(
        self, id_or_handle: str, wanted: Preference | None = None
    ) -> Document:
        """The product of any status; ``ProductNotFound`` if there is none.

        In the languages that are *wanted*, as far as there are texts in them.
        """
        if wanted is not None and wanted.tags:
            return await self._find_spoken(id_or_handle, wanted)
        if (product_id := parse_id(id_or_handle)) is not None:
            found = await self._by_id.get(product_id)
        elif is_handle(id_or_handle):
            found = await self._by_handle.get(id_or_handle)
        else:
            found = None
        if found is None:
            raise ProductNotFound
        return found

    async def _find_spoken(self, id_or_handle: str, wanted: Preference) -> Document:
        found: Document | None = None
        if (product_id := parse_id(id_or_handle)) is not None:
            found = await self._spoken_by_id.get((product_id, wanted))
        elif is_handle(id_or_handle):
            found = await self._spoken_by_handle.get((id_or_handle, wanted))
        if found is None:
            raise ProductNotFound
        return found


async def _spoken(
    connection: Connection,
    clock: Clock | None,
    statement: str,
    column: str,
    keys: Sequence[tuple[K, Preference]],
) -> dict[tuple[K, Preference], Document]:
    """Products for several who want to read them in different languages."""
    tags = sorted({tag for _, wanted in keys for tag in wanted.tags})
    names = list(dict.fromkeys(name for name, _ in keys))
    at = clock() if clock is not None else None
    rows = {
        row[column]: row for row in await connection.fetch(statement, names, at, tags)
    }
    return {
        (name, wanted): document(rows[name], wanted)
        for name, wanted in keys
        if name in rows
    }


async def _now(
    read: Read[K], connection: Connection, clock: Clock | None, keys: Sequence[K]
) -> dict[K, Document]:
    return await read(connection, keys, at=clock() if clock is not None else None)


async def read_by_id(
    connection: Connection, ids: Sequence[UUID], *, at: datetime | None = None
) -> dict[UUID, Document]:
    """Products of any status by id; unknown ones are absent.

    Their status is that of a moment, by the database's clock if none is given.
    """
    rows = await connection.fetch(_READ_BY_ID, ids, at)
    return {row["id"]: document(row) for row in rows}


async def _read_by_handle(
    connection: Connection, handles: Sequence[str], *, at: datetime | None = None
) -> dict[str, Document]:
    rows = await connection.fetch(_READ_BY_HANDLE, handles, at)
    return {row["handle"]: document(row) for row in rows}


async def page(
    connection: Connection,
    *,
    after: str | None,
    limit: int,
    status: Status | None,
    category_id: UUID | None = None,
    at: datetime | None = None,
    wanted: Preference | None = None,
) -> Sheet:
    """Products in the order they were made; status None means any.

    In the languages that are *wanted*, as far as there are texts in them.
    """
    last = _FIRST if after is None else decode_id_cursor(after)
    args: tuple[object, ...]
    if category_id is not None:
        statements = _PAGE_IN_CATEGORY, _SPOKEN_IN_CATEGORY
        args = last, limit, status, category_id, at
    elif status == "active":
        statements = _PAGE_ON_SALE, _SPOKEN_PAGE_ON_SALE
        args = last, limit, at
    else:
        statements = _PAGE, _SPOKEN_PAGE
        args = last, limit, status, at
    row = await _one_row(connection, statements, args, wanted)
    next_ = encode_cursor(str(row["last_id"])) if row["more"] else None
    return _sheet(row, next_, wanted)


async def _one_row(
    connection: Connection,
    statements: tuple[str, str],
    args: Sequence[object],
    wanted: Preference | None,
) -> Row:
    """Ask one of two statements: without translations, or with them."""
    plain, spoken = statements
    if wanted is not None and wanted.tags:
        row = await connection.fetchrow(spoken, *args, wanted.tags)
    else:
        row = await connection.fetchrow(plain, *args)
    assert row is not None  # noqa: S101 - an aggregate always has one row
    return row


def _sheet(row: Row, next_: str | None, wanted: Preference | None) -> Sheet:
    documents = _filled_in(row["documents"] or "", row["available"])
    if wanted is None or not row["spoken"]:
        return Sheet(documents, next_)
    documents, languages = translated(documents, row["spoken"], wanted)
    return Sheet(documents, next_, languages)


def reading(ids: str, moment: str, languages: str | None = None) -> str:
    """The statement that reads products by id, to stand in another module's.

    *ids*, *moment* and *languages* are SQL: an array of ids, a time and an array of
    tags, of which translations are brought along. ``document`` reads its rows.
    """
    statement = _READ_BY_ID
    if languages is not None:
        statement = speaking(statement, "p.id", languages)
    statement = statement.rstrip(";").replace("$1::uuid[]", ids)
    return statement.replace("$2::timestamptz", moment)


def document(row: Row, wanted: Preference | None = None) -> Document:
    """What a row of a product says, its stock filled in, in a language if wanted."""
    filled_in = _filled_in(row["document"], row["available"])
    languages: tuple[str, ...] = ()
    if wanted is not None and (spoken := row["spoken"]):
        by_id = {str(row["id"]): spoken}
        filled_in, languages = translated(filled_in, by_id, wanted)
    return Document(
        row["id"],
        row["status"],
        filled_in,
        row["version"],
        row.get("has_offers", True),
        languages,
    )


def say_of_variants(documents: str, said: Mapping[str, str]) -> str:
    """Documents with another member at the end of variants: JSON text by their ids.

    Taken apart and put together again, a page of 20 costs half a millisecond. A variant
    begins with its id, in a list, and ends with the number of its units.
    """
    pieces = documents.split(_UNITS)
    variant = _last_in_list(pieces[0])
    for place in range(1, len(pieces)):
        piece = pieces[place]
        # (An option may be called "available": its values are texts.)
        if (more := said.get(variant)) is not None and piece[0] != '"':
            end = piece.index("}")
            pieces[place] = f"{piece[:end]},{more}{piece[end:]}"
        variant = _last_in_list(piece) or variant
    return _UNITS.join(pieces)


def _last_in_list(text: str) -> str:
    """The id of the last object in it that stands in a list; empty if there is none.

    In what somebody wrote each quote has a backslash before it.
    """
    at = text.rfind(_BEGINS)
    while at > 0 and text[at - 1] not in "[,":
        # (An option may be called "id", too.)
        at = text.rfind(_BEGINS, 0, at)
    return text[at + len(_BEGINS) :][:_ID_LENGTH] if at >= 0 else ""


def _filled_in(documents: str, available: str | None) -> str:
    if available is None:
        return documents
    # A status first, and a number for each variant, for each product.
    numbers = available.split(" ")
    whole = [""] * (2 * len(numbers) + 1)
    whole[::2] = documents.split(PLACE)
    whole[1::2] = numbers
    return "".join(whole)
