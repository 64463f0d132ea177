"""Price lists: prices for a time, for everybody or for groups of customers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from holdfast.domain.pricing.errors import (
    DuplicatePriceList,
    Fault,
    PriceListChanged,
    PriceListInvalid,
    PriceListNotFound,
)
from holdfast.domain.pricing.model import Kind
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.kernel.versions import Versions, are_of
from holdfast.platform import sql
from holdfast.platform.db import Connection, ConstraintViolated, Row, Transaction

_SQL = sql.load("holdfast.domain.pricing")
_ADD_LIST = _SQL["add_list"]
_LISTS = _SQL["lists"]
_LOCK_LIST = _SQL["lock_list"]
_KEEP_LIST = _SQL["keep_list"]
_CLEAR_AUDIENCE = _SQL["clear_audience"]
_CHANGE_LIST = _SQL["change_list"]
_REMOVE_LIST = _SQL["remove_list"]

_CODE_TAKEN = "price_lists_code_unique"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """A price list as it is now."""

    id: UUID
    code: str
    name: str
    kind: Kind
    group_ids: Sequence[UUID] | None
    """Whom it is for; None: everybody."""
    starts_at: datetime | None
    ends_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int = 1
    """Raised by every change of the list, not of the prices in it."""


async def add_list(tx: Transaction, wanted: PriceList, *, by: str) -> None:
    """Make a list; ``DuplicatePriceList``, ``PriceListInvalid`` for unknown groups."""
    try:
        known = await tx.fetchval(
            _ADD_LIST,
            *(wanted.id, wanted.code, wanted.name, wanted.kind, wanted.group_ids),
            *(wanted.starts_at, wanted.ends_at, by, wanted.created_at),
        )
    except ConstraintViolated as error:
        if error.constraint_name != _CODE_TAKEN:
            raise
        raise DuplicatePriceList(wanted.code) from error
    _check_groups(wanted, known)


async def lists(
    connection: Connection, *, after: str | None, limit: int
) -> Page[PriceList]:
    """Lists that are not withdrawn, in the order they were made."""
    last = None if after is None else decode_id_cursor(after)
    rows = await connection.fetch(_LISTS, None, last, limit + 1)
    items = [_list(row) for row in rows[:limit]]
    return Page(items, encode_cursor(str(items[-1].id)) if rows[limit:] else None)


async def find_list(connection: Connection, list_id: UUID) -> PriceList:
    """One list; ``PriceListNotFound``, also once it is withdrawn."""
    row = await connection.fetchrow(_LISTS, list_id, None, 1)
    if row is None:
        raise PriceListNotFound
    return _list(row)


async def lock_list(
    tx: Transaction, list_id: UUID, *, versions: Versions = None
) -> None:
    """Let nobody else change a list or its prices, if it has one of these versions.

    Raises ``PriceListNotFound``, or ``PriceListChanged`` with the version it has.
    """
    version = await tx.fetchval(_LOCK_LIST, list_id)
    if version is None:
        raise PriceListNotFound
    if not are_of(version, versions):
        raise PriceListChanged(version)


async def change_list(tx: Transaction, wanted: PriceList) -> None:
    """Make a locked list so, from its ``updated_at`` on; raises as ``add_list``."""
    await tx.execute(_KEEP_LIST, wanted.id, wanted.updated_at)
    await tx.execute(_CLEAR_AUDIENCE, wanted.id)
    try:
        known = await tx.fetchval(
            _CHANGE_LIST,
            *(wanted.id, wanted.code, wanted.name, wanted.group_ids),
            *(wanted.starts_at, wanted.ends_at, wanted.updated_at),
        )
    except ConstraintViolated as error:
        if error.constraint_name != _CODE_TAKEN:
            raise
        raise DuplicatePriceList(wanted.code) from error
    _check_groups(wanted, known)


async def remove_list(tx: Transaction, list_id: UUID, *, by: str, at: datetime) -> None:
    """Withdraw a locked list; its prices hold no more and stay on record.

    So does whom it was for, by itself: a group that nothing else needs may go.
    """
    await tx.execute(_KEEP_LIST, list_id, at)
    await tx.execute(_CLEAR_AUDIENCE, list_id)
    await tx.execute(_REMOVE_LIST, list_id, by, at)


def _check_groups(wanted: PriceList, known: Sequence[UUID]) -> None:
    unknown = [
        Fault(f"/group_ids/{place}", "does not exist")
        for place, group_id in enumerate(wanted.group_ids or ())
        if group_id not in known
    ]
    if unknown:
        raise PriceListInvalid(unknown)


def _list(row: Row) -> PriceList:
    return PriceList(**dict(row))
