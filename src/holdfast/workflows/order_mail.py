"""What buyers are told when their order was changed, was canceled or has failed."""

from datetime import timedelta
from typing import Literal
from uuid import UUID

from holdfast.domain import notifications, ordering
from holdfast.domain.notifications import Mailer, OrderNotice
from holdfast.domain.ordering import Order, OrderStatus
from holdfast.kernel.clock import Clock
from holdfast.kernel.money import Money
from holdfast.platform.db import Database
from holdfast.platform.vault import Vault

Kind = Literal["order_canceled", "order_changed", "order_failed"]

TOLD_AT_ONCE = timedelta(seconds=12)
"""Within this time of the order its buyer, who was waiting, saw that the payment failed
and may have tried another. Longer than a checkout waits for the provider."""


async def tell(
    order_id: UUID,
    kind: Kind,
    *,
    event_id: UUID,
    db: Database,
    vault: Vault,
    mailer: Mailer | None,
    clock: Clock,
) -> None:
    """Tell the buyer what became of the order.

    The e-mail is written once for the event; running again sends what was written and
    not yet taken. Nothing is said to somebody who was erased, of a change that a
    cancellation has overtaken, or of a failure that its buyer saw happen. Raises
    ``OrderNotFound``, ``MailRefused`` or ``MailServerUnavailable``.
    """
    async with db.transaction() as tx:
        order = await ordering.find(tx, vault, order_id)
        if order.email is None or not _is_news(order, kind):
            return
        email = await notifications.add(
            tx,
            vault,
            notifications.compose(_notice(order, kind, order.email)),
            event_id=event_id,
            account_id=order.account_id,
            at=clock(),
        )
    if mailer is None or email.sent_at is not None:
        return

    # No transaction is open here: a mail server may take seconds.
    await mailer.send(email)

    async with db.transaction() as tx:
        await notifications.mark_sent(tx, email.id, at=clock())


def _is_news(order: Order, kind: Kind) -> bool:
    if kind == "order_changed":
        return order.status is not OrderStatus.CANCELED
    if kind == "order_failed" and order.settled_at is not None:
        return order.settled_at - order.placed_at > TOLD_AT_ONCE
    return True


def _notice(order: Order, kind: Kind, recipient: str) -> OrderNotice:
    where = order.shipping_address
    town = (
        "" if where is None else " ".join(filter(None, (where.postal_code, where.city)))
    )
    return OrderNotice(
        kind=kind,
        number=order.label,
        recipient=recipient,
        lines=[
            (line.title, line.sku, kept)
            for line in order.lines
            if (kept := line.quantity - line.canceled)
        ],
        total=ordering.value_of(order),
        given_back=Money(
            order.refunded_amount + order.refunding_amount, order.currency
        ),
        address=()
        if where is None
        else (
            where.name,
            where.line1,
            where.line2 or "",
            town,
            where.region or "",
            where.country,
        ),
    )
