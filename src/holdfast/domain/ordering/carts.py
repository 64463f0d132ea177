"""Carts in PostgreSQL: opened, changed, taken for an order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from holdfast.domain.ordering.errors import CartLineNotFound, CartNotFound
from holdfast.domain.ordering.model import (
    Cart,
    CartKind,
    CartStatus,
    Line,
    Listed,
    NewLine,
    Shipping,
)
from holdfast.domain.ordering.person import Person, index_of, person_in, seal
from holdfast.kernel.money import Money
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction
from holdfast.platform.vault import Vault

_SQL = sql.load("holdfast.domain.ordering")
_OPEN_CART = _SQL["open_cart"]
_CART = _SQL["cart"]
_LOCK_CART = _SQL["lock_cart"]
_CHANGE_CART = _SQL["change_cart"]
_RENEW_SHIPPING = _SQL["renew_shipping"]
_ADD_LINE = _SQL["add_line"]
_CHANGE_LINE = _SQL["change_line"]
_REMOVE_LINE = _SQL["remove_line"]
_TAKE_CART = _SQL["take_cart"]
_ORDER_OF_CART = _SQL["order_of_cart"]


async def open_cart(
    tx: Transaction, vault: Vault, cart: Cart, lines: Sequence[NewLine]
) -> None:
    """Store a new cart with its lines."""
    await tx.execute(
        _OPEN_CART,
        cart.id,
        cart.token_hash,
        cart.currency,
        _sealed(vault, cart),
        cart.account_id,
        *_shipping_columns(cart),
        cart.created_at,
        [line.id for line in lines],
        [line.variant_id for line in lines],
        [line.quantity for line in lines],
        [line.unit_price for line in lines],
        cart.kind,
        cart.prepared_by,
        cart.credit_amount,
        cart.return_id,
        _index(vault, cart),
        cart.shipping_quoted_at,
    )


async def find_cart(connection: Connection, vault: Vault, cart_id: UUID) -> Cart:
    """A cart, with what decides its prices (see ``priced``); ``CartNotFound``."""
    row = await connection.fetchrow(_CART, cart_id)
    if row is None:
        raise CartNotFound
    return cart_in(vault, row)


async def lock_cart(tx: Transaction, cart_id: UUID, *, at: datetime) -> bool:
    """Take an open cart for a change, one changer at a time; False if it is not open.

    The change is counted: the version read after this is that of the changed cart.
    """
    return await tx.fetchrow(_LOCK_CART, cart_id, at) is not None


async def change_cart(tx: Transaction, vault: Vault, cart: Cart) -> None:
    """Write who buys, where it goes and how; the cart must be locked."""
    await tx.execute(
        _CHANGE_CART,
        *(cart.id, _sealed(vault, cart)),
        *_shipping_columns(cart),
        _index(vault, cart),
        cart.shipping_quoted_at,
    )


async def renew_shipping(tx: Transaction, cart: Cart) -> bool:
    """Write the shipping price of a cart that was read and not locked.

    False if it was changed or ordered since. The version stays: what is in the cart is
    the same.
    """
    _, amount, source = _shipping_columns(cart)
    price = (amount, source, cart.shipping_quoted_at)
    row = await tx.fetchrow(_RENEW_SHIPPING, cart.id, cart.version, *price)
    return row is not None


async def add_line(tx: Transaction, cart_id: UUID, line: NewLine) -> None:
    """Put a line into a locked cart."""
    await tx.execute(
        _ADD_LINE, cart_id, line.id, line.variant_id, line.quantity, line.unit_price
    )


async def change_line(
    tx: Transaction, cart_id: UUID, line_id: UUID, quantity: int
) -> None:
    """Change how many; ``CartLineNotFound``. The cart must be locked."""
    if await tx.fetchrow(_CHANGE_LINE, cart_id, line_id, quantity) is None:
        raise CartLineNotFound


async def remove_line(tx: Transaction, cart_id: UUID, line_id: UUID) -> None:
    """Take a line out; ``CartLineNotFound``. The cart must be locked."""
    if await tx.fetchrow(_REMOVE_LINE, cart_id, line_id) is None:
        raise CartLineNotFound


async def take_cart(
    tx: Transaction, vault: Vault, cart_id: UUID, *, at: datetime
) -> Cart | None:
    """Close an open cart for its order and return it; None if it is not open."""
    row = await tx.fetchrow(_TAKE_CART, cart_id, at)
    if row is None:
        return None
    if row["version"] != row["version_read"]:
        # A change was committed while we waited for the lock: the lines above are
        # from before it. We hold the lock now, so this read is the last word.
        row = await tx.fetchrow(_CART, cart_id)
    return cart_in(vault, row)


async def order_of_cart(connection: Connection, cart_id: UUID) -> UUID | None:
    """The order that a cart became, failed attempts aside."""
    order_id: UUID | None = await connection.fetchval(_ORDER_OF_CART, cart_id)
    return order_id


def _place(cart_id: UUID) -> str:
    return f"carts:{cart_id}"


def _sealed(vault: Vault, cart: Cart) -> bytes | None:
    person = Person(cart.email, cart.shipping_address, cart.note)
    return seal(vault, person, place=_place(cart.id))


def _index(vault: Vault, cart: Cart) -> bytes:
    # Empty, so that the worker need not look whether an older release wrote it.
    return b"" if cart.email is None else index_of(vault, cart.email)


def _shipping_columns(cart: Cart) -> tuple[str | None, int | None, str | None]:
    if cart.shipping is None:
        return cart.shipping_method, None, None
    return cart.shipping_method, cart.shipping.price.amount, cart.shipping.source


def cart_in(vault: Vault, row: Row) -> Cart:
    """The cart in a row, with its lines."""
    currency = row["currency"]
    person = person_in(vault, row, place=_place(row["id"]))
    return Cart(
        id=row["id"],
        token_hash=row["token_hash"],
        status=CartStatus(row["status"]),
        version=row["version"],
        currency=currency,
        email=person.email,
        shipping_address=person.shipping_address,
        shipping_method=row["shipping_method"],
        shipping=shipping_of(row),
        lines=[_line(fields, currency) for fields in row["lines"]],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        account_id=row["account_id"],
        kind=CartKind(row["kind"]),
        merged_into=row["merged_into"],
        prepared_by=row["prepared_by"],
        note=person.note,
        credit_amount=row["credit_amount"],
        return_id=row["return_id"],
        shipping_quoted_at=row["shipping_quoted_at"],
    )


def _line(fields: list[Any], currency: str) -> Line:
    id_, variant_id, sku, product, variant, quantity, override, *rest = fields
    base_currency, base_amount, grams, active, entries = rest
    listed = None
    if override is None and (entries is not None or base_currency != currency):
        listed = Listed(base_currency, base_amount, entries)
    return Line(
        UUID(id_),
        UUID(variant_id),
        sku,
        f"{product} - {variant}" if variant else product,
        quantity,
        Money(base_amount if override is None else override, currency),
        grams,
        active,
        listed,
        has_price=listed is None,
    )


def shipping_of(row: Row) -> Shipping | None:
    """The shipping choice in a row of a cart or order; None before it is made."""
    if row["shipping_method"] is None or row["shipping_amount"] is None:
        return None
    price = Money(row["shipping_amount"], row["currency"])
    return Shipping(row["shipping_method"], price, row["shipping_source"])
