"""A checkout of what everybody wants, without standing in line for its stock.

The transaction that places an order keeps the row of each SKU locked until its commit.
When hundreds order the same, all connections of the process end up waiting for that
row, and nobody else gets one. So while a SKU is hot its units are held first, together
with those of others (``Holding``), and the order takes them over without a look at the
row; and who comes when nothing is left is told so before a transaction begins.

Nothing depends on it: an order reserves for itself what is not held. A hold that comes
to nothing is given back, or ends after fifteen seconds if the process dies.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from holdfast.domain import drops, inventory, ordering
from holdfast.domain.identity import Caller
from holdfast.domain.inventory import Holding, Wanted
from holdfast.domain.ordering import Cart, CartStatus, Order
from holdfast.platform import idempotency
from holdfast.platform.db import Database, DatabaseBusy, DatabaseUnavailable
from holdfast.platform.idempotency import Claim
from holdfast.platform.vault import Vault
from holdfast.workflows import carts
from holdfast.workflows.doors import Entrance
from holdfast.workflows.placing import CHECKOUT, SCOPE, holders_of

_LASTS = timedelta(seconds=15)
_REFUSALS = (
    inventory.OutOfStock,
    inventory.ReservationsBusy,
    drops.AdmissionRequired,
    drops.DropNotOpen,
    drops.DropLimitReached,
    drops.TicketNotValid,
)


@dataclass(frozen=True, slots=True)
class Rush:
    """What checkouts of one process share about what is hot."""

    db: Database
    vault: Vault
    holding: Holding

    async def hold(
        self,
        cart_id: UUID,
        caller: Caller,
        claim: Claim,
        entrance: Entrance | None = None,
    ) -> UUID | None:
        """Hold what is in the cart if any of it is hot; under which id, if so.

        Raises ``OutOfStock`` or ``ReservationsBusy``, or what *entrance* refuses; then
        nothing has happened. What else is wrong with the cart or the key is left to the
        checkout to say.
        """
        if not self.holding.any_hot:
            return None
        try:
            cart = await carts.find(self.db, self.vault, cart_id, caller, scope=SCOPE)
        except ordering.CartNotFound:
            return None
        variants = [line.variant_id for line in cart.lines]
        if cart.status is not CartStatus.OPEN or not self.holding.is_hot(variants):
            return None
        try:
            if entrance is not None:
                entrance.check({n.variant_id: n.quantity for n in cart.lines})
            return await self._hold(cart)
        except _REFUSALS:
            # A request that was begun before is answered as it was, or seen to its end.
            if not await idempotency.is_claimed(self.db, claim):
                raise
            return None

    async def _hold(self, cart: Cart) -> UUID | None:
        wanted = [Wanted(n.variant_id, n.sku, n.quantity) for n in cart.lines]
        holders = holders_of(cart.id, cart.token_hash, cart.account_id)
        self.holding.check(wanted, holders)
        if await inventory.holders_among(self.db, holders):
            # The buyer holds it already.
            return None
        holder_id = inventory.hold_id(cart.id, CHECKOUT)
        await self.holding.hold(
            holder_id,
            wanted,
            customer=cart.account_id or cart.token_hash,
            lasts=_LASTS,
        )
        return holder_id

    async def end(self, held: UUID | None, order: Order | None) -> None:
        """The order was placed, or came to nothing: give back what was held for it."""
        if order is not None:
            if held is None:
                self.holding.note([line.variant_id for line in order.lines])
        elif held is not None:
            with suppress(DatabaseBusy, DatabaseUnavailable):
                await self.holding.release(held)
