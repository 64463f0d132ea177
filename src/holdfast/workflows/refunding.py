"""Refunds that somebody asks for by a keyed request.

The key is claimed in the transaction that promises the money. The provider is asked
after it; what it says, or that it has not said anything yet, is kept as the answer.
A process that dies in between leaves a pending refund, which the worker carries out,
and a key that the next request with it takes over.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from holdfast.domain import ordering
from holdfast.domain.payments import Provider, Refund
from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.platform import idempotency
from holdfast.platform.db import Database
from holdfast.platform.idempotency import Answer, Claim, Resumed
from holdfast.platform.vault import Vault
from holdfast.workflows import refunds

Share: TypeAlias = Money | Mapping[int, int]
"""What is given back: an amount, or what units of lines cost, by position."""


@dataclass(frozen=True, slots=True)
class Refunding:
    """What an operator asks for, and what it takes to do it."""

    db: Database
    vault: Vault
    provider: Provider
    clock: Clock
    render: Callable[[Refund], Answer]

    async def refund(
        self, order_id: UUID, share: Share, *, reason: str, actor: str, claim: Claim
    ) -> tuple[Answer, bool]:
        """Give a buyer money back; returns the answer and whether it is a replay.

        Raises ``OrderNotFound``, ``LinesNotOpen`` or ``RefundExceedsCaptured``; then
        nothing has happened, and the key may be used again.
        """
        while True:
            promised = await self._promise(order_id, share, reason, actor, claim)
            if promised is not None:
                return await self._carry_out(promised, claim), False
            progress = await idempotency.wait(
                self.db, self.vault, claim, clock=self.clock
            )
            if isinstance(progress, Answer):
                return progress, True
            if isinstance(progress, Resumed):
                return await self._carry_out(progress.subject, claim), False

    async def _promise(
        self, order_id: UUID, share: Share, reason: str, actor: str, claim: Claim
    ) -> UUID | None:
        """Write the refund down; None if somebody else holds the key."""
        refund_id = new_id()
        async with self.db.transaction() as tx:
            at = self.clock()
            if not await idempotency.claim(tx, claim, subject=refund_id, at=at):
                return None
            order = await ordering.lock(tx, self.vault, order_id)
            amount = share
            if not isinstance(amount, Money):
                amount = ordering.price_of(order, amount)
            return await refunds.request(
                tx,
                order,
                amount,
                reason=reason,
                actor=actor,
                clock=self.clock,
                refund_id=refund_id,
            )

    async def _carry_out(self, refund_id: UUID, claim: Claim) -> Answer:
        refund = await refunds.carry_out(
            refund_id, db=self.db, provider=self.provider, clock=self.clock
        )
        answer = self.render(refund)
        async with self.db.transaction() as tx:
            await idempotency.answer(tx, self.vault, claim, answer, at=self.clock())
        return answer
