"""Orders in PostgreSQL: written once, settled once."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from holdfast.domain.ordering.carts import shipping_of
from holdfast.domain.ordering.errors import CartAlreadyOrdered, OrderNotFound
from holdfast.domain.ordering.model import Order, OrderLine, Overdue
from holdfast.domain.ordering.notes import forget_notes
from holdfast.domain.ordering.person import Person, index_of, person_in, seal
from holdfast.domain.ordering.states import (
    FulfilmentStatus,
    OrderStatus,
    PaymentStatus,
)
from holdfast.kernel.money import Money
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, ConstraintViolated, Row, Transaction
from holdfast.platform.vault import Vault

_SQL = sql.load("holdfast.domain.ordering")
_ADD_ORDER = _SQL["add_order"]
_MARK_CONFIRMED = _SQL["mark_confirmed"]
_MARK_FAILED = _SQL["mark_failed"]
_MARK_PAID_OUTSIDE = _SQL["mark_paid_outside"]
_ORDER = _SQL["order"]
_ORDERS = _SQL["orders"]
_OVERDUE = _SQL["overdue"]
_ORDERS_BY_EMAIL = _SQL["orders_by_email"]
_ORDERS_OF_ACCOUNT = _SQL["orders_of_account"]
_ATTACH_ORDERS = _SQL["attach_orders"]
_FORGET_CARTS = _SQL["forget_carts"]
_FORGET_ORDERS = _SQL["forget_orders"]
_FORGET_SAID = _SQL["forget_said"]

_ONE_PER_CART = "orders_one_per_cart"


async def add(tx: Transaction, vault: Vault, order: Order) -> int:
    """Store a pending order and return its number.

    Raises ``CartAlreadyOrdered`` when the database already has an order of
    this cart: the last line of defence, behind the closed cart.
    """
    person = Person(order.email, order.shipping_address)
    try:
        number: int = await tx.fetchval(
            _ADD_ORDER,
            order.id,
            order.cart_id,
            order.token_hash,
            order.currency,
            seal(vault, person, place=_place(order.id)),
            None if order.email is None else index_of(vault, order.email),
            order.shipping.method,
            order.shipping.price.amount,
            order.shipping.source,
            order.subtotal.amount,
            order.total.amount,
            order.placed_at,
            [line.variant_id for line in order.lines],
            [line.sku for line in order.lines],
            [line.title for line in order.lines],
            [line.quantity for line in order.lines],
            [line.unit_price.amount for line in order.lines],
            order.account_id,
            order.placed_by,
            order.credit_amount,
            order.return_id,
        )
    except ConstraintViolated as error:
        if error.constraint_name == _ONE_PER_CART:
            raise CartAlreadyOrdered(None) from error
        raise
    return number


async def mark_confirmed(
    tx: Transaction,
    order_id: UUID,
    reference: str,
    *,
    captured: bool = True,
    actor: str,
    at: datetime,
) -> bool:
    """Settle as confirmed; False if somebody settled it before.

    Its money was captured, or else only authorised.
    """
    row = await tx.fetchrow(_MARK_CONFIRMED, order_id, reference, captured, actor, at)
    return row is not None


def confirming(
    order_id: UUID, reference: str, *, captured: bool, actor: str, at: datetime
) -> sql.Step:
    """``mark_confirmed``, to be run as the first part of another statement."""
    return sql.Step(_MARK_CONFIRMED, (order_id, reference, captured, actor, at))


async def mark_paid_outside(
    tx: Transaction, order_id: UUID, reference: str, *, actor: str, at: datetime
) -> bool:
    """Settle as paid to the shop itself; False if somebody settled it before."""
    row = await tx.fetchrow(_MARK_PAID_OUTSIDE, order_id, reference, actor, at)
    return row is not None


async def mark_failed(
    tx: Transaction, order_id: UUID, reason: str, *, actor: str, at: datetime
) -> bool:
    """Settle as failed and open the cart again; False if it was settled before."""
    return await tx.fetchrow(_MARK_FAILED, order_id, reason, actor, at) is not None


async def find(connection: Connection, vault: Vault, order_id: UUID) -> Order:
    """An order with its lines; ``OrderNotFound``."""
    row = await connection.fetchrow(_ORDER, order_id)
    if row is None:
        raise OrderNotFound
    return order_of(vault, row)


async def latest(
    connection: Connection,
    vault: Vault,
    *,
    after: str | None,
    limit: int,
    status: OrderStatus | None = None,
    email: str | None = None,
) -> Page[Order]:
    """Orders, newest first; of one e-mail address, however it is spelled."""
    before = None if after is None else decode_id_cursor(after)
    wanted = (before, limit + 1, status)
    if email is None:
        rows = await connection.fetch(_ORDERS, *wanted)
    else:
        index = index_of(vault, email)
        rows = await connection.fetch(_ORDERS_BY_EMAIL, *wanted, index)
    return _page(vault, rows, limit)


async def of_account(
    connection: Connection,
    vault: Vault,
    account_id: UUID,
    *,
    after: str | None,
    limit: int,
    status: OrderStatus | None = None,
) -> Page[Order]:
    """Orders of an account, newest first."""
    before = None if after is None else decode_id_cursor(after)
    rows = await connection.fetch(
        _ORDERS_OF_ACCOUNT, before, limit + 1, status, account_id
    )
    return _page(vault, rows, limit)


async def attach(tx: Transaction, *, email_index: bytes, account_id: UUID) -> int:
    """Give an account the orders made with its address by a guest; returns how many.

    For an address that the account has proved to be its own, and no other.
    """
    return len(await tx.fetch(_ATTACH_ORDERS, email_index, account_id))


async def forget_person(
    tx: Transaction, account_id: UUID, indexes: Iterable[bytes]
) -> int:
    """Forget who made the orders and carts of an account; returns how many orders.

    So with draft orders and carts of guests that have one of the addresses of
    *indexes*. What was ordered, when and for how much stays: the books need it.
    """
    await tx.fetch(_FORGET_CARTS, account_id, list(indexes))
    await forget_notes(tx, account_id)
    await tx.fetch(_FORGET_SAID, account_id)
    return len(await tx.fetch(_FORGET_ORDERS, account_id))


async def overdue(
    connection: Connection,
    *,
    placed_before: datetime,
    limit: int,
    beyond: Overdue | None = None,
) -> list[Overdue]:
    """Pending orders whose payment has had its time, oldest first.

    Those *beyond* one that was seen before; None starts with the oldest.
    """
    seen = (None, None) if beyond is None else (beyond.placed_at, beyond.id)
    rows = await connection.fetch(_OVERDUE, placed_before, limit, *seen)
    return [Overdue(*row) for row in rows]


def _place(order_id: UUID) -> str:
    return f"orders:{order_id}"


def _page(vault: Vault, rows: Sequence[Row], limit: int) -> Page[Order]:
    items = [order_of(vault, row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items, encode_cursor(str(items[-1].id)) if more else None)


def order_of(vault: Vault, row: Row) -> Order:
    currency = row["currency"]
    person, how = person_in(vault, row, place=_place(row["id"])), shipping_of(row)
    assert how is not None  # noqa: S101 - the column is NOT NULL
    return Order(
        id=row["id"],
        number=row["number"],
        cart_id=row["cart_id"],
        token_hash=row["token_hash"],
        status=OrderStatus(row["status"]),
        currency=currency,
        email=person.email,
        shipping_address=person.shipping_address,
        shipping=how,
        lines=[_line(fields, currency) for fields in row["lines"]],
        subtotal=Money(row["subtotal_amount"], currency),
        total=Money(row["total_amount"], currency),
        placed_at=row["placed_at"],
        payment_reference=row["payment_reference"],
        failure_reason=row["failure_reason"],
        settled_at=row["settled_at"],
        account_id=row["account_id"],
        payment_status=PaymentStatus(row["payment_status"]),
        fulfilment_status=FulfilmentStatus(row["fulfilment_status"]),
        captured_amount=row["captured_amount"],
        refunded_amount=row["refunded_amount"],
        refunding_amount=row["refunding_amount"],
        credit_amount=row["credit_amount"],
        placed_by=row["placed_by"],
        return_id=row["return_id"],
        cancel_reason=row["cancel_reason"],
        canceled_at=row["canceled_at"],
        completed_at=row["completed_at"],
        paid_outside=row["paid_outside"],
    )


def _line(fields: list[Any], currency: str) -> OrderLine:
    variant_id, sku, title, quantity, price, *parts = fields
    return OrderLine(
        UUID(variant_id), sku, title, quantity, Money(price, currency), *parts
    )
