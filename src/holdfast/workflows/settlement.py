"""How a pending order ends: confirmed or failed, once, by whoever learns it first.

The answer of the provider, a retry of the client and the timer may all arrive at
the same time. Each writes "settle if still pending"; one wins, the others read
what it wrote.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from holdfast.domain import inventory, ordering, payments
from holdfast.domain.inventory import Wanted
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
from holdfast.platform import idempotency, outbox
from holdfast.platform.db import Database, Transaction
from holdfast.platform.idempotency import Answer, Claim
from holdfast.platform.vault import Vault

_log = structlog.get_logger(__name__)

_MARGIN_SECONDS = 3.0

ACTOR = "checkout"
CONFIRMED = "ordering.order.confirmed"

PATIENCE = timedelta(minutes=15)
"""How long a buyer may take to do their part (3-D Secure), if nobody says."""


async def settle(
    tx: Transaction,
    vault: Vault,
    order: Order,
    outcome: Outcome,
    *,
    clock: Clock,
    actor: str = ACTOR,
    keeps: timedelta | None = None,
) -> Order:
    """Write the outcome and publish the event, in one commit.

    What is reserved for a paid order stays so until it is shipped; what is reserved
    for one that failed is free. A payment that was authorised is as good as one that
    was captured. One that waits for its buyer settles nothing yet.

    What failed for no fault of its buyer *keeps* its stock for so long, as a hold of
    the cart. Returns the order as it now is; if somebody settled it before, that
    stands.
    """
    now = clock()
    if isinstance(outcome, ActionRequired):
        await payments.note_action(tx, order.id, outcome, at=now)
        return await ordering.find(tx, vault, order.id)
    if isinstance(outcome, Declined):
        if await ordering.mark_failed(
            tx, order.id, outcome.reason, actor=actor, at=now
        ):
            if keeps is not None:
                await _hold_for_cart(tx, order, until=now + keeps, at=now)
            await inventory.release(tx, order.id, at=now)
            failed = outbox.event(
                "ordering.order.failed",
                order_id=str(order.id),
                reason=outcome.reason,
            )
            await outbox.publish(tx, [failed], at=now)
            return order.failed(outcome.reason, now)
        return await ordering.find(tx, vault, order.id)
    captured = isinstance(outcome, Captured)
    if await ordering.mark_confirmed(
        tx, order.id, outcome.reference, captured=captured, actor=actor, at=now
    ):
        event = outbox.event(CONFIRMED, order_id=str(order.id))
        await outbox.publish(tx, [event], at=now)
        return order.confirmed(outcome.reference, now, captured=captured)
    return await ordering.find(tx, vault, order.id)


async def _hold_for_cart(
    tx: Transaction, order: Order, *, until: datetime, at: datetime
) -> None:
    """What an order had reserved is held for its cart, without a moment in between."""
    owner = order.account_id or order.token_hash
    holder = inventory.hold_id(order.cart_id, owner)
    await inventory.reserve(
        tx,
        holder,
        [Wanted(line.variant_id, line.sku, line.quantity) for line in order.lines],
        at=at,
        expires_at=until,
        instead_of=[order.id, holder],
    )


async def confirm(
    tx: Transaction,
    vault: Vault,
    order: Order,
    outcome: Captured | Authorized,
    *,
    claim: Claim,
    answer: Callable[[Order], Answer],
    at: datetime,
) -> Answer | None:
    """``settle`` for a checkout whose money is there, with its answer: one statement.

    None if somebody settled the order before; then nothing was written.
    """
    captured = isinstance(outcome, Captured)
    said = answer(order.confirmed(outcome.reference, at, captured=captured))
    first = ordering.confirming(
        order.id, outcome.reference, captured=captured, actor=ACTOR, at=at
    )
    event = outbox.event(CONFIRMED, order_id=str(order.id))
    happened = await idempotency.conclude(
        tx, vault, claim, said, first=first, events=[event], at=at
    )
    return said if happened else None


async def settle_by_asking(
    order_id: UUID,
    *,
    db: Database,
    vault: Vault,
    provider: Provider,
    clock: Clock,
    patience: timedelta = PATIENCE,
) -> Order:
    """Ask the provider what became of a pending order's payment, and settle it.

    A payment that never reached the provider is cancelled there first, so that
    it cannot arrive later; so is one whose buyer did not do their part within
    *patience* of the order. Raises ``PaymentOutcomeUnknown`` while the provider
    does not answer; the order then stays pending.
    """
    order = await ordering.find(db, vault, order_id)
    if order.status is not OrderStatus.PENDING:
        return order
    outcome = await provider.settle(
        key=str(order.id),
        amount=order.total,
        give_up=clock() - order.placed_at > patience,
    )

    async def end(tx: Transaction) -> Order:
        return await settle(tx, vault, order, outcome, clock=clock)

    return await db.attempt(end)


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
    patience: timedelta = PATIENCE,
    limit: int = 100,
) -> int:
    """Settle pending orders placed longer ago than *after*; returns how many.

    Those that wait for their buyer are asked about every ten seconds. Several workers
    may do this at once. Reads *limit* orders at a time and goes through all of them:
    those that cannot be settled do not keep others waiting.
    """
    settled = 0
    last: ordering.Overdue | None = None
    while True:
        due = await ordering.overdue(
            db, placed_before=clock() - after, beyond=last, limit=limit
        )
        resting = await payments.resting_actions(
            db, [order.id for order in due], now=clock()
        )
        for order in due:
            if order.id in resting:
                continue
            try:
                ended = await settle_by_asking(
                    order.id,
                    db=db,
                    vault=vault,
                    provider=provider,
                    clock=clock,
                    patience=patience,
                )
            except payments.PaymentOutcomeUnknown:
                _log.warning("order.still_pending", order_id=str(order.id))
            except Exception:  # noqa: BLE001 - the next order is not to blame
                _log.exception("order.not_settled", order_id=str(order.id))
            else:
                settled += ended.status is not OrderStatus.PENDING
        if len(due) < limit:
            return settled
        last = due[-1]
