"""A shipping price that is always that of the cart's present destination and weight.

The carrier may take seconds, and is asked with no transaction open. A change that needs
a new quote is undone, the carrier is asked, and the change is made again with the quote
in hand.

A price grows old. Before an order is placed at one that is too old to be charged, the
placing is undone in the same way, the carrier is asked again, and what it says is
written into the cart, where its buyer sees it, before the second try.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol, TypeAlias, TypeVar

from holdfast.domain import ordering, shipping
from holdfast.domain.ordering import Cart
from holdfast.domain.shipping import Method, Parcel, Quote
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

# A change is made again only when somebody else changed the cart's weight or
# destination while the carrier was asked; nobody does that often.
_ATTEMPTS = 5

_Asked: TypeAlias = tuple[Method, Parcel]


class Place(Protocol[T_co]):
    """Places an order, if its shipping price may be charged or need not be recent."""

    async def __call__(self, *, recent: bool) -> T_co: ...


class _NeedsQuote(Exception):
    """The change cannot be kept until the carrier has named a price."""

    def __init__(self, asked: _Asked) -> None:
        self.asked = asked


class _QuoteOutdated(Exception):
    """The cart cannot be ordered until the carrier was asked again."""

    def __init__(self, cart: Cart, asked: _Asked) -> None:
        self.cart = cart
        self.asked = asked


@dataclass(frozen=True, slots=True)
class Prices:
    """What the carrier has said so far."""

    carrier: shipping.Carrier
    quotes: dict[_Asked, Quote] = field(default_factory=dict)

    def of(self, cart: Cart, *, at: datetime) -> Cart:
        """The cart with its shipping price; ``TotalTooLarge``."""
        asked = question(cart)
        if asked is None:
            priced = replace(cart, shipping=None, shipping_quoted_at=None)
        elif cart.return_id is not None and cart.shipping is not None:
            # In place of goods that came back: sent as they were, at no charge.
            priced = replace(cart, shipping_method=cart.shipping.method)
        else:
            known = self.quotes.get(asked) or self.carrier.recall(*asked)
            if known is None:
                raise _NeedsQuote(asked)
            priced = quoted(cart, known, at=at)
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


async def with_recent_quote(
    carrier: shipping.Carrier,
    place: Place[T],
    *,
    db: Database,
    clock: Clock,
) -> T:
    """Place an order, after the carrier was asked again if its price is too old.

    *place* is one transaction, rolled back by what it raises, and sees to it that the
    price is *recent* by ``check_quote``. It need not the second time: the price is a
    moment old then, or that of a change which was made meanwhile.
    """
    try:
        return await place(recent=True)
    except _QuoteOutdated as outdated:
        cart, asked = outdated.cart, outdated.asked
    renewed = quoted(cart, await carrier.quote(*asked), at=clock())
    async with db.statement() as tx:
        await ordering.renew_shipping(tx, renewed)
    return await place(recent=False)


def check_quote(cart: Cart, *, at: datetime) -> None:
    """See that what sending a cart costs may be charged at a moment.

    Within ``with_recent_quote``. What is sent in place of goods that came back is sent
    at no charge, whatever the carrier says.
    """
    asked = question(cart)
    if asked is None or cart.shipping is None or cart.return_id is not None:
        return
    source = cart.shipping.source
    if shipping.is_outdated(source, cart.shipping_quoted_at, at=at):
        raise _QuoteOutdated(cart, asked)


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


def quoted(cart: Cart, quote: Quote, *, at: datetime) -> Cart:
    """The cart with a price for sending it as its buyer chose, asked for now."""
    method = cart.shipping_method
    assert method is not None  # noqa: S101 - there is no quote without a method
    chosen = ordering.Shipping(method, quote.price, quote.source)
    return replace(cart, shipping=chosen, shipping_quoted_at=at)
