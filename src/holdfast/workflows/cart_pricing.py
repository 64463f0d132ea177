"""A shipping price that is always that of the cart's present destination and weight.

The carrier may take seconds, and is asked with no transaction open. A change that needs
a new quote is undone, the carrier is asked, and the change is made again with the quote
in hand.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias, TypeVar

from holdfast.domain import ordering, shipping
from holdfast.domain.ordering import Cart
from holdfast.domain.shipping import Method, Parcel, Quote

T = TypeVar("T")

# A change is made again only when somebody else changed the cart's weight or
# destination while the carrier was asked; nobody does that often.
_ATTEMPTS = 5

_Asked: TypeAlias = tuple[Method, Parcel]


class _NeedsQuote(Exception):
    """The change cannot be kept until the carrier has named a price."""

    def __init__(self, asked: _Asked) -> None:
        self.asked = asked


@dataclass(frozen=True, slots=True)
class Prices:
    """What the carrier has said so far."""

    carrier: shipping.Carrier
    quotes: dict[_Asked, Quote] = field(default_factory=dict)

    def of(self, cart: Cart) -> Cart:
        """The cart with its shipping price; ``TotalTooLarge``."""
        asked = question(cart)
        if asked is None:
            priced = replace(cart, shipping=None)
        elif cart.return_id is not None and cart.shipping is not None:
            # In place of goods that came back: sent as they were, at no charge.
            priced = replace(cart, shipping_method=cart.shipping.method)
        else:
            known = self.quotes.get(asked) or self.carrier.recall(*asked)
            if known is None:
                raise _NeedsQuote(asked)
            priced = quoted(cart, known)
        ordering.check_total(priced.total)
        return priced


async def with_prices(
    carrier: shipping.Carrier, change: Callable[[Prices], Awaitable[T]]
) -> T:
    """Make a change that asks for prices, again and again until it has them all.

    *change* is one transaction, rolled back by what it raises. ``CartBusy`` when the
    cart does not hold still.
    """
    prices = Prices(carrier)
    for _ in range(_ATTEMPTS):
        try:
            return await change(prices)
        except _NeedsQuote as need:
            prices.quotes[need.asked] = await carrier.quote(*need.asked)
    raise ordering.CartBusy


def question(cart: Cart) -> _Asked | None:
    """What to ask the carrier; None while the buyer has not chosen enough."""
    if cart.shipping_method is None or cart.shipping_address is None:
        return None
    return Method(cart.shipping_method), Parcel.of(
        country=cart.shipping_address.country,
        weight_grams=cart.weight_grams,
        currency=cart.currency,
        postal_code=cart.shipping_address.postal_code,
    )


def quoted(cart: Cart, quote: Quote) -> Cart:
    """The cart with a price for sending it as its buyer chose."""
    method = cart.shipping_method
    assert method is not None  # noqa: S101 - there is no quote without a method
    return replace(cart, shipping=ordering.Shipping(method, quote.price, quote.source))
