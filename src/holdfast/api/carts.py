"""Carts: anybody opens one, and whoever holds its token may change and order it.

The ETag of a cart is its version, which counts the changes of what is in it, who buys
and where it goes. Prices of the catalogue may change without it.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import HeaderParameter
from msgspec import UNSET, UnsetType

from holdfast.api.decoding import invalid_parameter
from holdfast.api.me import own_id
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
from holdfast.workflows import cart_merging
from holdfast.workflows import carts as workflows
from holdfast.workflows.cart_lines import LineWanted
from holdfast.workflows.carts import (
    CartChange,
    Carts,
    CartWanted,
    Versions,
)

_PATH = "/v1/carts"

_VERSION = re.compile(r"[1-9][0-9]{0,18}")
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')
_TAGS = re.compile(rf"\s*{_TAG.pattern}\s*(?:,\s*{_TAG.pattern}\s*)*")

IfMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match",
        description="Change the cart only if this is its ETag.",
    ),
]
CartToken = Annotated[
    str,
    msgspec.Meta(pattern=r"^hfc_[\w-]{1,255}$(?!\n)", description="The cart's token."),
]
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

    @property
    def wanted(self) -> CartChange:
        """The change, once e-mail and address are seen to be some."""
        email, address = self.email, self.shipping_address
        return CartChange(
            email=email_address(email, "/email") if isinstance(email, str) else email,
            shipping_address=address.address("/shipping_address")
            if isinstance(address, PostalAddress)
            else address,
            shipping_method=self.shipping_method,
        )


class LineChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many of it."""

    quantity: Quantity


class CartToMerge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cart that you filled before you signed in, and the token that opens it."""

    cart_id: UUID
    token: CartToken


class CartLineView(msgspec.Struct, frozen=True):
    """A line at today's price."""

    id: UUID
    sku: str
    variant_id: UUID
    title: str
    quantity: int
    unit_price: Money
    total: Money
    # False once it cannot be ordered: taken out of the shop, or without a price in the
    # cart's currency.
    for_sale: bool

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
            line.for_sale,
        )


class CartView(msgspec.Struct, frozen=True, omit_defaults=False):
    """A cart with its totals. The token is there only in the answer to its making."""

    id: UUID
    kind: ordering.CartKind
    status: ordering.CartStatus
    version: int
    currency: str
    email: str | None
    lines: list[CartLineView]
    shipping_address: Address | None
    shipping_method: str | None
    shipping: Shipping | None
    subtotal: Money
    shipping_total: Money
    # What goods that came back pay of it.
    credit: Money
    total: Money
    created_at: datetime
    updated_at: datetime
    token: str | UnsetType = UNSET

    @classmethod
    def of(cls, cart: Cart, token: str | UnsetType = UNSET) -> "CartView":
        return cls(
            id=cart.id,
            kind=cart.kind,
            status=cart.status,
            version=cart.version,
            currency=cart.currency,
            email=cart.email,
            lines=[CartLineView.of(line) for line in cart.lines],
            shipping_address=cart.shipping_address,
            shipping_method=cart.shipping_method,
            shipping=cart.shipping,
            subtotal=cart.subtotal,
            shipping_total=cart.shipping_total,
            credit=cart.credit,
            total=cart.total,
            created_at=cart.created_at,
            updated_at=cart.updated_at,
            token=token,
        )


OneCart = Annotated[Response[Any], CartView]


async def create(shop: Shop, caller: Caller, data: NewCart) -> OneCart:
    """Open a cart. The answer holds its token; it is shown this once."""
    check_may_price(caller, data.lines)
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
    cart, token = await carts_of(shop).open(wanted, caller)
    return _shown(cart, token, location=f"{_PATH}/{cart.id}")


async def show(shop: Shop, caller: Caller, cart_id: UUID) -> OneCart:
    """A cart at today's prices."""
    found = await workflows.find_priced(
        shop.db, shop.vault, cart_id, caller, at=shop.clock()
    )
    return _shown(found)


async def change(
    shop: Shop,
    caller: Caller,
    cart_id: UUID,
    data: CartChanges,
    if_match: IfMatch = None,
) -> OneCart:
    """Say who buys, where it goes and how."""
    return _shown(
        await carts_of(shop).change(
            cart_id, data.wanted, caller, versions=versions(if_match)
        )
    )


async def add_line(
    shop: Shop, caller: Caller, cart_id: UUID, data: NewLine, if_match: IfMatch = None
) -> OneCart:
    """Put a line into a cart; several lines may have the same SKU."""
    check_may_price(caller, [data])
    cart, line_id = await carts_of(shop).add_line(
        cart_id, data.wanted, caller, versions=versions(if_match)
    )
    return _shown(cart, location=f"{_PATH}/{cart.id}/lines/{line_id}")


async def change_line(
    *,
    shop: Shop,
    caller: Caller,
    cart_id: UUID,
    line_id: UUID,
    data: LineChanges,
    if_match: IfMatch = None,
) -> OneCart:
    """Change how many of a line."""
    cart = await carts_of(shop).change_line(
        cart_id, line_id, data.quantity, caller, versions=versions(if_match)
    )
    return _shown(cart)


async def remove_line(
    shop: Shop, caller: Caller, cart_id: UUID, line_id: UUID, if_match: IfMatch = None
) -> OneCart:
    """Take a line out of a cart."""
    cart = await carts_of(shop).remove_line(
        cart_id, line_id, caller, versions=versions(if_match)
    )
    return _shown(cart)


async def show_own(shop: Shop, caller: Caller) -> OneCart:
    """Your open cart; of several, the one that was opened last."""
    found = await cart_merging.own(shop.db, shop.vault, own_id(caller), at=shop.clock())
    return _shown(found)


async def merge(shop: Shop, caller: Caller, data: CartToMerge) -> OneCart:
    """Bring along the cart that you filled before you signed in.

    It becomes yours, or its lines are added to your open cart. Asking again changes
    nothing more.
    """
    merging = cart_merging.Merging(carts_of(shop))
    cart = await merging.merge(data.cart_id, data.token, own_id(caller))
    return _shown(cart)


def check_may_price(caller: Caller, lines: Iterable[NewLine]) -> None:
    """Raise ``MissingScope`` if a price is named by whoever may not."""
    priced = any(line.unit_price is not None for line in lines)
    if priced and not may(caller, "prices:override"):
        raise MissingScope("prices:override")


def carts_of(shop: Shop) -> Carts:
    """What can be done with carts of a shop."""
    return Carts(shop.db, shop.vault, shop.carrier, shop.clock)


def versions(if_match: str | None) -> Versions:
    """The versions that an If-Match header names (RFC 9110 13.1.1); None for any.

    A weak tag matches nothing, and neither does one that is not a version's.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    if not _TAGS.fullmatch(if_match):
        raise invalid_parameter("If-Match", "Must be an ETag, several, or *")
    tags = [tag for weak, tag in _TAG.findall(if_match) if not weak]
    return {int(tag) for tag in tags if _VERSION.fullmatch(tag)}


def etag(version: int) -> dict[str, str]:
    """The header that names a version."""
    return {"ETag": f'"{version}"'}


def _shown(
    cart: Cart, token: str | UnsetType = UNSET, *, location: str | None = None
) -> OneCart:
    headers = etag(cart.version)
    if location is not None:
        headers["Location"] = location
    return Response(CartView.of(cart, token), headers=headers)
