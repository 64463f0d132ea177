"""What a guest chose becomes theirs when they sign in, and nothing of it twice.

The guest's cart is given to the account if that has no open cart in its currency;
otherwise its lines are added to the one opened last. Either way the guest's token opens
nothing of the account's: whoever else knows it must not read the address that the
account adds later.

One merge of an account runs at a time, and both carts are held while it does. A change
or a checkout that was first is seen; one that comes too late is told where the lines
went. Asked again, as after a lost answer, it shows where things are.
"""

import hmac
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from holdfast.domain import inventory, ordering
from holdfast.domain.inventory import OutOfStock, Wanted
from holdfast.domain.ordering import Cart, CartKind, CartStatus
from holdfast.kernel import tokens
from holdfast.platform.db import Connection, Transaction
from holdfast.platform.vault import Vault
from holdfast.workflows.cart_pricing import Prices, with_prices
from holdfast.workflows.carts import Carts
from holdfast.workflows.prices import priced


@dataclass(frozen=True, slots=True)
class Merging:
    """What it takes to make a guest's cart an account's."""

    carts: Carts

    async def merge(self, cart_id: UUID, token: str, account_id: UUID) -> Cart:
        """Bring a guest's cart along; returns the account's open cart.

        Raises ``CartNotFound`` for whoever does not hold the token,
        ``CartAlreadyOrdered`` or ``CartExpired`` for one that is not open, and
        ``CartTooLarge`` or ``TotalTooLarge`` if both do not fit into one: then both
        stay as they are.
        """

        async def once(prices: Prices) -> Cart:
            async with self.carts.db.transaction() as tx:
                return await self._merge(tx, cart_id, token, account_id, prices)

        return await with_prices(self.carts.carrier, once)

    async def _merge(
        self,
        tx: Transaction,
        cart_id: UUID,
        token: str,
        account_id: UUID,
        prices: Prices,
    ) -> Cart:
        vault = self.carts.vault
        await ordering.take_turn(tx, account_id)
        guests = await ordering.find_cart(tx, vault, cart_id)
        if guests.account_id == account_id and guests.kind is CartKind.CART:
            # Brought along before; or opened by them, with nothing to bring.
            return await own(tx, vault, account_id, at=self.carts.clock())
        _check_may_bring(guests, token)
        into_id = await ordering.newest_open(
            tx, account_id, currency=guests.currency, besides=cart_id
        )
        wanted = [cart_id] if into_id is None else [cart_id, into_id]
        opened = await ordering.lock_carts(tx, wanted, at=self.carts.clock())
        # Read again: another account may have brought it along while we waited.
        guests = await ordering.find_cart(tx, vault, cart_id)
        _check_may_bring(guests, token)
        if cart_id not in opened:
            if guests.status is CartStatus.EXPIRED:
                raise ordering.CartExpired
            raise ordering.CartAlreadyOrdered(await ordering.order_of_cart(tx, cart_id))
        if into_id not in opened:
            # The account has none, or has ordered it just now.
            into_id = None
        await self._bring_hold(tx, guests, into_id or cart_id, account_id)
        if into_id is None:
            return await self._give(tx, guests, account_id)
        return await self._add(tx, guests, into_id, account_id, prices)

    async def _give(self, tx: Transaction, cart: Cart, account_id: UUID) -> Cart:
        nobodys = tokens.fingerprint(tokens.new_token(tokens.CART))
        await ordering.give_cart(tx, cart.id, account_id=account_id, token_hash=nobodys)
        # Read again: what the account pays need not be what everybody pays.
        given = await ordering.find_cart(tx, self.carts.vault, cart.id)
        return priced(given, self.carts.clock())

    async def _add(
        self,
        tx: Transaction,
        guests: Cart,
        into_id: UUID,
        account_id: UUID,
        prices: Prices,
    ) -> Cart:
        """Move the lines of the guest's cart into the other; both are locked."""
        vault = self.carts.vault
        await ordering.merge_lines(tx, guests.id, into_id)
        await ordering.close_merged(
            tx, guests.id, into_id=into_id, account_id=account_id
        )
        theirs = await ordering.find_cart(tx, vault, into_id)
        both = replace(
            theirs,
            email=theirs.email or guests.email,
            shipping_address=theirs.shipping_address or guests.shipping_address,
            shipping_method=theirs.shipping_method or guests.shipping_method,
        )
        now = self.carts.clock()
        merged = prices.of(priced(both, now), at=now)
        await ordering.change_cart(tx, vault, merged)
        return merged

    async def _bring_hold(
        self, tx: Transaction, guests: Cart, into_id: UUID, account_id: UUID
    ) -> None:
        """What the guest held is held by the account, as long as it would have been."""
        now = self.carts.clock()
        from_hold = inventory.hold_id(guests.id, guests.token_hash)
        into_hold = inventory.hold_id(into_id, account_id)
        brought = await inventory.reserved_for(tx, from_hold)
        ends = [n.expires_at for n in brought if n.expires_at and n.expires_at > now]
        if not ends:
            return
        both = [*brought, *await inventory.reserved_for(tx, into_hold)]
        with suppress(OutOfStock):
            await inventory.reserve(
                tx,
                into_hold,
                [Wanted(n.variant_id, n.sku, n.quantity) for n in both],
                at=now,
                expires_at=max(ends),
                instead_of=[from_hold, into_hold],
            )


async def own(
    connection: Connection, vault: Vault, account_id: UUID, *, at: datetime
) -> Cart:
    """The open cart that an account opened last; ``CartNotFound``."""
    found = await ordering.newest_open(connection, account_id)
    if found is None:
        raise ordering.CartNotFound
    return priced(await ordering.find_cart(connection, vault, found), at)


def _check_may_bring(cart: Cart, token: str) -> None:
    """That it is a guest's cart, and theirs; what is another's is not there."""
    held = hmac.compare_digest(tokens.fingerprint(token), cart.token_hash)
    if not held or cart.account_id is not None or cart.kind is not CartKind.CART:
        raise ordering.CartNotFound
