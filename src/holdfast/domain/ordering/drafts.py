"""Draft orders in PostgreSQL: carts that an operator prepares for a buyer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from holdfast.domain.ordering.carts import cart_in
from holdfast.domain.ordering.errors import DraftNotFound
from holdfast.domain.ordering.model import Cart, CartStatus, NewLine
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction
from holdfast.platform.vault import Vault

_SQL = sql.load("holdfast.domain.ordering")
_DRAFTS = _SQL["drafts"]
_REPLACE_LINES = _SQL["replace_lines"]
_HAND_OVER_DRAFT = _SQL["hand_over_draft"]
_DISCARD_DRAFT = _SQL["discard_draft"]
_REPLACE_TOKEN = _SQL["replace_token"]


@dataclass(frozen=True, slots=True)
class DraftOrder:
    """A draft order, and the order that it became."""

    cart: Cart
    order_id: UUID | None


async def find_draft(
    connection: Connection, vault: Vault, draft_id: UUID
) -> DraftOrder:
    """A draft order, whatever became of it; ``DraftNotFound``."""
    rows = await connection.fetch(_DRAFTS, None, 1, None, None, None, draft_id)
    if not rows:
        raise DraftNotFound
    return _draft(vault, rows[0])


async def drafts(
    connection: Connection,
    vault: Vault,
    *,
    after: str | None,
    limit: int,
    status: CartStatus | None = None,
    account_id: UUID | None = None,
    prepared_by: str | None = None,
) -> Page[DraftOrder]:
    """Draft orders, newest first."""
    before = None if after is None else decode_id_cursor(after)
    rows = await connection.fetch(
        _DRAFTS, before, limit + 1, status, account_id, prepared_by, None
    )
    items = [_draft(vault, row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items, encode_cursor(str(items[-1].cart.id)) if more else None)


async def replace_lines(
    tx: Transaction, cart_id: UUID, lines: Sequence[NewLine]
) -> None:
    """Put other lines into a locked cart in place of those it has."""
    await tx.execute(
        _REPLACE_LINES,
        cart_id,
        [line.id for line in lines],
        [line.variant_id for line in lines],
        [line.quantity for line in lines],
        [line.unit_price for line in lines],
    )


async def hand_over_draft(
    tx: Transaction, draft_id: UUID, account_id: UUID | None
) -> None:
    """Say which account a locked draft order is for."""
    await tx.execute(_HAND_OVER_DRAFT, draft_id, account_id)


async def discard_draft(tx: Transaction, draft_id: UUID, *, at: datetime) -> bool:
    """Withdraw a draft order; False if it is not open."""
    return await tx.fetchrow(_DISCARD_DRAFT, draft_id, at) is not None


async def replace_token(tx: Transaction, draft_id: UUID, token_hash: bytes) -> bool:
    """Let another token open a draft order; False if it is not open."""
    return await tx.fetchrow(_REPLACE_TOKEN, draft_id, token_hash) is not None


def _draft(vault: Vault, row: Row) -> DraftOrder:
    return DraftOrder(cart_in(vault, row), row["order_id"])
