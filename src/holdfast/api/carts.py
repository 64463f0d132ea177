"""Carts: anybody opens one, and whoever holds its token may change and order it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response
from msgspec import UNSET, UnsetType

from holdfast.api.problems import MissingScope
from holdfast.api.shapes import (
    Amount,
    CurrencyCode,
    Email,
    PostalAddress,
    Sku,
    currency,
    email_address,
)
from holdfast.api.shop import Shop
from holdfast.domain import ordering
from holdfast.domain.identity import Caller, may
from holdfast.domain.ordering import Address, Cart, Line, Shipping
from holdfast.domain.shipping import Method
from holdfast.kernel.money import Money
from holdfast.workflows import carts as workflows
from holdfast.workflows.carts import CartChange, Carts, CartWanted, LineWanted

_PATH = "/v1/carts"

Quantity = Annotated[int, msgspec.Meta(ge=1, le=ordering.MAX_QUANTITY)]


class NewLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line to put into a cart; its price needs the scope prices:override."""

    sku: Sku
    quantity: Quantity
    unit_price: Amount | None = None

    @property
    def wanted(self) -> LineWanted:
        price = None if self.unit_price is None else self.unit_price.money
        return LineWanted(self.sku, self.quantity, price)


class NewCart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cart, as full or as empty as the buyer has got."""

    currency: CurrencyCode | None = None
    email: Email | None = None
    lines: list[NewLine] = []
    shipping_address: PostalAddress | None = None
    shipping_method: Method | None = None


class CartChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; null clears, what is absent stays."""

    email: Email | UnsetType | None = UNSET
    shipping_address: PostalAddress | UnsetType | None = UNSET
    shipping_method: Method | UnsetType | None = UNSET


class LineChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many of it."""

    quantity: Quantity


class CartLineView(msgspec.Struct, frozen=True):
    """A line at today's price."""

    id: UUID
    sku: str
    variant_id: UUID
    title: str
    quantity: int
    unit_price: Money
    total: Money

    @classmethod
    def of(cls, line: Line) -> "CartLineView":
        return cls(
            line.id,
            line.sku,
            line.variant_id,
            line.title,
            line.quantity,
            line.unit_price,
            line.total,
        )


class CartView(msgspec.Struct, frozen=True, omit_defaults=False):
    """A cart with its totals. The token is there only in the answer to its making."""

    id: UUID
    status: ordering.CartStatus
    currency: str
    email: str | None
    lines: list[CartLineView]
    shipping_address: Address | None
    shipping_method: str | None
    shipping: Shipping | None
    subtotal: Money
    shipping_total: Money
    total: Money
    created_at: datetime
    updated_at: datetime
    token: str | UnsetType = UNSET

    @classmethod
    def of(cls, cart: Cart, token: str | UnsetType = UNSET) -> "CartView":
        return cls(
            id=cart.id,
            status=cart.status,
            currency=cart.currency,
            email=cart.email,
            lines=[CartLineView.of(line) for line in cart.lines],
            shipping_address=cart.shipping_address,
            shipping_method=cart.shipping_method,
            shipping=cart.shipping,
            subtotal=cart.subtotal,
            shipping_total=cart.shipping_total,
            total=cart.total,
            created_at=cart.created_at,
            updated_at=cart.updated_at,
            token=token,
        )


MadeCart = Annotated[Response[Any], CartView]


async def create(shop: Shop, caller: Caller, data: NewCart) -> MadeCart:
    """Open a cart. The answer holds its token; it is shown this once."""
    for line in data.lines:
        _may_price(caller, line)
    address = data.shipping_address
    wanted = CartWanted(
        currency=currency(data.currency or shop.settings.currency, "/currency"),
        lines=[line.wanted for line in data.lines],
        email=None if data.email is None else email_address(data.email, "/email"),
        shipping_address=None
        if address is None
        else address.address("/shipping_address"),
        shipping_method=data.shipping_method,
    )
    cart, token = await _carts(shop).open(wanted, caller)
    return Response(
        CartView.of(cart, token), headers={"Location": f"{_PATH}/{cart.id}"}
    )


async def show(shop: Shop, caller: Caller, cart_id: UUID) -> CartView:
    """A cart at today's prices."""
    return CartView.of(await workflows.find(shop.db, shop.vault, cart_id, caller))


async def change(
    shop: Shop, caller: Caller, cart_id: UUID, data: CartChanges
) -> CartView:
    """Say who buys, where it goes and how."""
    email, address = data.email, data.shipping_address
    wanted = CartChange(
        email=email_address(email, "/email") if isinstance(email, str) else email,
        shipping_address=address.address("/shipping_address")
        if isinstance(address, PostalAddress)
        else address,
        shipping_method=data.shipping_method,
    )
    return CartView.of(await _carts(shop).change(cart_id, wanted, caller))


async def add_line(
    shop: Shop, caller: Caller, cart_id: UUID, data: NewLine
) -> MadeCart:
    """Put a line into a cart; several lines may have the same SKU."""
    _may_price(caller, data)
    cart, line_id = await _carts(shop).add_line(cart_id, data.wanted, caller)
    location = f"{_PATH}/{cart.id}/lines/{line_id}"
    return Response(CartView.of(cart), headers={"Location": location})


async def change_line(
    shop: Shop, caller: Caller, cart_id: UUID, line_id: UUID, data: LineChanges
) -> CartView:
    """Change how many of a line."""
    cart = await _carts(shop).change_line(cart_id, line_id, data.quantity, caller)
    return CartView.of(cart)


async def remove_line(
    shop: Shop, caller: Caller, cart_id: UUID, line_id: UUID
) -> CartView:
    """Take a line out of a cart."""
    return CartView.of(await _carts(shop).remove_line(cart_id, line_id, caller))


def _may_price(caller: Caller, line: NewLine) -> None:
    if line.unit_price is not None and not may(caller, "prices:override"):
        raise MissingScope("prices:override")


def _carts(shop: Shop) -> Carts:
    return Carts(shop.db, shop.vault, shop.carrier, shop.clock)
