"""Goods come back: asked for, approved, received, paid back.

Each step is one transaction that holds the order, so that of two at once the second
sees the first: a unit comes back once and is paid back once. Receiving is the step with
effects: the stock is back, or written off; the line is returned; other goods are
ordered; the refund is written down. The provider is asked after the commit, by the
worker if whoever received the goods does not get there. The return is complete when the
money went: the refund's own event says so, whoever carried it out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from holdfast.domain import inventory, ordering
from holdfast.domain.identity import Caller
from holdfast.domain.ordering import (
    Amounts,
    Arrival,
    ExchangeLine,
    Order,
    PaymentStatus,
    Return,
    ReturnKind,
    ReturnStatus,
)
from holdfast.domain.payments import Provider
from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.platform import outbox
from holdfast.platform.db import Connection, Database, Transaction
from holdfast.platform.idempotency import Answer, Claim
from holdfast.platform.vault import Vault
from holdfast.workflows import capture, refunds
from holdfast.workflows.actors import actor_of
from holdfast.workflows.cancellation import carry_out
from holdfast.workflows.cart_lines import LineWanted, price
from holdfast.workflows.carts import owns
from holdfast.workflows.exchanges import Replacing, cost_of, credit_used
from holdfast.workflows.once import Work, once

WRITE, READ, OWN = "orders:write", "orders:read", "orders:own"

REQUESTED = "ordering.return.requested"
APPROVED = "ordering.return.approved"
REJECTED = "ordering.return.rejected"
RECEIVED = "ordering.return.received"
COMPLETED = "ordering.return.completed"
CANCELED = "ordering.return.canceled"

REASON = "returned"

Render: TypeAlias = Callable[[Return], Answer]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to come back, why, and what for."""

    units: Mapping[int, int]
    """By the position of a line."""
    reason: str
    text: str | None = None
    kind: ReturnKind = ReturnKind.RETURN
    others: Sequence[LineWanted] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came back, and what is settled with it; amounts in minor units."""

    arrived: Mapping[int, Arrival] | None = None
    """By the position of a line; None for all that was announced, onto the shelf."""
    location: str | UUID = inventory.MAIN
    refund_shipping: int = 0
    restocking_fee: int = 0
    replace: bool = True
    """Whether the buyer of an exchange gets the other goods, or money after all."""


@dataclass(frozen=True, slots=True)
class Returns:
    """Whoever has to do with returns, and what it takes."""

    db: Database
    vault: Vault
    payments: Provider
    clock: Clock
    caller: Caller
    render: Render

    async def request(
        self, order_id: UUID, wish: Wish, *, claim: Claim
    ) -> tuple[Answer, bool]:
        """Ask for units to come back; says whether it is a replay.

        Raises ``OrderNotFound``, ``LinesNotOpen`` for what was not shipped or comes
        back already, ``BuyerErased``, and what is wrong with goods wanted instead.
        """
        order = await ordering.find(self.db, self.vault, order_id)
        _check_whose(self.caller, order, ordering.OrderNotFound())
        return_id = new_id()

        async def work(tx: Transaction) -> Answer:
            return await self._request(tx, return_id, order_id, wish)

        return await self._once(claim, return_id, work)

    async def approve(
        self, return_id: UUID, *, answer: str | None, replace_now: bool, claim: Claim
    ) -> tuple[Answer, bool]:
        """Let goods come back; the answer tells the buyer how.

        Other goods are ordered now if the shop does not want to wait. Raises
        ``ReturnNotFound``, ``ReturnNotOpen`` or ``OutOfStock``.
        """

        async def work(tx: Transaction) -> Answer:
            asked, order = await self._locked(tx, return_id)
            await ordering.decide_return(
                *(tx, self.vault, asked, ReturnStatus.APPROVED),
                answer=answer,
                at=self.clock(),
            )
            if replace_now and asked.kind is ReturnKind.EXCHANGE:
                worth = ordering.paid_for(order, asked.requested)
                there = ordering.available(await self._chain(tx, order))
                credit = min(worth, there, cost_of(asked))
                await self._replacing(tx).replace(order, asked, credit)
            return await self._told(tx, asked, APPROVED)

        return await self._once(claim, return_id, work)

    async def reject(
        self, return_id: UUID, *, answer: str | None, claim: Claim
    ) -> tuple[Answer, bool]:
        """Say no; ``ReturnNotFound`` or ``ReturnNotOpen``."""

        async def work(tx: Transaction) -> Answer:
            asked, _ = await self._locked(tx, return_id)
            await ordering.decide_return(
                *(tx, self.vault, asked, ReturnStatus.REJECTED),
                answer=answer,
                at=self.clock(),
            )
            return await self._told(tx, asked, REJECTED)

        return await self._once(claim, return_id, work)

    async def cancel(self, return_id: UUID, *, claim: Claim) -> tuple[Answer, bool]:
        """Call a return off before anything arrived; its buyer may, too.

        Raises ``ReturnNotFound``, ``ReturnNotOpen`` or ``ExchangeUnderWay``.
        """
        asked = await ordering.find_return(self.db, self.vault, return_id)
        order = await ordering.find(self.db, self.vault, asked.order_id)
        _check_whose(self.caller, order, ordering.ReturnNotFound())

        async def work(tx: Transaction) -> Answer:
            asked, _ = await self._locked(tx, return_id)
            await ordering.cancel_return(tx, asked, at=self.clock())
            return await self._told(tx, asked, CANCELED)

        return await self._once(claim, return_id, work)

    async def receive(
        self, return_id: UUID, receipt: Receipt, *, claim: Claim
    ) -> tuple[Answer, bool]:
        """Take goods back, and give back what they are worth.

        Raises ``ReturnNotFound``, ``ReturnNotOpen``, ``LinesNotOpen``,
        ``LocationNotFound``, ``ReturnAmountTooLarge``, ``OutOfStock`` of other goods,
        or ``CaptureUnderWay`` while the order's money is not there yet.
        """

        async def work(tx: Transaction) -> Answer:
            return await self._receive(tx, return_id, receipt)

        answer, replayed = await self._once(claim, return_id, work)
        if not replayed:
            due = await ordering.refunds_of_return(self.db, return_id)
            await carry_out(due, self.db, self.payments, self.clock)
            if due:
                async with self.db.transaction() as tx:
                    await complete(
                        tx, return_id, actor=refunds.PROVIDER, clock=self.clock
                    )
        return answer, replayed

    async def _once(
        self,
        claim: Claim,
        subject: UUID,
        work: Work,
    ) -> tuple[Answer, bool]:
        return await once(
            *(claim, work),
            subject=subject,
            db=self.db,
            vault=self.vault,
            clock=self.clock,
        )

    async def _request(
        self, tx: Transaction, return_id: UUID, order_id: UUID, wish: Wish
    ) -> Answer:
        order = await ordering.lock(tx, self.vault, order_id)
        others = await price(
            *(tx, wish.others, order.currency),
            account_id=order.account_id,
            at=self.clock(),
        )
        if others and order.email is None:
            raise ordering.BuyerErased
        asked = Return(
            id=return_id,
            order_id=order_id,
            kind=wish.kind,
            status=ReturnStatus.REQUESTED,
            reason=wish.reason,
            actor=actor_of(self.caller),
            requested_at=self.clock(),
            lines=[ordering.ReturnLine(p, n) for p, n in sorted(wish.units.items())],
            exchange=[
                ExchangeLine(n.variant_id, n.sku, n.title, n.quantity, n.unit_price)
                for n in others
            ],
            text=wish.text,
        )
        await ordering.add_return(tx, self.vault, asked)
        return await self._told(tx, asked, REQUESTED)

    async def _receive(
        self, tx: Transaction, return_id: UUID, receipt: Receipt
    ) -> Answer:
        now, actor = self.clock(), actor_of(self.caller)
        asked, order = await self._locked(tx, return_id)
        if order.payment_status is PaymentStatus.AUTHORIZED:
            await capture.check_lost(tx, order.id)
        arrived = receipt.arrived
        if arrived is None:
            arrived = {p: Arrival(n, n) for p, n in asked.requested.items()}
        ordering.check_arrivals(asked, arrived)
        location = await inventory.find_location(tx, receipt.location)
        units = {position: line.received for position, line in arrived.items()}
        chain = await self._chain(tx, order)
        used = await credit_used(tx, self.vault, asked)
        amounts = ordering.settled(
            *(order, units),
            shipping=receipt.refund_shipping,
            shipping_left=await ordering.shipping_left(tx, order),
            fee=receipt.restocking_fee,
            there=ordering.available(chain),
            others=cost_of(asked) if receipt.replace else 0,
            used=used,
        )
        await ordering.receive_return(
            tx, asked, arrived, amounts, location_id=location.id, at=now
        )
        about = {"return_id": str(return_id)}
        await ordering.mark_returned(
            tx, order.id, units, actor=actor, at=now, detail=about
        )
        await self._shelve(tx, order, asked, arrived, location.id)
        if asked.exchange and receipt.replace and used is None:
            await self._replacing(tx).replace(order, asked, amounts.credit)
        await self._pay_back(tx, asked, chain, amounts)
        answer = await self._told(tx, asked, RECEIVED)
        if await complete(tx, return_id, actor=actor, clock=self.clock):
            found = await ordering.find_return(tx, self.vault, return_id)
            return self.render(found)
        return answer

    async def _shelve(
        self,
        tx: Transaction,
        order: Order,
        asked: Return,
        arrived: Mapping[int, Arrival],
        location_id: UUID,
    ) -> None:
        """The stock is back; what cannot be sold again is written off at once."""
        variant_of = {line.position: line.variant_id for line in order.lines}
        for restock in (True, False):
            units: dict[UUID, int] = {}
            for position, line in arrived.items():
                count = line.restocked if restock else line.received - line.restocked
                if count:
                    variant_id = variant_of[position]
                    units[variant_id] = units.get(variant_id, 0) + count
            if units:
                await inventory.take_back(
                    *(tx, units),
                    location_id=location_id,
                    order_id=order.id,
                    restock=restock,
                    actor=actor_of(self.caller),
                    reason=asked.reason,
                    reference=str(asked.id),
                    at=self.clock(),
                )

    async def _pay_back(
        self, tx: Transaction, asked: Return, chain: Sequence[Order], amounts: Amounts
    ) -> None:
        """Promise the money: of the order, then of the one whose goods paid for it."""
        left = amounts.refund
        for order in chain:
            share = min(left, ordering.refundable(order).amount)
            if share:
                refund_id = await refunds.request(
                    *(tx, order, Money(share, order.currency)),
                    reason=REASON,
                    actor=actor_of(self.caller),
                    clock=self.clock,
                )
                await ordering.wait_for_refund(tx, asked.id, refund_id)
            left -= share

    async def _chain(self, tx: Transaction, order: Order) -> list[Order]:
        """The order, and those whose returned goods paid for the one before."""
        chain = [order]
        while chain[-1].return_id is not None:
            origin = await ordering.order_of_return(tx, chain[-1].return_id)
            if origin is None:
                break
            chain.append(await ordering.lock(tx, self.vault, origin))
        return chain

    def _replacing(self, tx: Transaction) -> Replacing:
        return Replacing(tx, self.vault, actor_of(self.caller), self.clock())

    async def _locked(self, tx: Transaction, return_id: UUID) -> tuple[Return, Order]:
        """A return and its order, held; read again, as others were waited for."""
        asked = await ordering.find_return(tx, self.vault, return_id)
        order = await ordering.lock(tx, self.vault, asked.order_id)
        return await ordering.find_return(tx, self.vault, return_id), order

    async def _told(self, tx: Transaction, asked: Return, kind: str) -> Answer:
        """Record and publish what was done; returns what the client is told."""
        await _tell(
            *(tx, asked.id, asked.order_id, kind),
            actor=actor_of(self.caller),
            clock=self.clock,
        )
        return self.render(await ordering.find_return(tx, self.vault, asked.id))


async def complete(
    tx: Transaction, return_id: UUID, *, actor: str, clock: Clock
) -> bool:
    """End a return whose money went; False if it is not, or has ended before."""
    order_id = await ordering.complete_return(tx, return_id, at=clock())
    if order_id is None:
        return False
    await _tell(tx, return_id, order_id, COMPLETED, actor=actor, clock=clock)
    return True


async def complete_after_refund(refund_id: UUID, *, db: Database, clock: Clock) -> None:
    """End the return that waited for a refund, if one did and this was the last."""
    async with db.transaction() as tx:
        return_id = await ordering.return_of_refund(tx, refund_id)
        if return_id is not None:
            await complete(tx, return_id, actor=refunds.PROVIDER, clock=clock)


async def find(
    connection: Connection, vault: Vault, return_id: UUID, caller: Caller
) -> Return:
    """A return, for the buyer of its order and for operators; ``ReturnNotFound``."""
    found = await ordering.find_return(connection, vault, return_id)
    order = await ordering.find(connection, vault, found.order_id)
    _check_whose(caller, order, ordering.ReturnNotFound(), scope=READ)
    return found


def _check_whose(
    caller: Caller, order: Order, refusal: Exception, *, scope: str = WRITE
) -> None:
    if not owns(caller, order.token_hash, order.account_id, scope=scope, own=OWN):
        raise refusal


async def _tell(
    tx: Transaction,
    return_id: UUID,
    order_id: UUID,
    kind: str,
    *,
    actor: str,
    clock: Clock,
) -> None:
    about = {"return_id": str(return_id)}
    word = kind.removeprefix("ordering.").replace(".", "_")
    await ordering.record(tx, order_id, word, actor=actor, at=clock(), detail=about)
    event = outbox.event(kind, order_id=str(order_id), **about)
    await outbox.publish(tx, [event], at=clock())
