"""What can be wrong with carts and orders."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from holdfast.kernel.errors import (
    Conflict,
    Gone,
    Invalid,
    NotFound,
    Outdated,
    Unavailable,
)


@dataclass(eq=False)
class CartNotFound(NotFound):
    """There is no such cart, or it belongs to somebody else."""


@dataclass(eq=False)
class CartLineNotFound(NotFound):
    """The cart has no such line."""


@dataclass(eq=False)
class OrderNotFound(NotFound):
    """There is no such order, or it belongs to somebody else."""


@dataclass(eq=False)
class CartAlreadyOrdered(Conflict):
    """The cart has become an order and can no longer be changed."""

    order_id: UUID | None


@dataclass(eq=False)
class CartMerged(Gone):
    """The lines of this cart are in the cart of the account now."""

    cart_id: UUID | None


@dataclass(eq=False)
class CartExpired(Gone):
    """Nobody came back to this cart for too long."""


@dataclass(eq=False)
class DraftNotFound(NotFound):
    """There is no such draft order."""


@dataclass(eq=False)
class DraftDiscarded(Gone):
    """The shop has withdrawn this draft order."""


@dataclass(eq=False)
class CartChanged(Outdated):
    """The cart was changed since it was read."""

    version: int


@dataclass(eq=False)
class OfferFixed(Conflict):
    """The lines of this cart are an offer, and only the shop changes them."""


@dataclass(eq=False)
class CartBusy(Unavailable):
    """The cart is being changed by others at the same time."""


@dataclass(eq=False)
class CartEmpty(Conflict):
    """The cart has no lines."""


@dataclass(eq=False)
class CartIncomplete(Conflict):
    """The cart lacks something that an order needs."""

    missing: list[str]


@dataclass(eq=False)
class CartTooLarge(Invalid):
    """The cart has more lines than a cart may have."""

    max_lines: int


@dataclass(eq=False)
class QuantityOutOfRange(Invalid):
    """The quantity of a line is not one that can be ordered."""

    sku: str
    max_quantity: int


@dataclass(eq=False)
class UnknownSku(Invalid):
    """No product is sold under this SKU."""

    skus: list[str]


@dataclass(eq=False)
class VariantUnavailable(Conflict):
    """A product in the cart is not for sale at the moment."""

    skus: list[str]


@dataclass(eq=False)
class CurrencyMismatch(Invalid):
    """The product is not sold in the currency of the cart."""

    sku: str
    cart_currency: str
    priced_in: str


@dataclass(eq=False)
class TotalTooLarge(Invalid):
    """The total of the cart is larger than an amount may be."""

    max_amount: int


@dataclass(eq=False)
class TotalChanged(Conflict):
    """The total of the cart is not the one that was expected."""

    expected: Any
    total: Any


@dataclass(eq=False)
class OrderNotOpen(Conflict):
    """The order is not in a state in which this can be done."""

    order_status: str


@dataclass(eq=False)
class LinesNotOpen(Conflict):
    """Lines of the order have not so many units that this could be done to."""

    positions: list[int]


@dataclass(eq=False)
class OrderShipped(Conflict):
    """Something of the order is on its way, and this cannot be done any more."""


@dataclass(eq=False)
class NothingLeft(Conflict):
    """Nothing would be left of the order; cancel it instead."""


@dataclass(eq=False)
class EditNeedsPayment(Conflict):
    """The order would cost more than was paid for it."""

    value: Any
    paid: Any


@dataclass(eq=False)
class BuyerErased(Gone):
    """The buyer of this order was erased, and is not written down again."""


@dataclass(eq=False)
class ReturnNotFound(NotFound):
    """There is no such return, or it is of somebody else's order."""


@dataclass(eq=False)
class ReturnNotOpen(Conflict):
    """The return is not in a state in which this can be done."""

    return_status: str


@dataclass(eq=False)
class ReturnAmountTooLarge(Invalid):
    """More than the shipping cost cannot be given back, nor more than all be kept."""

    most: Any


@dataclass(eq=False)
class ExchangeUnderWay(Conflict):
    """The goods that the buyer gets instead were ordered before these came back."""
