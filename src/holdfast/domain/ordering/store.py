"""Orders in PostgreSQL: written once, settled once."""

from datetime import datetime
from typing import Any
from uuid import UUID

from holdfast.domain.ordering.carts import address, shipping_of
from holdfast.domain.ordering.errors import CartAlreadyOrdered, OrderNotFound
from holdfast.domain.ordering.model import Order, OrderLine, OrderStatus, Overdue
from holdfast.kernel.money import Money
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, ConstraintViolated, Row, Transaction

_SQL = sql.load("holdfast.domain.ordering")
_ADD_ORDER = _SQL["add_order"]
_MARK_PAID = _SQL["mark_paid"]
_MARK_FAILED = _SQL["mark_failed"]
_ORDER = _SQL["order"]
_ORDERS = _SQL["orders"]
_OVERDUE = _SQL["overdue"]

_ONE_PER_CART = "orders_one_per_cart"


async def add(tx: Transaction, order: Order) -> int:
    """Store a pending order and return its number.

    Raises ``CartAlreadyOrdered`` when the database already has an order of
    this cart: the last line of defence, behind the closed cart.
    """
    try:
        number: int = await tx.fetchval(
            _ADD_ORDER,
            order.id,
            order.cart_id,
            order.token_hash,
            order.currency,
            order.email,
            order.shipping_address,
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
        )
    except ConstraintViolated as error:
        if error.constraint_name == _ONE_PER_CART:
            raise CartAlreadyOrdered(None) from error
        raise
    return number


async def mark_paid(
    tx: Transaction, order_id: UUID, reference: str, *, at: datetime
) -> bool:
    """Settle as paid; False if somebody settled it before."""
    return await tx.fetchrow(_MARK_PAID, order_id, reference, at) is not None


async def mark_failed(
    tx: Transaction, order_id: UUID, reason: str, *, at: datetime
) -> bool:
    """Settle as failed and open the cart again; False if it was settled before."""
    return await tx.fetchrow(_MARK_FAILED, order_id, reason, at) is not None


async def find(connection: Connection, order_id: UUID) -> Order:
    """An order with its lines; ``OrderNotFound``."""
    row = await connection.fetchrow(_ORDER, order_id)
    if row is None:
        raise OrderNotFound
    return _order(row)


async def latest(
    connection: Connection,
    *,
    after: str | None,
    limit: int,
    status: OrderStatus | None = None,
) -> Page[Order]:
    """Orders, newest first."""
    before = None if after is None else decode_id_cursor(after)
    rows = await connection.fetch(_ORDERS, before, limit + 1, status)
    items = [_order(row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items, encode_cursor(str(items[-1].id)) if more else None)


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


def _order(row: Row) -> Order:
    currency = row["currency"]
    where, how = address(row["shipping_address"]), shipping_of(row)
    assert where is not None  # noqa: S101 - both columns are NOT NULL
    assert how is not None  # noqa: S101
    return Order(
        id=row["id"],
        number=row["number"],
        cart_id=row["cart_id"],
        token_hash=row["token_hash"],
        status=OrderStatus(row["status"]),
        currency=currency,
        email=row["email"],
        shipping_address=where,
        shipping=how,
        lines=[_line(fields, currency) for fields in row["lines"]],
        subtotal=Money(row["subtotal_amount"], currency),
        total=Money(row["total_amount"], currency),
        placed_at=row["placed_at"],
        payment_reference=row["payment_reference"],
        failure_reason=row["failure_reason"],
        settled_at=row["settled_at"],
    )


def _line(fields: list[Any], currency: str) -> OrderLine:
    variant_id, sku, title, quantity, price = fields
    return OrderLine(UUID(variant_id), sku, title, quantity, Money(price, currency))
