"""Carts of guests and members, as they are opened and as they are found."""

import pytest

from holdfast.domain import ordering
from holdfast.domain.identity import Member
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.workflows.cart_merging import Merging
from holdfast.workflows.carts import CartWanted


@pytest.fixture
def somebody():
    """Another member each time."""

    def make() -> Member:
        return Member(new_id(), new_id(), "store", frozenset({"carts:own"}))

    return make


@pytest.fixture
def ada(somebody):
    return somebody()


@pytest.fixture
def a_cart(carts, a_product):
    """Open a cart, of a guest or of a member; returns it and its token."""
    made = set()

    async def open_(*lines, caller=None, currency="EUR", **fields):
        for line in lines:
            if line.sku not in made:
                await a_product(line.sku, on_hand=1000, price=Money(100, currency))
                made.add(line.sku)
        wanted = CartWanted(currency=currency, lines=lines, **fields)
        return await carts.open(wanted, *([caller] if caller else []))

    return open_


@pytest.fixture
def merge(carts):
    """Bring a guest's cart along to the account of a member."""

    async def do(guests, member):
        cart, token = guests
        return await Merging(carts).merge(cart.id, token, member.account_id)

    return do


@pytest.fixture
def look(shop):
    """A cart as it is now."""

    async def read(cart):
        return await ordering.find_cart(shop.db, shop.vault, cart.id)

    return read
