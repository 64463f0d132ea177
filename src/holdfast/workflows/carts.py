"""What a buyer can do with a cart.

Prices are the catalogue's at the moment of reading; they are frozen at checkout.
A shipping price is always that of the cart's present destination and weight: a
change that needs a new quote is undone, the carrier is asked with no
transaction open, and the change is made again with the quote in hand.
"""

import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar
from uuid import UUID

from msgspec import UNSET, UnsetType

from holdfast.domain import catalog, identity, ordering, shipping
from holdfast.domain.identity import Caller
from holdfast.domain.ordering import Address, Cart, Line, NewLine
from holdfast.domain.shipping import Method, Parcel, Quote
from holdfast.kernel import tokens
from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.platform.db import Connection, Database, Transaction
from holdfast.platform.vault import Vault

T = TypeVar("T")

_ANYBODY = identity.Anonymous()
_SCOPE, _OWN = "carts:write", "carts:own"

# A change is made again only when somebody else changed the cart's weight or
# destination while the carrier was asked; nobody does that often.
_ATTEMPTS = 5

_Asked: TypeAlias = tuple[Method, Parcel]
_Apply: TypeAlias = Callable[[Transaction, Cart], Awaitable[Cart]]


@dataclass(frozen=True, slots=True)
class LineWanted:
    """A line as a client asks for it.

    A unit price other than the catalogue's is for callers with the scope
    ``prices:override``; the door the request came in by has checked that.
    """

    sku: str
    quantity: int
    unit_price: Money | None = None


@dataclass(frozen=True, slots=True)
class CartWanted:
    """A cart as a client asks for it."""

    currency: str
    lines: Sequence[LineWanted] = ()
    email: str | None = None
    shipping_address: Address | None = None
    shipping_method: Method | None = None


@dataclass(frozen=True, slots=True)
class CartChange:
    """What to change; None clears, UNSET keeps."""

    email: str | UnsetType | None = UNSET
    shipping_address: Address | UnsetType | None = UNSET
    shipping_method: Method | UnsetType | None = UNSET


class _NeedsQuote(Exception):
    """The change cannot be kept until the carrier has named a price."""

    def __init__(self, asked: _Asked) -> None:
        self.asked = asked


@dataclass(frozen=True, slots=True)
class Carts:
    """What can be done with carts, and what it takes."""

    db: Database
    vault: Vault
    carrier: shipping.Carrier
    clock: Clock

    async def open(
        self, wanted: CartWanted, caller: Caller = _ANYBODY
    ) -> tuple[Cart, str]:
        """Open a cart; returns it with its token, which is shown this once.

        Whoever holds the token may change, order and read; nobody else may, except
        operators and the one who was signed in here.
        """
        lines = await _lines(self.db, wanted.lines, wanted.currency)
        token = tokens.new_token(tokens.CART)
        now = self.clock()
        cart = Cart(
            id=new_id(),
            token_hash=tokens.fingerprint(token),
            status=ordering.CartStatus.OPEN,
            version=1,
            currency=wanted.currency,
            email=wanted.email,
            shipping_address=wanted.shipping_address,
            shipping_method=wanted.shipping_method,
            shipping=None,
            lines=lines,
            created_at=now,
            updated_at=now,
            account_id=_account_of(caller),
        )
        if asked := _question(cart):
            cart = _with(cart, await self.carrier.quote(*asked))
        ordering.check_total(cart.total)
        stored = [_new_line(n, w) for n, w in zip(lines, wanted.lines, strict=True)]
        async with self.db.statement() as tx:
            await ordering.open_cart(tx, self.vault, cart, stored)
        return cart, token

    async def change(self, cart_id: UUID, wanted: CartChange, caller: Caller) -> Cart:
        """Change who buys, where it goes and how."""

        async def apply(_: Transaction, cart: Cart) -> Cart:
            return replace(
                cart,
                email=_kept(wanted.email, cart.email),
                shipping_address=_kept(wanted.shipping_address, cart.shipping_address),
                shipping_method=_kept(wanted.shipping_method, cart.shipping_method),
            )

        return await self._change(cart_id, caller, apply)

    async def add_line(
        self, cart_id: UUID, wanted: LineWanted, caller: Caller
    ) -> tuple[Cart, UUID]:
        """Put a line into the cart; returns the cart and the line's id."""
        currency = (await find(self.db, self.vault, cart_id, caller)).currency
        (line,) = await _lines(self.db, [wanted], currency)

        async def apply(tx: Transaction, cart: Cart) -> Cart:
            ordering.check_line_count(len(cart.lines) + 1)
            await ordering.add_line(tx, cart_id, _new_line(line, wanted))
            return replace(cart, lines=[*cart.lines, line])

        return await self._change(cart_id, caller, apply), line.id

    async def change_line(
        self, cart_id: UUID, line_id: UUID, quantity: int, caller: Caller
    ) -> Cart:
        """Change how many of a line."""

        async def apply(tx: Transaction, cart: Cart) -> Cart:
            await ordering.change_line(tx, cart_id, line_id, quantity)
            lines = [
                replace(line, quantity=quantity) if line.id == line_id else line
                for line in cart.lines
            ]
            return replace(cart, lines=lines)

        ordering.check_quantity("", quantity)
        return await self._change(cart_id, caller, apply)

    async def remove_line(self, cart_id: UUID, line_id: UUID, caller: Caller) -> Cart:
        """Take a line out of the cart."""

        async def apply(tx: Transaction, cart: Cart) -> Cart:
            await ordering.remove_line(tx, cart_id, line_id)
            return replace(cart, lines=[n for n in cart.lines if n.id != line_id])

        return await self._change(cart_id, caller, apply)

    async def _change(self, cart_id: UUID, caller: Caller, apply: _Apply) -> Cart:
        quotes: dict[_Asked, Quote] = {}
        for _ in range(_ATTEMPTS):
            try:
                async with self.db.transaction() as tx:
                    await find(tx, self.vault, cart_id, caller)
                    await ordering.lock_cart(tx, cart_id, at=self.clock())
                    cart = await ordering.find_cart(tx, self.vault, cart_id)
                    changed = await apply(tx, cart)
                    priced = self._priced(changed, quotes)
                    ordering.check_total(priced.total)
                    await ordering.change_cart(tx, self.vault, priced)
                    return priced
            except _NeedsQuote as need:
                quotes[need.asked] = await self.carrier.quote(*need.asked)
        raise ordering.CartBusy

    def _priced(self, cart: Cart, quotes: dict[_Asked, Quote]) -> Cart:
        asked = _question(cart)
        if asked is None:
            return replace(cart, shipping=None)
        known = quotes.get(asked) or self.carrier.recall(*asked)
        if known is None:
            raise _NeedsQuote(asked)
        return _with(cart, known)


async def find(
    connection: Connection,
    vault: Vault,
    cart_id: UUID,
    caller: Caller,
    *,
    scope: str = _SCOPE,
) -> Cart:
    """A cart, for its owner or an operator; ``CartNotFound`` for everybody else."""
    cart = await ordering.find_cart(connection, vault, cart_id)
    if not owns(caller, cart.token_hash, cart.account_id, scope=scope):
        raise ordering.CartNotFound
    return cart


def owns(
    caller: Caller,
    token_hash: bytes,
    account_id: UUID | None,
    *,
    scope: str,
    own: str = _OWN,
) -> bool:
    """Whether the caller may reach a cart, or the order that it became.

    That is who holds its token, who may reach all (*scope*), and the account that it
    belongs to, with the scope *own*.
    """
    if isinstance(caller, identity.Guest):
        return hmac.compare_digest(caller.token_hash, token_hash)
    if identity.may(caller, scope):
        return True
    return account_id is not None and _account_of(caller, own) == account_id


def _account_of(caller: Caller, own: str = _OWN) -> UUID | None:
    """Whose cart it is that *caller* opens; nobody's without the scope for it."""
    if isinstance(caller, identity.Member) and identity.may(caller, own):
        return caller.account_id
    return None


async def _lines(
    connection: Connection, wanted: Sequence[LineWanted], currency: str
) -> list[Line]:
    """Price what is wanted, or say what cannot be sold."""
    ordering.check_line_count(len(wanted))
    for line in wanted:
        ordering.check_quantity(line.sku, line.quantity)
        if line.unit_price is not None:
            ordering.check_currency(currency, line.sku, line.unit_price.currency)
    if not wanted:
        return []
    skus = sorted({line.sku for line in wanted})
    offers = await catalog.offers(connection, skus)
    if unknown := [sku for sku in skus if sku not in offers]:
        raise ordering.UnknownSku(unknown)
    if inactive := [sku for sku in skus if not offers[sku].active]:
        raise ordering.VariantUnavailable(inactive)
    # Sorted, because lines made in one millisecond would otherwise come back in
    # any order, and a cart shows its lines by id.
    ids = sorted(new_id() for _ in wanted)
    lines = []
    for line_id, line in zip(ids, wanted, strict=True):
        offer = offers[line.sku]
        ordering.check_currency(currency, line.sku, offer.price.currency)
        lines.append(
            Line(
                line_id,
                offer.variant_id,
                line.sku,
                offer.title,
                line.quantity,
                line.unit_price or offer.price,
                offer.weight_grams,
            )
        )
    return lines


def _new_line(line: Line, wanted: LineWanted) -> NewLine:
    price = None if wanted.unit_price is None else wanted.unit_price.amount
    return NewLine(line.id, line.variant_id, line.quantity, price)


def _question(cart: Cart) -> _Asked | None:
    """What to ask the carrier; None while the buyer has not chosen enough."""
    if cart.shipping_method is None or cart.shipping_address is None:
        return None
    return Method(cart.shipping_method), Parcel.of(
        country=cart.shipping_address.country,
        weight_grams=cart.weight_grams,
        currency=cart.currency,
    )


def _with(cart: Cart, quote: Quote) -> Cart:
    method = cart.shipping_method
    assert method is not None  # noqa: S101 - there is no quote without a method
    return replace(cart, shipping=ordering.Shipping(method, quote.price, quote.source))


def _kept(wanted: T | UnsetType, current: T) -> T:
    return current if isinstance(wanted, UnsetType) else wanted
