"""What a buyer can do with a cart.

Prices are those that hold at the moment of reading (see ``prices``); they are frozen at
checkout. A change takes the cart first, so that of many at once each sees what those
before it did, and each is counted in the cart's version.
"""

import hmac
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias, TypeVar
from uuid import UUID

from msgspec import UNSET, UnsetType

from holdfast.domain import identity, ordering, shipping
from holdfast.domain.identity import Caller
from holdfast.domain.ordering import Address, Cart, CartKind, CartStatus
from holdfast.domain.shipping import Method
from holdfast.kernel import tokens
from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Connection, Database, Transaction
from holdfast.platform.vault import Vault
from holdfast.workflows.cart_lines import LineWanted, price, to_store
from holdfast.workflows.cart_pricing import Prices, question, quoted, with_prices
from holdfast.workflows.prices import priced

T = TypeVar("T")

_ANYBODY = identity.Anonymous()
_SCOPE, _OWN = "carts:write", "carts:own"

_Apply: TypeAlias = Callable[[Transaction, Cart], Awaitable[Cart]]
Versions: TypeAlias = Collection[int] | None
"""The versions of a cart that its client wants to change; None for whichever it is."""


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

    def of(self, cart: Cart) -> Cart:
        """The cart so changed."""
        return replace(
            cart,
            email=_kept(self.email, cart.email),
            shipping_address=_kept(self.shipping_address, cart.shipping_address),
            shipping_method=_kept(self.shipping_method, cart.shipping_method),
        )


@dataclass(frozen=True, slots=True)
class Draft:
    """What makes a cart a draft order: whom it is for, if known, and a note."""

    account_id: UUID | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Carts:
    """What can be done with carts, and what it takes."""

    db: Database
    vault: Vault
    carrier: shipping.Carrier
    clock: Clock

    async def open(
        self,
        wanted: CartWanted,
        caller: Caller = _ANYBODY,
        *,
        draft: Draft | None = None,
    ) -> tuple[Cart, str]:
        """Open a cart; returns it with its token, which is shown this once.

        Whoever holds the token may change, order and read; nobody else may, except
        operators and the one who was signed in here. A draft order is one that an
        operator opens for somebody else.
        """
        token = tokens.new_token(tokens.CART)
        now = self.clock()
        account_id = _account_of(caller) if draft is None else draft.account_id
        lines = await price(
            self.db, wanted.lines, wanted.currency, account_id=account_id, at=now
        )
        cart = Cart(
            id=new_id(),
            token_hash=tokens.fingerprint(token),
            status=CartStatus.OPEN,
            version=1,
            currency=wanted.currency,
            email=wanted.email,
            shipping_address=wanted.shipping_address,
            shipping_method=wanted.shipping_method,
            shipping=None,
            lines=lines,
            created_at=now,
            updated_at=now,
            account_id=account_id,
        )
        if draft is not None:
            cart = replace(
                cart,
                kind=CartKind.DRAFT,
                prepared_by=caller.actor,
                note=draft.note,
            )
        if asked := question(cart):
            cart = quoted(cart, await self.carrier.quote(*asked), at=now)
        ordering.check_total(cart.total)
        async with self.db.statement() as tx:
            await ordering.open_cart(
                tx, self.vault, cart, to_store(lines, wanted.lines)
            )
        return cart, token

    async def change(
        self,
        cart_id: UUID,
        wanted: CartChange,
        caller: Caller,
        *,
        versions: Versions = None,
    ) -> Cart:
        """Change who buys, where it goes and how."""

        async def apply(_: Transaction, cart: Cart) -> Cart:
            return wanted.of(cart)

        return await self.changed(cart_id, caller, apply, versions=versions)

    async def add_line(
        self,
        cart_id: UUID,
        wanted: LineWanted,
        caller: Caller,
        *,
        versions: Versions = None,
    ) -> tuple[Cart, UUID]:
        """Put a line into the cart; returns the cart and the line's id."""
        found = await find(self.db, self.vault, cart_id, caller)
        (line,) = await price(
            *(self.db, [wanted], found.currency),
            account_id=found.account_id,
            at=self.clock(),
        )
        (stored,) = to_store([line], [wanted])

        async def apply(tx: Transaction, cart: Cart) -> Cart:
            _check_lines_are_theirs(cart, caller)
            ordering.check_line_count(len(cart.lines) + 1)
            await ordering.add_line(tx, cart_id, stored)
            return replace(cart, lines=[*cart.lines, line])

        cart = await self.changed(cart_id, caller, apply, versions=versions)
        return cart, line.id

    async def change_line(
        self,
        cart_id: UUID,
        line_id: UUID,
        quantity: int,
        caller: Caller,
        *,
        versions: Versions = None,
    ) -> Cart:
        """Change how many of a line."""

        async def apply(tx: Transaction, cart: Cart) -> Cart:
            _check_lines_are_theirs(cart, caller)
            await ordering.change_line(tx, cart_id, line_id, quantity)
            lines = [
                replace(line, quantity=quantity) if line.id == line_id else line
                for line in cart.lines
            ]
            return replace(cart, lines=lines)

        ordering.check_quantity("", quantity)
        return await self.changed(cart_id, caller, apply, versions=versions)

    async def remove_line(
        self,
        cart_id: UUID,
        line_id: UUID,
        caller: Caller,
        *,
        versions: Versions = None,
    ) -> Cart:
        """Take a line out of the cart."""

        async def apply(tx: Transaction, cart: Cart) -> Cart:
            _check_lines_are_theirs(cart, caller)
            await ordering.remove_line(tx, cart_id, line_id)
            return replace(cart, lines=[n for n in cart.lines if n.id != line_id])

        return await self.changed(cart_id, caller, apply, versions=versions)

    async def changed(
        self,
        cart_id: UUID,
        caller: Caller,
        apply: _Apply,
        *,
        scope: str = _SCOPE,
        versions: Versions = None,
    ) -> Cart:
        """Make a change of a cart that is the caller's, in one transaction."""

        async def once(prices: Prices) -> Cart:
            async with self.db.transaction() as tx:
                # Taken before it is known whose it is: what a stranger did is undone.
                now = self.clock()
                taken = await ordering.lock_cart(tx, cart_id, at=now)
                cart = await find_priced(
                    tx, self.vault, cart_id, caller, scope=scope, at=now
                )
                if not taken:
                    raise ordering.CartAlreadyOrdered(
                        await ordering.order_of_cart(tx, cart_id)
                    )
                before = cart.version - 1
                if versions is not None and before not in versions:
                    raise ordering.CartChanged(before)
                # More or fewer units may cost another price each.
                applied = priced(await apply(tx, cart), now)
                changed = prices.of(applied, at=now)
                await ordering.change_cart(tx, self.vault, changed)
                return changed

        return await with_prices(self.carrier, once)


async def find_priced(
    connection: Connection,
    vault: Vault,
    cart_id: UUID,
    caller: Caller,
    *,
    at: datetime,
    scope: str = _SCOPE,
) -> Cart:
    """A cart at the prices of a moment; raises as ``find``."""
    cart = await find(connection, vault, cart_id, caller, scope=scope)
    return priced(cart, at)


async def find(
    connection: Connection,
    vault: Vault,
    cart_id: UUID,
    caller: Caller,
    *,
    scope: str = _SCOPE,
) -> Cart:
    """A cart, with what decides its prices, for its owner or an operator.

    ``CartNotFound`` for everybody else; ``CartMerged``, ``CartExpired`` or
    ``DraftDiscarded`` if it is no more.
    """
    cart = await ordering.find_cart(connection, vault, cart_id)
    if not owns(caller, cart.token_hash, cart.account_id, scope=scope):
        raise ordering.CartNotFound
    if cart.status is CartStatus.MERGED:
        # Who holds the guest's token need not be who signed in.
        theirs = not isinstance(caller, identity.Guest)
        raise ordering.CartMerged(cart.merged_into if theirs else None)
    if cart.status is CartStatus.EXPIRED:
        raise ordering.CartExpired
    if cart.status is CartStatus.DISCARDED:
        raise ordering.DraftDiscarded
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


def _check_lines_are_theirs(cart: Cart, caller: Caller) -> None:
    """A buyer may say where a draft order goes, and not what is in it for how much."""
    if cart.kind is CartKind.DRAFT and not identity.may(caller, _SCOPE):
        raise ordering.OfferFixed


def _kept(wanted: T | UnsetType, current: T) -> T:
    return current if isinstance(wanted, UnsetType) else wanted
