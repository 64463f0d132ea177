"""What a buyer gets instead of goods that come back: an order of its own.

It is prepared as a draft order at the prices of the day on which the buyer asked, sent
like the first one at no charge, opened by the same token, and paid with what comes
back. If that pays all of it, it is ordered and confirmed in the same transaction; what
is left to pay is the buyer's to pay, as with any draft order, and its units are held
for them meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from holdfast.domain import inventory, ordering
from holdfast.domain.inventory import Wanted
from holdfast.domain.ordering import (
    Cart,
    CartKind,
    CartStatus,
    ExchangeLine,
    Line,
    NewLine,
    Order,
    Return,
)
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.platform import outbox
from holdfast.platform.db import Connection, Transaction
from holdfast.platform.vault import Vault
from holdfast.workflows.placing import SHOP
from holdfast.workflows.settlement import CONFIRMED

HELD_FOR = timedelta(days=7)
"""How long the units of a dearer replacement are held for the buyer to pay."""

SOURCE = "exchange"


@dataclass(frozen=True, slots=True)
class Replacing:
    """Goods for goods, in the transaction in which it is decided."""

    tx: Transaction
    vault: Vault
    actor: str
    at: datetime

    async def replace(self, order: Order, asked: Return, credit: int) -> UUID:
        """Prepare the other goods of a return; returns the id of their cart.

        All units are reserved or none: ``OutOfStock``. Raises ``BuyerErased`` where
        nobody is left to send them to. The order is locked.
        """
        if order.email is None or order.shipping_address is None:
            raise ordering.BuyerErased
        cart = self._cart(order, asked, credit)
        priced = [
            NewLine(n.id, n.variant_id, n.quantity, n.unit_price.amount)
            for n in cart.lines
        ]
        await ordering.open_cart(self.tx, self.vault, cart, priced)
        await ordering.note_replacement(self.tx, asked.id, cart.id, credit)
        if cart.total.amount == 0:
            await self._order(cart)
        else:
            await self._hold(cart)
        return cart.id

    def _cart(self, order: Order, asked: Return, credit: int) -> Cart:
        return Cart(
            id=new_id(),
            token_hash=order.token_hash,
            status=CartStatus.OPEN,
            version=1,
            currency=order.currency,
            email=order.email,
            shipping_address=order.shipping_address,
            shipping_method=order.shipping.method,
            shipping=ordering.Shipping(
                order.shipping.method, Money(0, order.currency), SOURCE
            ),
            lines=_lines(asked.exchange),
            created_at=self.at,
            updated_at=self.at,
            account_id=order.account_id,
            kind=CartKind.DRAFT,
            prepared_by=self.actor,
            credit_amount=credit,
            return_id=asked.id,
        )

    async def _order(self, cart: Cart) -> None:
        """Order what is paid already: nobody is asked for money."""
        taken = await ordering.take_cart(self.tx, self.vault, cart.id, at=self.at)
        assert taken is not None  # noqa: S101 - nobody else knows of it yet
        order = ordering.draft(
            taken, order_id=new_id(), at=self.at, placed_by=self.actor
        )
        await inventory.reserve(self.tx, order.id, _wanted(cart), at=self.at)
        await ordering.add(self.tx, self.vault, order)
        await ordering.mark_confirmed(
            *(self.tx, order.id, f"return {cart.return_id}"),
            actor=self.actor,
            at=self.at,
        )
        event = outbox.event(CONFIRMED, order_id=str(order.id))
        await outbox.publish(self.tx, [event], at=self.at)

    async def _hold(self, cart: Cart) -> None:
        await inventory.reserve(
            *(self.tx, inventory.hold_id(cart.id, SHOP), _wanted(cart)),
            at=self.at,
            expires_at=self.at + HELD_FOR,
        )


async def credit_used(
    connection: Connection, vault: Vault, asked: Return
) -> int | None:
    """What other goods that were ordered before were given; None if none were.

    Of an order that was canceled since, or a draft that was withdrawn, nothing.
    """
    if asked.replacement_id is None:
        return None
    if asked.replacement_order_id is not None:
        order = await ordering.find(connection, vault, asked.replacement_order_id)
        return ordering.credit_in_use(order)
    cart = await ordering.find_cart(connection, vault, asked.replacement_id)
    return 0 if cart.status is CartStatus.DISCARDED else cart.credit_amount


def cost_of(asked: Return) -> int:
    """What the other goods of a return cost, in minor units."""
    return sum(line.total.amount for line in asked.exchange)


def _lines(wanted: Sequence[ExchangeLine]) -> list[Line]:
    # Sorted: made in one millisecond, they would come back in any order.
    ids = sorted(new_id() for _ in wanted)
    return [
        Line(line_id, n.variant_id, n.sku, n.title, n.quantity, n.unit_price)
        for line_id, n in zip(ids, wanted, strict=True)
    ]


def _wanted(cart: Cart) -> list[Wanted]:
    return [Wanted(n.variant_id, n.sku, n.quantity) for n in cart.lines]
