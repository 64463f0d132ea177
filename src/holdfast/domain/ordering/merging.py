"""Carts that end as something other than an order: merged into another, or expired."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

from holdfast.domain.ordering.errors import CartTooLarge
from holdfast.domain.ordering.model import MAX_LINES, MAX_QUANTITY
from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction

_SQL = sql.load("holdfast.domain.ordering")
_ACCOUNT_TURN = _SQL["account_turn"]
_NEWEST_OPEN_CART = _SQL["newest_open_cart"]
_LOCK_CARTS = _SQL["lock_carts"]
_MERGE_LINES = _SQL["merge_lines"]
_CLOSE_MERGED = _SQL["close_merged"]
_GIVE_CART = _SQL["give_cart"]
_EXPIRE_CARTS = _SQL["expire_carts"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Expired:
    """A cart that nobody came back to, and whose it was."""

    id: UUID
    token_hash: bytes
    account_id: UUID | None


async def take_turn(tx: Transaction, account_id: UUID) -> None:
    """Let nobody else merge carts of an account until the transaction ends."""
    await tx.fetchval(_ACCOUNT_TURN, account_id)


async def newest_open(
    connection: Connection,
    account_id: UUID,
    *,
    currency: str | None = None,
    besides: UUID | None = None,
) -> UUID | None:
    """The id of the open cart that an account opened last, if it has one."""
    found = await connection.fetchval(_NEWEST_OPEN_CART, account_id, currency, besides)
    return cast("UUID | None", found)


async def lock_carts(
    tx: Transaction, cart_ids: Collection[UUID], *, at: datetime
) -> set[UUID]:
    """Take several carts for a change; returns which of them are open."""
    rows = await tx.fetch(_LOCK_CARTS, list(cart_ids), at)
    return {row["id"] for row in rows}


async def merge_lines(tx: Transaction, from_id: UUID, into_id: UUID) -> None:
    """Add the lines of one locked cart to another; ``CartTooLarge``.

    What was there stays as it is, but for a line of the same variant at the same
    price, which gets the units of both, up to what a line may have.
    """
    lines = await tx.fetchval(_MERGE_LINES, from_id, into_id, MAX_QUANTITY)
    if lines > MAX_LINES:
        raise CartTooLarge(MAX_LINES)


async def close_merged(
    tx: Transaction, cart_id: UUID, *, into_id: UUID, account_id: UUID
) -> None:
    """Close a locked cart whose lines another has taken."""
    await tx.execute(_CLOSE_MERGED, cart_id, into_id, account_id)


async def give_cart(
    tx: Transaction, cart_id: UUID, *, account_id: UUID, token_hash: bytes
) -> None:
    """Give a locked cart to an account; its token opens it no more."""
    await tx.execute(_GIVE_CART, cart_id, account_id, token_hash)


async def expire_carts(
    tx: Transaction, *, idle_since: datetime, after: UUID | None, limit: int
) -> list[Expired]:
    """Close up to *limit* carts not changed since then, in order of their ids."""
    rows = await tx.fetch(
        _EXPIRE_CARTS, idle_since, _first_id_of(idle_since), after, limit
    )
    return sorted((Expired(*row) for row in rows), key=lambda cart: cart.id)


def _first_id_of(moment: datetime) -> UUID:
    """Below every id that was made at a moment or later."""
    milliseconds = int((moment - _EPOCH).total_seconds() * 1000)
    return UUID(int=max(milliseconds, 0) << 80)
