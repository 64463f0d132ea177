"""What runs low, and who waits for what has run out.

Alerts are raised by a trigger, once each time a level falls to its threshold.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from holdfast.domain.inventory.errors import StockRequestNotFound
from holdfast.kernel.email import canonical
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction
from holdfast.platform.resealing import Sealed
from holdfast.platform.vault import Vault

_SQL = sql.load("holdfast.domain.inventory")
_TAKE_ALERTS = _SQL["take_alerts"]
_ALERTS = _SQL["alerts"]
_FORGET_ALERTS = _SQL["forget_alerts"]
_ADD_REQUEST = _SQL["add_request"]
_DUE_REQUESTS = _SQL["due_requests"]
_REQUESTS = _SQL["requests"]
_REMOVE_REQUEST = _SQL["remove_request"]
_FORGET_REQUESTS = _SQL["forget_requests"]
_FORGET_REQUESTS_OF = _SQL["forget_requests_of"]
_REQUESTS_TO_RESEAL = _SQL["requests_to_reseal"]
_RESEAL_REQUESTS = _SQL["reseal_requests"]

SEALED = (Sealed("stock_requests", take=_REQUESTS_TO_RESEAL, put=_RESEAL_REQUESTS),)

MAX_REQUESTS_OF_ADDRESS = 50
_ALERTS_KEPT = timedelta(days=90)
_TOLD_KEPT = timedelta(days=7)
_ALL = 1000


@dataclass(frozen=True, slots=True)
class LowStock:
    """A level that fell to its threshold."""

    id: UUID
    sku: str
    location: str
    remaining: int
    threshold: int
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class StockRequest:
    """Somebody who wants to hear when a SKU can be bought again."""

    id: UUID
    sku: str
    title: str
    handle: str
    account_id: UUID | None
    email: str
    created_at: datetime
    due_at: datetime | None
    # Whether the account asked with another address than its own, and does not see it.
    withheld: bool


async def take_alerts(tx: Transaction, *, at: datetime, limit: int) -> list[LowStock]:
    """Take alerts that nobody was told of; they count as told."""
    rows = await tx.fetch(_TAKE_ALERTS, at, limit)
    return sorted((LowStock(*row) for row in rows), key=lambda alert: alert.id)


async def alerts(connection: Connection, ids: Sequence[UUID]) -> list[LowStock]:
    """Alerts by their ids, oldest first."""
    return [LowStock(*row) for row in await connection.fetch(_ALERTS, ids)]


async def forget_alerts(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Forget alerts of long ago; returns how many."""
    return len(await tx.fetch(_FORGET_ALERTS, now - _ALERTS_KEPT, limit))


async def add_request(
    tx: Transaction,
    vault: Vault,
    request_id: UUID,
    variant_id: UUID,
    email: str,
    *,
    account_id: UUID | None,
    withheld: bool = False,
    at: datetime,
) -> None:
    """Note who wants a variant; nothing if it is noted, or if they want too many.

    One that is *withheld* goes with its account and is not shown to it.
    """
    await tx.execute(
        _ADD_REQUEST,
        *(request_id, variant_id, account_id),
        vault.seal_json({"email": email}, place=_place(request_id)),
        vault.index(canonical(email), purpose="email"),
        at,
        MAX_REQUESTS_OF_ADDRESS,
        withheld,
    )


async def due_requests(tx: Transaction, *, at: datetime, limit: int) -> list[UUID]:
    """Requests for what can be bought again; they count as told from now on."""
    return [row["id"] for row in await tx.fetch(_DUE_REQUESTS, at, limit)]


async def find_request(
    connection: Connection, vault: Vault, request_id: UUID
) -> StockRequest:
    """A request; ``StockRequestNotFound`` also once it was removed."""
    rows = await _asked(connection, request_id=request_id, told=True)
    if not rows:
        raise StockRequestNotFound(request_id)
    return _request(vault, rows[0])


async def requests(
    connection: Connection,
    vault: Vault,
    *,
    account_id: UUID | None = None,
    sku: str | None = None,
    after: str | None,
    limit: int,
) -> Page[StockRequest]:
    """Requests that wait, newest first."""
    before = None if after is None else decode_id_cursor(after)
    rows = await _asked(
        connection,
        account_id=account_id,
        sku=sku,
        told=False,
        before=before,
        limit=limit + 1,
    )
    items = [_request(vault, row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items, encode_cursor(str(items[-1].id)) if more else None)


async def requests_of_person(
    connection: Connection, vault: Vault, account_id: UUID, indexes: Iterable[bytes]
) -> list[StockRequest]:
    """All that a person asked for, signed in or as a guest."""
    found = await _asked(connection, account_id=account_id, told=True)
    for index in indexes:
        found += await _asked(connection, index=index, told=True)
    rows = {row["id"]: row for row in found}
    return [_request(vault, rows[id_]) for id_ in sorted(rows, reverse=True)]


async def remove_request(
    tx: Transaction, request_id: UUID, *, account_id: UUID | None = None
) -> None:
    """Forget a request, of this account if one is given; ``StockRequestNotFound``."""
    if not await tx.fetch(_REMOVE_REQUEST, request_id, account_id):
        raise StockRequestNotFound(request_id)


async def forget_requests(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Forget requests that were told some time ago; returns how many."""
    return len(await tx.fetch(_FORGET_REQUESTS, now - _TOLD_KEPT, limit))


async def forget_person(
    tx: Transaction, account_id: UUID, indexes: Iterable[bytes]
) -> int:
    """Forget what a person asked for; returns how much."""
    return len(await tx.fetch(_FORGET_REQUESTS_OF, account_id, list(indexes)))


async def _asked(
    connection: Connection,
    *,
    request_id: UUID | None = None,
    account_id: UUID | None = None,
    sku: str | None = None,
    index: bytes | None = None,
    told: bool,
    before: UUID | None = None,
    limit: int = _ALL,
) -> list[Row]:
    return await connection.fetch(
        _REQUESTS, request_id, account_id, sku, index, told, before, limit
    )


def _place(request_id: UUID) -> str:
    return f"stock_requests:{request_id}"


def _request(vault: Vault, row: Row) -> StockRequest:
    place = _place(row["id"])
    said: dict[str, str] = vault.open_json(row["sealed"], dict, place=place)
    return StockRequest(
        *(row["id"], row["sku"], row["title"], row["handle"], row["account_id"]),
        said["email"],
        row["created_at"],
        row["due_at"],
        row["withheld"],
    )
