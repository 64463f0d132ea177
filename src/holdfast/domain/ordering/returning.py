"""Returns in PostgreSQL: asked for, decided, received, ended.

Whoever asks holds the order, so that a unit is under one return at a time; each step
after it is one conditional statement. What buyer and shop say to each other is sealed,
because people write names and telephone numbers into such things.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from holdfast.domain.ordering.errors import (
    ExchangeUnderWay,
    LinesNotOpen,
    ReturnNotFound,
    ReturnNotOpen,
)
from holdfast.domain.ordering.model import Order
from holdfast.domain.ordering.returns import (
    RETURN,
    Amounts,
    Arrival,
    ExchangeLine,
    Return,
    ReturnKind,
    ReturnLine,
    ReturnStatus,
)
from holdfast.kernel.money import Money
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction
from holdfast.platform.vault import Vault

_SQL = sql.load("holdfast.domain.ordering")
_ADD_RETURN = _SQL["add_return"]
_RETURNS = _SQL["returns"]
_DECIDE_RETURN = _SQL["decide_return"]
_CANCEL_RETURN = _SQL["cancel_return"]
_RECEIVE_RETURN = _SQL["receive_return"]
_SHIPPING_GIVEN_BACK = _SQL["shipping_given_back"]
_NOTE_REPLACEMENT = _SQL["note_replacement"]
_ADD_RETURN_REFUND = _SQL["add_return_refund"]
_COMPLETE_RETURN = _SQL["complete_return"]
_RETURN_OF_REFUND = _SQL["return_of_refund"]
_REFUNDS_OF_RETURN = _SQL["refunds_of_return"]
_RETURNS_OF_ACCOUNT = _SQL["returns_of_account"]


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the buyer says about a return, and the shop to it."""

    text: str | None = None
    answer: str | None = None


_NOTHING = Said()


async def add_return(tx: Transaction, vault: Vault, new: Return) -> None:
    """Write a return down; the caller holds the order.

    Raises ``LinesNotOpen`` for lines that have not so many units that were shipped and
    neither came back nor are under another return.
    """
    rows = await tx.fetch(
        *(_ADD_RETURN, new.id, new.order_id, new.kind, new.reason),
        _sealed(vault, new.id, Said(new.text)),
        *(new.actor, new.requested_at),
        list(new.requested),
        list(new.requested.values()),
        [line.variant_id for line in new.exchange],
        [line.sku for line in new.exchange],
        [line.title for line in new.exchange],
        [line.quantity for line in new.exchange],
        [line.unit_price.amount for line in new.exchange],
    )
    if rows:
        raise LinesNotOpen([row["position"] for row in rows])


async def find_return(connection: Connection, vault: Vault, return_id: UUID) -> Return:
    """A return with its lines; ``ReturnNotFound``."""
    rows = await connection.fetch(_RETURNS, None, 1, None, None, None, return_id)
    if not rows:
        raise ReturnNotFound
    return _return(vault, rows[0])


async def returns(
    connection: Connection,
    vault: Vault,
    *,
    after: str | None,
    limit: int,
    order_id: UUID | None = None,
    status: ReturnStatus | None = None,
    kind: ReturnKind | None = None,
) -> Page[Return]:
    """Returns, newest first."""
    before = None if after is None else decode_id_cursor(after)
    rows = await connection.fetch(
        _RETURNS, before, limit + 1, order_id, status, kind, None
    )
    items = [_return(vault, row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items, encode_cursor(str(items[-1].id)) if more else None)


async def decide_return(
    tx: Transaction,
    vault: Vault,
    asked: Return,
    status: ReturnStatus,
    *,
    answer: str | None,
    at: datetime,
) -> None:
    """Approve or reject a return; ``ReturnNotOpen``."""
    sealed = _sealed(vault, asked.id, Said(asked.text, answer))
    before = RETURN.sources(status)
    row = await tx.fetchrow(_DECIDE_RETURN, asked.id, status, before, sealed, at)
    if row is None:
        raise ReturnNotOpen(asked.status)


async def cancel_return(tx: Transaction, asked: Return, *, at: datetime) -> None:
    """Call off a return; ``ReturnNotOpen`` or ``ExchangeUnderWay``."""
    before = RETURN.sources(ReturnStatus.CANCELED)
    if await tx.fetchrow(_CANCEL_RETURN, asked.id, before, at) is None:
        if asked.status in before:
            raise ExchangeUnderWay
        raise ReturnNotOpen(asked.status)


async def receive_return(
    tx: Transaction,
    asked: Return,
    arrived: Mapping[int, Arrival],
    amounts: Amounts,
    *,
    location_id: UUID,
    at: datetime,
) -> None:
    """Write what came back, and where its worth goes; ``ReturnNotOpen``."""
    row = await tx.fetchrow(
        *(_RECEIVE_RETURN, asked.id, RETURN.sources(ReturnStatus.RECEIVED)),
        *(location_id, at, list(arrived)),
        [line.received for line in arrived.values()],
        [line.restocked for line in arrived.values()],
        *(amounts.goods, amounts.shipping, amounts.fee),
        *(amounts.credit, amounts.refund),
    )
    if row is None:
        raise ReturnNotOpen(asked.status)


async def shipping_left(tx: Transaction, order: Order) -> int:
    """How much of an order's shipping price has not gone back; its order is locked."""
    gone: int = await tx.fetchval(_SHIPPING_GIVEN_BACK, order.id)
    return order.shipping.price.amount - gone


async def note_replacement(
    tx: Transaction, return_id: UUID, cart_id: UUID, credit: int
) -> None:
    """Say where the other goods of a return are, and what of them is paid."""
    await tx.execute(_NOTE_REPLACEMENT, return_id, cart_id, credit)


async def wait_for_refund(tx: Transaction, return_id: UUID, refund_id: UUID) -> None:
    """A return is not complete before this refund, or another try of it, went."""
    await tx.execute(_ADD_RETURN_REFUND, return_id, refund_id)


async def complete_return(
    tx: Transaction, return_id: UUID, *, at: datetime
) -> UUID | None:
    """End a return if all its money went; its order, or None if it did not end now."""
    before = RETURN.sources(ReturnStatus.COMPLETED)
    order_id: UUID | None = await tx.fetchval(_COMPLETE_RETURN, return_id, before, at)
    return order_id


async def return_of_refund(connection: Connection, refund_id: UUID) -> UUID | None:
    """The return that waits for a refund, if one does."""
    return_id: UUID | None = await connection.fetchval(_RETURN_OF_REFUND, refund_id)
    return return_id


async def refunds_of_return(connection: Connection, return_id: UUID) -> list[UUID]:
    """The refunds that were asked for when its goods arrived."""
    rows = await connection.fetch(_REFUNDS_OF_RETURN, return_id)
    return [row["refund_id"] for row in rows]


async def returns_of_account(
    connection: Connection, vault: Vault, account_id: UUID
) -> list[Return]:
    """The returns of all orders of an account, oldest first."""
    rows = await connection.fetch(_RETURNS_OF_ACCOUNT, account_id)
    return [await find_return(connection, vault, row["id"]) for row in rows]


def _sealed(vault: Vault, return_id: UUID, said: Said) -> bytes | None:
    return None if said == _NOTHING else vault.seal_json(said, place=_place(return_id))


def _said(vault: Vault, row: Row) -> Said:
    sealed: bytes | None = row["sealed"]
    if sealed is None:
        return _NOTHING
    return vault.open_json(sealed, Said, place=_place(row["id"]))


def _place(return_id: UUID) -> str:
    return f"returns:{return_id}"


def _return(vault: Vault, row: Row) -> Return:
    currency, said = row["currency"], _said(vault, row)
    return Return(
        id=row["id"],
        order_id=row["order_id"],
        kind=ReturnKind(row["kind"]),
        status=ReturnStatus(row["status"]),
        reason=row["reason"] or "other",
        actor=row["actor"],
        requested_at=row["requested_at"],
        lines=[ReturnLine(*fields) for fields in row["lines"]],
        exchange=[_exchange_line(fields, currency) for fields in row["others"]],
        text=said.text,
        answer=said.answer,
        amounts=Amounts(
            *(row["goods_amount"], row["shipping_amount"], row["fee_amount"]),
            *(row["credit_amount"], row["refund_amount"]),
        ),
        currency=currency,
        order_number=row["number"],
        location_id=row["location_id"],
        replacement_id=row["replacement_id"],
        replacement_order_id=row["new_order_id"],
        decided_at=row["decided_at"],
        received_at=row["received_at"],
        completed_at=row["completed_at"],
        canceled_at=row["canceled_at"],
    )


def _exchange_line(fields: list[Any], currency: str) -> ExchangeLine:
    variant_id, sku, title, quantity, price = fields
    return ExchangeLine(UUID(variant_id), sku, title, quantity, Money(price, currency))
