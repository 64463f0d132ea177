"""Carts and orders as values, complete unless told otherwise."""

from collections.abc import Callable

import pytest

from holdfast.domain import ordering
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


@pytest.fixture
def placed(database, vault, stored_cart, an_order, clock):
    """Store an order of 2 + 1 units and settle it; takes how; returns it as stored."""
    skus = iter(f"S{n}" for n in range(1000))

    async def put(how="captured"):
        cart = await stored_cart(**{next(skus): 2, next(skus): 1})
        order = an_order(cart)
        async with database.transaction() as tx:
            await ordering.take_cart(tx, vault, cart.id, at=clock())
            await ordering.add(tx, vault, order)
            if how == "failed":
                await ordering.mark_failed(
                    tx, order.id, "declined", actor="timer", at=clock()
                )
            elif how != "pending":
                await ordering.mark_confirmed(
                    *(tx, order.id, "ch_1"),
                    captured=how == "captured",
                    actor="checkout",
                    at=clock(),
                )
        return await ordering.find(database, vault, order.id)

    return put


@pytest.fixture
def do(database, clock):
    """Carry out a change in a transaction of its own."""

    async def run(change, order, *args, **kwargs):
        async with database.transaction() as tx:
            return await change(tx, order.id, *args, actor="test", at=clock(), **kwargs)

    return run


@pytest.fixture
def cancel(do):
    async def run(order, quantities):
        return await do(ordering.cancel_lines, order, quantities, reason="customer")

    return run


@pytest.fixture
def found(database, vault):
    async def read(order):
        return await ordering.find(database, vault, order.id)

    return read


@pytest.fixture
def claim(database, clock):
    async def ask(order, cents):
        async with database.transaction() as tx:
            amount = Money(cents, "EUR")
            return await ordering.claim_refund(tx, order.id, amount, at=clock())

    return ask


@pytest.fixture
def told(database):
    """What was recorded of an order: kind, from, to."""

    async def read(order):
        return [
            (event.kind, event.from_state, event.to_state)
            for event in await ordering.events_of(database, order.id)
        ]

    return read
