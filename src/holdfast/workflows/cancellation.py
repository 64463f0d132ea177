"""An order is canceled, whole or in part: the units are free, the money goes back.

One transaction: the order is held, so that a shipment, an edit or a second
cancellation at the same moment comes before or after and sees the other; its lines
are canceled, their stock released, the refund written down and announced. The
provider is asked after the commit.

A pending order is not canceled blindly, as its money may be on the way: the provider
is asked first what became of it, and told to take nothing any more.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

import structlog

from holdfast.domain import identity, inventory, ordering
from holdfast.domain.identity import Caller
from holdfast.domain.ordering import Order, OrderStatus, PaymentStatus
from holdfast.domain.payments import Provider
from holdfast.kernel.clock import Clock
from holdfast.platform import outbox
from holdfast.platform.db import Database, Transaction
from holdfast.platform.idempotency import Answer, Claim
from holdfast.platform.vault import Vault
from holdfast.workflows import capture, refunds
from holdfast.workflows.actors import actor_of
from holdfast.workflows.carts import owns
from holdfast.workflows.giving_back import give_back
from holdfast.workflows.once import once
from holdfast.workflows.settlement import settle_by_asking

_log = structlog.get_logger(__name__)

SCOPE, OWN = "orders:write", "orders:own"
NOW = timedelta(0)

Render: TypeAlias = Callable[[Order], Answer]


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Whoever wants an order canceled, and what it takes."""

    db: Database
    vault: Vault
    payments: Provider
    clock: Clock
    caller: Caller
    render: Render

    async def cancel(
        self,
        order_id: UUID,
        units: Mapping[int, int] | None,
        *,
        reason: str,
        claim: Claim,
    ) -> tuple[Answer, bool]:
        """Cancel units by position, or all that is open; says whether it is a replay.

        A buyer may as long as nothing of the order was shipped. Raises
        ``OrderNotFound``, ``OrderNotOpen``, ``LinesNotOpen``, ``OrderShipped``, or
        ``PaymentOutcomeUnknown`` while nobody knows whether the order is paid.
        """
        order = await ordering.find(self.db, self.vault, order_id)
        self._check_whose(order)
        if order.status is OrderStatus.PENDING:
            order = await settle_by_asking(
                order_id,
                db=self.db,
                vault=self.vault,
                provider=self.payments,
                clock=self.clock,
                patience=NOW,
            )

        promised: list[UUID] = []

        async def work(tx: Transaction) -> Answer:
            promised.clear()
            return self.render(
                await self._cancel(tx, order_id, units, reason, promised)
            )

        answer, replayed = await once(
            claim,
            work,
            subject=order_id,
            db=self.db,
            vault=self.vault,
            clock=self.clock,
        )
        if not replayed:
            await carry_out(promised, self.db, self.payments, self.clock)
            if order.payment_status is PaymentStatus.AUTHORIZED:
                await self._release_money(order_id)
        return answer, replayed

    async def _release_money(self, order_id: UUID) -> None:
        """Void what was only set aside, at once; the worker does what cannot be now."""
        try:
            await capture.close(
                order_id, db=self.db, provider=self.payments, clock=self.clock
            )
        except Exception:  # noqa: BLE001 - it is written down, and not lost
            _log.exception("void.left_to_worker", order_id=str(order_id))

    def _check_whose(self, order: Order) -> None:
        if not owns(
            *(self.caller, order.token_hash, order.account_id), scope=SCOPE, own=OWN
        ):
            raise ordering.OrderNotFound

    async def _cancel(
        self,
        tx: Transaction,
        order_id: UUID,
        units: Mapping[int, int] | None,
        reason: str,
        promised: list[UUID],
    ) -> Order:
        before = await ordering.lock(tx, self.vault, order_id)
        if before.status is OrderStatus.FAILED:
            # Nothing was taken and nothing is held: what was wanted is so already.
            return before
        if not identity.may(self.caller, SCOPE) and _is_shipped(before):
            raise ordering.OrderShipped
        now, actor = self.clock(), actor_of(self.caller)
        standing = await ordering.cancel_lines(
            tx,
            order_id,
            _open(before) if units is None else units,
            reason=reason,
            actor=actor,
            at=now,
        )
        after = await ordering.find(tx, self.vault, order_id)
        await inventory.release_part(tx, order_id, _freed(before, after), at=now)
        promised += await give_back(
            *(tx, self.vault, before, after),
            reason="canceled",
            actor=actor,
            clock=self.clock,
        )
        if standing.status is not OrderStatus.CANCELED:
            edited = outbox.event(ordering.EDITED, order_id=str(order_id))
            await outbox.publish(tx, [edited], at=now)
        return await ordering.find(tx, self.vault, order_id)


async def carry_out(
    refund_ids: list[UUID], db: Database, provider: Provider, clock: Clock
) -> None:
    """Ask the provider for refunds at once; the worker does what cannot be done now."""
    for refund_id in refund_ids:
        try:
            await refunds.carry_out(refund_id, db=db, provider=provider, clock=clock)
        except Exception:  # noqa: BLE001 - it is written down, and not lost
            _log.exception("refund.left_to_worker", refund_id=str(refund_id))


def _is_shipped(order: Order) -> bool:
    return any(line.fulfilled for line in order.lines)


def _open(order: Order) -> dict[int, int]:
    return {line.position: n for line in order.lines if (n := line.unfulfilled)}


def _freed(before: Order, after: Order) -> dict[UUID, int]:
    """Units that were canceled between the two, by variant."""
    freed: dict[UUID, int] = {}
    for old, new in zip(before.lines, after.lines, strict=True):
        if more := new.canceled - old.canceled:
            freed[new.variant_id] = freed.get(new.variant_id, 0) + more
    return freed
