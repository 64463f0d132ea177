"""Turn a cart into a confirmed order, or into nothing at all.

1. One transaction: claim the key, close the cart, reserve every line or none,
   write the order as pending.
2. No transaction is open while the provider is asked: it may take seconds, and a
   connection held that long is one the other buyers cannot have.
3. One transaction: settle the order by the outcome, move the stock, publish the
   event, keep the answer.

A shipping price that is too old to be charged is asked for again before step 1 leaves
anything behind (``cart_pricing``); the usual checkout has one that is not, and asks
nobody.

A process that dies between 1 and 3 leaves a pending order: the next request with
the key, or the worker's timer, asks the provider by the order's id and ends it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeAlias
from uuid import UUID

from holdfast.domain import ordering, payments, shipping
from holdfast.domain.identity import Caller
from holdfast.domain.ordering import Order, OrderStatus
from holdfast.domain.payments import (
    ActionRequired,
    Authorized,
    Captured,
    Declined,
    Outcome,
    Provider,
)
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import DomainError
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.platform import idempotency
from holdfast.platform.db import (
    Database,
    DatabaseBusy,
    DatabaseUnavailable,
    Transaction,
)
from holdfast.platform.idempotency import Answer, Claim, Resumed
from holdfast.platform.vault import Vault
from holdfast.workflows.cart_pricing import with_recent_quote
from holdfast.workflows.doors import Entrance
from holdfast.workflows.placing import place
from holdfast.workflows.rush import Rush
from holdfast.workflows.settlement import confirm, settle, settle_by_asking


@dataclass(frozen=True, slots=True)
class AwaitsBuyer:
    """A pending order whose buyer has to do something at an address (3-D Secure)."""

    order: Order
    url: str


Render: TypeAlias = Callable[[Order | AwaitsBuyer | DomainError], Answer]
"""Writes what the client is told, so that it can be kept in the same commit."""

# The money has moved when step 3 fails, so it is worth a few more tries: a restart
# of the database takes about a second. What is left the timer ends.
_PAUSES_SECONDS = (0.1, 0.5, 1.5)

_REASONS: dict[type[Exception], str] = {
    payments.PaymentUnavailable: "provider_unavailable",
    payments.UnknownPaymentMethod: "unknown_payment_method",
}


@dataclass(frozen=True, slots=True)
class Checkout:
    """What a buyer asks for, and what it takes to do it."""

    db: Database
    vault: Vault
    payments: Provider
    clock: Clock
    render: Render
    rush: Rush | None = None
    entrance: Entrance | None = None
    """With which tickets they come; None where nothing is sold in drops."""
    keeps: timedelta | None = None
    """How long a cart keeps its stock when nobody can be paid; None: not at all."""
    carrier: shipping.Carrier | None = None
    """Who is asked when a shipping price is old; None: it is charged as it is."""

    async def place_order(
        self,
        cart_id: UUID,
        *,
        payment_method: str,
        expected_total: Money | None,
        caller: Caller,
        claim: Claim,
        return_url: str | None = None,
    ) -> tuple[Answer, bool]:
        """Order and pay a cart; returns the answer and whether it is a replay.

        Raises what stands in the way of an order (``OutOfStock``, ``CartEmpty``,
        ``TotalChanged``...), ``PaymentUnavailable`` or ``UnknownPaymentMethod``:
        then nothing has happened, the stock is free (or held for the cart, when
        nobody could be paid), the cart is open and the key may be used again. A
        declined payment and one whose outcome is not known are answers, and are kept.
        """
        while True:
            order = await self._begin(cart_id, expected_total, caller, claim)
            if order is not None:
                paid = await self._pay(order, payment_method, return_url, claim)
                return paid, False
            progress = await idempotency.wait(
                self.db, self.vault, claim, clock=self.clock
            )
            if isinstance(progress, Answer):
                return progress, True
            if isinstance(progress, Resumed):
                return await self._resume(progress.subject, claim), False

    async def _begin(
        self, cart_id: UUID, expected: Money | None, caller: Caller, claim: Claim
    ) -> Order | None:
        """Step 1; what everybody wants is held before its transaction."""
        if self.rush is None:
            return await self._reserve(cart_id, expected, caller, claim)
        held, order = await self.rush.hold(cart_id, caller, claim, self.entrance), None
        try:
            order = await self._reserve(cart_id, expected, caller, claim)
        finally:
            await self.rush.end(held, order)
        return order

    async def _reserve(
        self, cart_id: UUID, expected: Money | None, caller: Caller, claim: Claim
    ) -> Order | None:
        """Step 1; None if somebody else holds the key."""
        place = partial(self._place, cart_id, expected, caller, claim)
        if self.carrier is None:
            return await place(recent=False)
        return await with_recent_quote(
            self.carrier, place, db=self.db, clock=self.clock
        )

    async def _place(
        self,
        cart_id: UUID,
        expected: Money | None,
        caller: Caller,
        claim: Claim,
        *,
        recent: bool,
    ) -> Order | None:
        """The transaction of step 1."""
        now, order_id = self.clock(), new_id()

        async def reserve(tx: Transaction) -> Order | None:
            if not await idempotency.claim(tx, claim, subject=order_id, at=now):
                return None
            order = await place(
                tx,
                self.vault,
                cart_id,
                caller,
                order_id=order_id,
                expected=expected,
                at=now,
                recent=recent,
                waited=None if self.rush is None else self.rush.holding.waited,
            )
            if self.entrance is not None:
                await self.entrance.admit(tx, order)
            return order

        return await self.db.attempt(reserve)

    async def _pay(
        self, order: Order, payment_method: str, return_url: str | None, claim: Claim
    ) -> Answer:
        """Steps 2 and 3."""
        try:
            outcome: Outcome | None = await self.payments.charge(
                key=str(order.id),
                amount=order.total,
                method=payment_method,
                reference=order.label,
                return_url=return_url,
            )
        except payments.PaymentOutcomeUnknown:
            outcome = None
        except (payments.PaymentUnavailable, payments.UnknownPaymentMethod) as error:
            await self._undo(order, Declined(_REASONS[type(error)]), claim)
            raise
        return await self._settle(order, outcome, claim)

    async def _settle(
        self, order: Order, outcome: Outcome | None, claim: Claim
    ) -> Answer:
        """Step 3; without an outcome the order stays pending, and that is told."""
        for pause in (*_PAUSES_SECONDS, None):
            try:
                answer = await self._confirm(order, outcome, claim)
                if answer is None:
                    answer = await self._settle_otherwise(order, outcome, claim)
            except (DatabaseBusy, DatabaseUnavailable):
                if pause is None:
                    raise
                await asyncio.sleep(pause)
            else:
                return answer
        raise AssertionError("unreachable")

    async def _confirm(
        self, order: Order, outcome: Outcome | None, claim: Claim
    ) -> Answer | None:
        """The way of nearly every order; None if that is not how this one goes."""
        if not isinstance(outcome, Captured | Authorized):
            return None
        async with self.db.statement() as tx:
            return await confirm(
                tx,
                self.vault,
                order,
                outcome,
                claim=claim,
                answer=self.render,
                at=self.clock(),
            )

    async def _settle_otherwise(
        self, order: Order, outcome: Outcome | None, claim: Claim
    ) -> Answer:
        async def end(tx: Transaction) -> Answer:
            ended = order
            if outcome is not None:
                ended = await settle(tx, self.vault, order, outcome, clock=self.clock)
            answer = self._answer(ended, await self._action(tx, ended, outcome))
            await idempotency.answer(tx, self.vault, claim, answer, at=self.clock())
            return answer

        return await self.db.attempt(end)

    async def _undo(self, order: Order, outcome: Declined, claim: Claim) -> None:
        """Nothing was charged: free the cart and the key, and the stock.

        Where nobody could be paid, the cart keeps it for a while: its buyer has done
        nothing wrong and will come back.
        """
        outage = outcome.reason == _REASONS[payments.PaymentUnavailable]

        async def undo(tx: Transaction) -> None:
            await settle(
                *(tx, self.vault, order, outcome),
                keeps=self.keeps if outage else None,
                clock=self.clock,
            )
            await idempotency.release(tx, claim)

        await self.db.attempt(undo)

    async def _resume(self, order_id: UUID, claim: Claim) -> Answer:
        """Finish what a request began that died."""
        try:
            order = await settle_by_asking(
                order_id,
                db=self.db,
                vault=self.vault,
                provider=self.payments,
                clock=self.clock,
            )
        except payments.PaymentOutcomeUnknown:
            order = await ordering.find(self.db, self.vault, order_id)
        return await self._settle(order, None, claim)

    async def _action(
        self, tx: Transaction, order: Order, outcome: Outcome | None
    ) -> str | None:
        """Where the buyer of a pending order has to go, if that is known."""
        if order.status is not OrderStatus.PENDING:
            return None
        if isinstance(outcome, ActionRequired):
            return outcome.url
        action = await payments.find_action(tx, order.id)
        return None if action is None else action.url

    def _answer(self, order: Order, action: str | None) -> Answer:
        if action is not None:
            return self.render(AwaitsBuyer(order, action))
        if order.status is OrderStatus.FAILED:
            reason = order.failure_reason or "declined"
            return self.render(payments.PaymentDeclined(order.id, reason))
        return self.render(order)
