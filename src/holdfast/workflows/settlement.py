"""How a pending order ends: confirmed or failed, once, by whoever learns it first.

The answer of the provider, a retry of the client and the timer may all arrive at
the same time. Each writes "settle if still pending"; one wins, the others read
what it wrote.
"""

from datetime import timedelta
from uuid import UUID

import structlog

from holdfast.domain import inventory, ordering, payments
from holdfast.domain.ordering import Order, OrderStatus
from holdfast.domain.payments import Captured, Outcome, Provider
from holdfast.kernel.clock import Clock
from holdfast.platform import outbox
from holdfast.platform.db import Database, Transaction
from holdfast.platform.vault import Vault

_log = structlog.get_logger(__name__)

_MARGIN_SECONDS = 3.0

ACTOR = "checkout"


async def settle(
    tx: Transaction, vault: Vault, order: Order, outcome: Outcome, *, clock: Clock
) -> Order:
    """Write the outcome and publish the event, in one commit.

    What is reserved for a paid order stays so until it is shipped; what is reserved
    for one that failed is free.

    Returns the order as it now is. If somebody settled it before, that stands.
    """
    now = clock()
    if isinstance(outcome, Captured):
        if await ordering.mark_confirmed(
            tx, order.id, outcome.reference, actor=ACTOR, at=now
        ):
            event = outbox.event("ordering.order.confirmed", order_id=str(order.id))
            await outbox.publish(tx, [event], at=now)
            return order.confirmed(outcome.reference, now)
    elif await ordering.mark_failed(tx, order.id, outcome.reason, actor=ACTOR, at=now):
        await inventory.release(tx, order.id, at=now)
        failed = outbox.event(
            "ordering.order.failed",
            order_id=str(order.id),
            reason=outcome.reason,
        )
        await outbox.publish(tx, [failed], at=now)
        return order.failed(outcome.reason, now)
    return await ordering.find(tx, vault, order.id)


async def settle_by_asking(
    order_id: UUID, *, db: Database, vault: Vault, provider: Provider, clock: Clock
) -> Order:
    """Ask the provider what became of a pending order's payment, and settle it.

    A payment that never reached the provider is cancelled there first, so that
    it cannot arrive later. Raises ``PaymentOutcomeUnknown`` while the provider
    does not answer; the order then stays pending.
    """
    order = await ordering.find(db, vault, order_id)
    if order.status is not OrderStatus.PENDING:
        return order
    outcome = await provider.settle(key=str(order.id), amount=order.total)
    async with db.transaction() as tx:
        return await settle(tx, vault, order, outcome, clock=clock)


def overdue_after(payment_timeout_seconds: float) -> timedelta:
    """When the timer takes a pending order up: 15 s after it was placed, at 8 s.

    The request that made it has given up by then: after its payment budget, a
    look-up and a few commits. The two seldom meet, and need not care.
    """
    return timedelta(seconds=1.5 * payment_timeout_seconds + _MARGIN_SECONDS)


def lease_of_checkout(payment_timeout_seconds: float) -> timedelta:
    """How long a checkout holds its key: 30 s, at a payment timeout of 8 s.

    Twice the time after which the timer takes its order up, so that a request
    which repeats it never cancels a payment that is still under way.
    """
    return 2 * overdue_after(payment_timeout_seconds)


async def settle_overdue(
    db: Database,
    vault: Vault,
    provider: Provider,
    *,
    clock: Clock,
    after: timedelta,
    limit: int = 100,
) -> int:
    """Settle pending orders placed longer ago than *after*; returns how many.

    Several workers may do this at once. Reads *limit* orders at a time and goes
    through all of them: those that cannot be settled do not keep others waiting.
    """
    settled = 0
    last: ordering.Overdue | None = None
    while True:
        due = await ordering.overdue(
            db, placed_before=clock() - after, beyond=last, limit=limit
        )
        for order in due:
            try:
                await settle_by_asking(
                    order.id, db=db, vault=vault, provider=provider, clock=clock
                )
            except payments.PaymentOutcomeUnknown:
                _log.warning("order.still_pending", order_id=str(order.id))
            except Exception:  # noqa: BLE001 - the next order is not to blame
                _log.exception("order.not_settled", order_id=str(order.id))
            else:
                settled += 1
        if len(due) < limit:
            return settled
        last = due[-1]
