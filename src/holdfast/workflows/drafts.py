"""Draft orders: an operator prepares a cart for a buyer, at prices of their own.

A draft order is a cart of another kind. Its buyer opens it with its token, may say who
buys and where it goes, and checks it out like any other; its lines only the shop
changes. An operator can complete it too, with a payment method, or because the money
came another way: by transfer, in cash. No provider knows of such a payment, so the
order is written, paid and announced in one transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from msgspec import UNSET, UnsetType

from holdfast.domain import inventory, ordering
from holdfast.domain.identity import Caller
from holdfast.domain.inventory import Wanted
from holdfast.domain.ordering import Cart, CartStatus, DraftOrder, Order
from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.platform import idempotency, outbox
from holdfast.platform.db import Connection, Transaction
from holdfast.platform.idempotency import Answer, Claim
from holdfast.platform.vault import Vault
from holdfast.workflows.cart_lines import LineWanted, price, to_store
from holdfast.workflows.carts import (
    CartChange,
    Carts,
    CartWanted,
    Draft,
    Versions,
)
from holdfast.workflows.giving_back import give_credit_back
from holdfast.workflows.placing import SCOPE, SHOP, holders_of, place

_NOTHING = CartChange()


@dataclass(frozen=True, slots=True)
class DraftChange:
    """What to change of a draft order; None clears, UNSET keeps."""

    who: CartChange = _NOTHING
    lines: Sequence[LineWanted] | UnsetType = UNSET
    """In place of all that were there."""
    account_id: UUID | UnsetType | None = UNSET
    note: str | UnsetType | None = UNSET


@dataclass(frozen=True, slots=True)
class Drafts:
    """What operators can do with draft orders, and what it takes."""

    carts: Carts

    async def open(
        self, wanted: CartWanted, draft: Draft, caller: Caller
    ) -> tuple[DraftOrder, str]:
        """Prepare a draft order; returns it with its token, shown this once."""
        cart, token = await self.carts.open(wanted, caller, draft=draft)
        return DraftOrder(cart, None), token

    async def change(
        self,
        draft_id: UUID,
        change: DraftChange,
        caller: Caller,
        *,
        versions: Versions = None,
    ) -> DraftOrder:
        """Change a draft order; units that are held for it are then those of its lines.

        Raises ``OutOfStock`` if they cannot be held: then nothing has changed.
        """
        found = await open_draft(self.carts.db, self.carts.vault, draft_id)

        async def apply(tx: Transaction, cart: Cart) -> Cart:
            if not isinstance(change.account_id, UnsetType):
                await ordering.hand_over_draft(tx, draft_id, change.account_id)
                # Read again: somebody else may have other prices.
                now_theirs = await ordering.find_cart(tx, self.carts.vault, draft_id)
                cart = replace(
                    cart, account_id=change.account_id, lines=now_theirs.lines
                )
            if not isinstance(change.note, UnsetType):
                cart = replace(cart, note=change.note)
            if not isinstance(change.lines, UnsetType):
                cart = await self._replace_lines(tx, cart, change.lines)
            return change.who.of(cart)

        cart = await self.carts.changed(
            found.cart.id, caller, apply, scope=SCOPE, versions=versions
        )
        return DraftOrder(cart, None)

    async def _replace_lines(
        self, tx: Transaction, cart: Cart, wanted: Sequence[LineWanted]
    ) -> Cart:
        if cart.return_id is not None:
            # It is what the buyer asked for in exchange, and paid in part already.
            raise ordering.OfferFixed
        lines = await price(
            *(tx, wanted, cart.currency),
            account_id=cart.account_id,
            at=self.carts.clock(),
        )
        await ordering.replace_lines(tx, cart.id, to_store(lines, wanted))
        cart = replace(cart, lines=lines)
        held = await inventory.reserved_for(tx, _hold_of(cart))
        if held and held[0].expires_at is not None:
            await self._hold(tx, cart, until=held[0].expires_at)
        return cart

    async def hold(self, draft_id: UUID, until: datetime, caller: Caller) -> DraftOrder:
        """Hold the units of a draft order until then, all or none; ``OutOfStock``."""
        found = await open_draft(self.carts.db, self.carts.vault, draft_id)

        async def apply(tx: Transaction, cart: Cart) -> Cart:
            if not cart.lines:
                raise ordering.CartEmpty
            await self._hold(tx, cart, until=until)
            return cart

        cart = await self.carts.changed(found.cart.id, caller, apply, scope=SCOPE)
        return DraftOrder(cart, None)

    async def _hold(self, tx: Transaction, cart: Cart, *, until: datetime) -> None:
        hold_id, at = _hold_of(cart), self.carts.clock()
        if not cart.lines:
            await inventory.release(tx, hold_id, at=at)
            return
        wanted = [Wanted(n.variant_id, n.sku, n.quantity) for n in cart.lines]
        await inventory.reserve(
            tx, hold_id, wanted, at=at, expires_at=until, instead_of=[hold_id]
        )

    async def release(self, draft_id: UUID) -> None:
        """Hold nothing for a draft order any more."""
        async with self.carts.db.transaction() as tx:
            found = await open_draft(tx, self.carts.vault, draft_id)
            at = self.carts.clock()
            await inventory.release(tx, _hold_of(found.cart), at=at)

    async def discard(self, draft_id: UUID, *, actor: str) -> None:
        """Withdraw a draft order: its token opens nothing, and what is held is free.

        What goods that came back paid of it goes back as money.
        """
        async with self.carts.db.transaction() as tx:
            at = self.carts.clock()
            if not await ordering.discard_draft(tx, draft_id, at=at):
                # Says what became of it.
                await open_draft(tx, self.carts.vault, draft_id)
            found = await ordering.find_draft(tx, self.carts.vault, draft_id)
            cart = found.cart
            for holder_id in holders_of(cart.id, cart.token_hash, cart.account_id):
                await inventory.release(tx, holder_id, at=at)
            await give_credit_back(
                *(tx, self.carts.vault, cart), actor=actor, clock=self.carts.clock
            )

    async def invite(self, draft_id: UUID) -> str:
        """Another token for the buyer, in place of the one before."""
        token = tokens.new_token(tokens.CART)
        async with self.carts.db.transaction() as tx:
            if not await ordering.replace_token(
                tx, draft_id, tokens.fingerprint(token)
            ):
                await open_draft(tx, self.carts.vault, draft_id)
        return token

    async def complete_outside(
        self,
        draft_id: UUID,
        reference: str,
        *,
        expected_total: Money | None,
        caller: Caller,
        claim: Claim,
        render: Callable[[Order], Answer],
    ) -> tuple[Answer, bool]:
        """Order a draft that was paid to the shop itself; is it a replay?

        One transaction: of a process that dies, nothing is left or all of it. Sending
        it costs what it did, however old that price is: the money is there already.
        """
        while True:
            async with self.carts.db.transaction() as tx:
                order_id, now = new_id(), self.carts.clock()
                if await idempotency.claim(tx, claim, subject=order_id, at=now):
                    order = await self._place_paid(
                        tx, draft_id, order_id, reference, expected_total, caller, now
                    )
                    answer = render(order)
                    await idempotency.answer(
                        tx, self.carts.vault, claim, answer, at=now
                    )
                    return answer, False
            progress = await idempotency.wait(
                self.carts.db, self.carts.vault, claim, clock=self.carts.clock
            )
            if isinstance(progress, Answer):
                return progress, True

    async def _place_paid(  # noqa: PLR0917 - what an order is made of
        self,
        tx: Transaction,
        draft_id: UUID,
        order_id: UUID,
        reference: str,
        expected: Money | None,
        caller: Caller,
        now: datetime,
    ) -> Order:
        vault, actor = self.carts.vault, caller.actor
        await ordering.find_draft(tx, vault, draft_id)
        await place(
            tx,
            vault,
            draft_id,
            caller,
            order_id=order_id,
            expected=expected,
            at=now,
        )
        await ordering.mark_paid_outside(tx, order_id, reference, actor=actor, at=now)
        confirmed = outbox.event("ordering.order.confirmed", order_id=str(order_id))
        await outbox.publish(tx, [confirmed], at=now)
        return await ordering.find(tx, vault, order_id)


async def open_draft(
    connection: Connection, vault: Vault, draft_id: UUID
) -> DraftOrder:
    """A draft order that can be changed.

    ``DraftNotFound``, ``DraftDiscarded`` or ``CartAlreadyOrdered``.
    """
    found = await ordering.find_draft(connection, vault, draft_id)
    if found.cart.status is CartStatus.DISCARDED:
        raise ordering.DraftDiscarded
    if found.cart.status is not CartStatus.OPEN:
        raise ordering.CartAlreadyOrdered(found.order_id)
    return found


def _hold_of(cart: Cart) -> UUID:
    return inventory.hold_id(cart.id, SHOP)
