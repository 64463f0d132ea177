"""Collections in PostgreSQL: one short function for each statement."""

import re
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from holdfast.domain.catalog.attributes import Attribute
from holdfast.domain.catalog.collections import Collection, CollectionDraft
from holdfast.domain.catalog.documents import Document, document
from holdfast.domain.catalog.errors import (
    CollectionChanged,
    CollectionInvalid,
    CollectionNotFound,
    DuplicateHandle,
    Fault,
)
from holdfast.domain.catalog.history import Change, Difference, Edit, page_of_changes
from holdfast.domain.catalog.model import Status, Versions, is_handle, parse_id
from holdfast.domain.catalog.speaking import speaking
from holdfast.kernel.ids import new_id
from holdfast.kernel.negotiation import Preference
from holdfast.kernel.page import BadCursor, Page, decode_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, ConstraintViolated, Row, Transaction

_SQL = sql.load("holdfast.domain.catalog")
_ADD = _SQL["add_collection"]
_CHANGE = _SQL["change_collection"]
_FIND = _SQL["find_collection"]
_LOCK = _SQL["lock_collection"]
_LIST = _SQL["collections"]
_DELETE = _SQL["delete_collection"]
_HOLD_PICTURE = _SQL["hold_picture"]
_NOTE = _SQL["note_collection"]
_CHANGES_OF = _SQL["collection_changes"]
_PAGE_BY_HAND = _SQL["page_by_hand"]
_SPOKEN_BY_HAND = speaking(_PAGE_BY_HAND, "p.id", "$7::text[]")
_SHELVES = _SQL["shelves"]
_DEFINITIONS_OF = _SQL["definitions_of"]

_NUMBER = re.compile(r"-?[0-9]{1,18}")


async def add_collection(
    tx: Transaction, draft: CollectionDraft, *, at: datetime
) -> Collection:
    """Add a collection without products.

    Raises ``DuplicateHandle``, or ``CollectionInvalid`` for an unknown picture.
    """
    await _hold_picture(tx, draft)
    collection_id = new_id()
    if await tx.fetchrow(_ADD, collection_id, draft, at) is None:
        raise DuplicateHandle(draft.handle)
    return await _read(tx, collection_id)


async def change_collection(
    tx: Transaction, collection_id: UUID, draft: CollectionDraft, *, at: datetime
) -> Collection:
    """Make a locked collection what is wanted; raises as ``add_collection``."""
    await _hold_picture(tx, draft)
    try:
        await tx.execute(_CHANGE, collection_id, draft, at)
    except ConstraintViolated as error:
        raise DuplicateHandle(draft.handle) from error
    return await _read(tx, collection_id)


async def _read(tx: Transaction, collection_id: UUID) -> Collection:
    row = await tx.fetchrow(_FIND, collection_id, None)
    assert row is not None  # noqa: S101 - it is locked, or made just now
    return _collection(row)


async def _hold_picture(tx: Transaction, draft: CollectionDraft) -> None:
    if draft.image_id is None:
        return
    if await tx.fetchrow(_HOLD_PICTURE, draft.image_id) is None:
        raise CollectionInvalid([Fault("/image/media_id", "does not exist")])


async def find_collection(
    connection: Connection, id_or_handle: str, *, shown_at: datetime | None = None
) -> Collection:
    """A collection by its id or handle; ``CollectionNotFound`` if there is none.

    With a moment, only one that buyers see then.
    """
    handle = id_or_handle if is_handle(id_or_handle) else None
    row = await connection.fetchrow(_FIND, parse_id(id_or_handle), handle)
    if row is None:
        raise CollectionNotFound
    found = _collection(row)
    if shown_at is not None and not found.shown_at(shown_at):
        raise CollectionNotFound
    return found


async def lock_collection(
    tx: Transaction, collection_id: UUID, *, versions: Versions = None
) -> Collection:
    """Lock a collection that has one of these versions, and its products with it.

    Raises ``CollectionNotFound``, or ``CollectionChanged`` with the version it has.
    """
    row = await tx.fetchrow(_LOCK, collection_id)
    if row is None:
        raise CollectionNotFound
    found = _collection(row)
    if versions is not None and found.version not in versions:
        raise CollectionChanged(found.version)
    return found


async def delete_collection(tx: Transaction, collection_id: UUID) -> None:
    """Delete a locked collection; its products stay where they are."""
    await tx.execute(_DELETE, collection_id)


async def collections(
    connection: Connection,
    *,
    after: str | None,
    limit: int,
    shown_at: datetime | None = None,
) -> Page[Collection]:
    """Collections in the order of the shop; with a moment, those buyers see then."""
    position, last = (None, None) if after is None else _place(after, most=2**31 - 1)
    rows = await connection.fetch(_LIST, position, last, limit + 1, shown_at)
    items = [_collection(row) for row in rows[:limit]]
    if len(rows) <= limit:
        return Page(items, None)
    return Page(items, encode_cursor(str(items[-1].position), str(items[-1].id)))


async def page_by_hand(
    connection: Connection,
    collection_id: UUID,
    *,
    after: str | None,
    limit: int,
    status: Status | None,
    at: datetime,
    wanted: Preference | None = None,
) -> Page[Document]:
    """Products in the order they were given, of any status or of one; a statement."""
    place, last = (None, None) if after is None else _place(after, most=2**63 - 1)
    args = (collection_id, place, last, limit + 1, status, at)
    if wanted is None or not wanted.tags:
        rows = await connection.fetch(_PAGE_BY_HAND, *args)
    else:
        rows = await connection.fetch(_SPOKEN_BY_HAND, *args, wanted.tags)
    items = [document(row, wanted) for row in rows[:limit]]
    if len(rows) <= limit:
        return Page(items, None)
    return Page(items, encode_cursor(str(rows[limit - 1]["place"]), str(items[-1].id)))


async def note_collection(
    tx: Transaction,
    collection: Collection,
    action: Edit,
    changes: Sequence[Difference] = (),
    *,
    actor: str,
    at: datetime,
) -> None:
    """Write down what happened to a collection, which has its new version by then."""
    told = (collection.id, collection.version, action, actor, changes, at)
    await tx.execute(_NOTE, new_id(), *told)


async def collection_changes(
    connection: Connection, collection_id: UUID, *, after: str | None, limit: int
) -> Page[Change]:
    """The history of a collection, the latest first; of an unknown one, nothing."""
    return await page_of_changes(
        connection, _CHANGES_OF, collection_id, after=after, limit=limit
    )


async def shelves(tx: Transaction, named: Sequence[str]) -> dict[str, UUID]:
    """Ids of categories by the id or handle that names them; unknown are absent."""
    by_id = {name: id_ for name in named if (id_ := parse_id(name)) is not None}
    handles = [name for name in named if name not in by_id and is_handle(name)]
    rows = await tx.fetch(_SHELVES, list(by_id.values()), handles)
    there = {row["id"] for row in rows}
    return {name: id_ for name, id_ in by_id.items() if id_ in there} | {
        row["handle"]: row["id"] for row in rows if row["handle"] in handles
    }


async def hold_attributes(
    tx: Transaction, codes: Sequence[str]
) -> dict[str, Attribute]:
    """Definitions by code; unknown ones are absent. They stay until the end."""
    rows = await tx.fetch(_DEFINITIONS_OF, sorted(codes))
    return {row["code"]: msgspec.convert(dict(row), Attribute) for row in rows}


def _collection(row: Row) -> Collection:
    return msgspec.convert(dict(row), Collection)


def _place(cursor: str, *, most: int) -> tuple[int, UUID]:
    said, last = decode_cursor(cursor, 2)
    last_id = parse_id(last)
    if last_id is None or not _NUMBER.fullmatch(said) or abs(int(said)) > most:
        raise BadCursor
    return int(said), last_id
