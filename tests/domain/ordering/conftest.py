"""Carts and orders as values, complete unless told otherwise."""

from collections.abc import Callable

import pytest

from holdfast.domain.ordering import (
    Address,
    Cart,
    CartStatus,
    Line,
    NewLine,
    Order,
    Shipping,
    draft,
    open_cart,
)
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money


@pytest.fixture
def a_line() -> Callable[..., Line]:
    def build(**changes) -> Line:
        sku = changes.pop("sku", "TEA")
        fields = {
            "id": new_id(),
            "variant_id": new_id(),
            "sku": sku,
            "title": f"Title of {sku}",
            "quantity": 1,
            "unit_price": Money(999, "EUR"),
            "weight_grams": 100,
        }
        return Line(**(fields | changes))

    return build


@pytest.fixture
def a_cart(clock, a_line) -> Callable[..., Cart]:
    """A cart of one line, ready to be ordered."""

    def build(**changes) -> Cart:
        fields = {
            "id": new_id(),
            "token_hash": b"token",
            "status": CartStatus.OPEN,
            "version": 1,
            "currency": "EUR",
            "email": "ada@example.com",
            "shipping_address": Address("Ada Lovelace", "12 Main St", "London", "GB"),
            "shipping_method": "standard",
            "shipping": Shipping("standard", Money(490, "EUR"), "carrier"),
            "lines": [a_line()],
            "created_at": clock(),
            "updated_at": clock(),
        }
        return Cart(**(fields | changes))

    return build


@pytest.fixture
def an_order(a_cart, clock) -> Callable[..., Order]:
    """A pending order of a cart, not stored."""

    def build(cart: Cart | None = None) -> Order:
        return draft(cart or a_cart(), order_id=new_id(), at=clock())

    return build


@pytest.fixture
def stored_cart(database, vault, a_cart, a_line, a_product):
    """A cart in the database with so many of the products TEA and CUP."""

    async def put(*, override: int | None = None, **units: int) -> Cart:
        lines = []
        for sku, quantity in units.items():
            variant_id = await a_product(sku)
            lines.append(a_line(sku=sku, variant_id=variant_id, quantity=quantity))
        cart = a_cart(lines=lines)
        new = [NewLine(n.id, n.variant_id, n.quantity, override) for n in lines]
        async with database.statement() as tx:
            await open_cart(tx, vault, cart, new)
        return cart

    return put
