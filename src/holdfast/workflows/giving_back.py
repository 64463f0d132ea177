"""Money for what a buyer does not keep of an order after all."""

from uuid import UUID

from holdfast.domain import ordering, payments
from holdfast.domain.ordering import Cart, Order
from holdfast.domain.payments import ClosingKind
from holdfast.kernel.clock import Clock
from holdfast.kernel.money import Money
from holdfast.platform.db import Transaction
from holdfast.platform.vault import Vault
from holdfast.workflows import capture, refunds

OWED_OUTSIDE = "refund_owed"
"""Recorded where the shop was paid by hand: it has to give back by hand."""


async def give_back(
    tx: Transaction,
    vault: Vault,
    before: Order,
    after: Order,
    *,
    reason: str,
    actor: str,
    clock: Clock,
) -> list[UUID]:
    """Promise what an order is worth less than it was; returns ids of refunds.

    The order is locked, and *after* is as it is in this transaction. What goods paid
    that came back is owed by the order that they came back from.
    """
    found = [
        await _release(
            tx, after, ordering.owed(before, after), reason, actor=actor, clock=clock
        )
    ]
    origin_id = None
    if after.return_id is not None:
        origin_id = await ordering.order_of_return(tx, after.return_id)
    if origin_id is not None and after.return_id is not None:
        origin = await ordering.lock(tx, vault, origin_id)
        earned = await ordering.earned_by_return(tx, after.return_id)
        credit = ordering.credit_owed(before, after, earned)
        most = min(credit.amount, ordering.refundable(origin).amount)
        amount = Money(most, credit.currency)
        found.append(
            await _release(tx, origin, amount, reason, actor=actor, clock=clock)
        )
    return [refund_id for refund_id in found if refund_id is not None]


async def give_credit_back(
    tx: Transaction, vault: Vault, cart: Cart, *, actor: str, clock: Clock
) -> None:
    """Promise back what goods that came back paid of a draft that was withdrawn.

    Of goods that have not come back yet nothing is owed.
    """
    if not cart.credit_amount or cart.return_id is None:
        return
    origin_id = await ordering.order_of_return(tx, cart.return_id)
    if origin_id is None:
        return
    origin = await ordering.lock(tx, vault, origin_id)
    earned = await ordering.earned_by_return(tx, cart.return_id)
    most = min(cart.credit_amount, earned, ordering.refundable(origin).amount)
    amount = Money(most, cart.currency)
    await _release(tx, origin, amount, "exchange_withdrawn", actor=actor, clock=clock)


async def release_money(
    tx: Transaction,
    order: Order,
    amount: Money,
    *,
    reason: str,
    actor: str,
    clock: Clock,
) -> UUID | None:
    """Give back what a buyer does not keep, in the way that their payment needs.

    Captured money is refunded, and the id of the refund returned. Money that was only
    set aside is voided when the order is canceled; of one that goes on, less is
    captured later. Raises ``CaptureUnderWay`` in the moment between.
    """
    owed = await payments.lock_money(tx, order.id)
    if owed is None or amount.amount == 0:
        return None
    if owed.payment_status == "authorized":
        if owed.closing == ClosingKind.CAPTURE and owed.closing_status == "pending":
            raise payments.CaptureUnderWay
        if owed.status == "canceled":
            await capture.request_void(tx, owed, actor=actor, clock=clock)
        return None
    return await refunds.request(
        tx, order, amount, reason=reason, actor=actor, clock=clock
    )


async def _release(
    tx: Transaction,
    order: Order,
    amount: Money,
    reason: str,
    *,
    actor: str,
    clock: Clock,
) -> UUID | None:
    if not order.paid_outside:
        return await release_money(
            tx, order, amount, reason=reason, actor=actor, clock=clock
        )
    if amount.amount:
        await ordering.record(
            tx,
            order.id,
            OWED_OUTSIDE,
            actor=actor,
            detail={"amount": amount.amount, "currency": amount.currency},
            at=clock(),
        )
    return None
