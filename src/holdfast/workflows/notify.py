"""What the shop tells people because of what happened in it."""

from uuid import UUID

from holdfast.domain import notifications, ordering, payments
from holdfast.domain.notifications import Mailer
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database
from holdfast.platform.vault import Vault

__all__ = ["Mailer", "confirm_order", "tell_of_refund"]


async def confirm_order(
    order_id: UUID,
    *,
    event_id: UUID,
    db: Database,
    vault: Vault,
    mailer: Mailer | None,
    clock: Clock,
) -> None:
    """Tell the buyer that the order is confirmed.

    The e-mail is written once for the event; running again sends what was
    written and not yet taken. Raises ``OrderNotFound``, ``MailRefused`` or
    ``MailServerUnavailable``. Without a mailer the written e-mail is the end. A buyer
    who was erased meanwhile is told nothing.
    """
    async with db.transaction() as tx:
        order = await ordering.find(tx, vault, order_id)
        if order.email is None or order.shipping_address is None:
            return
        message = notifications.compose(
            _confirmation(order, order.email, order.shipping_address)
        )
        email = await notifications.add(
            tx,
            vault,
            message,
            event_id=event_id,
            account_id=order.account_id,
            at=clock(),
        )
    await _send(email, db=db, mailer=mailer, clock=clock)


async def tell_of_refund(
    refund_id: UUID,
    *,
    event_id: UUID,
    db: Database,
    vault: Vault,
    mailer: Mailer | None,
    clock: Clock,
) -> None:
    """Tell the buyer that money went back; as ``confirm_order`` in all else.

    Raises ``RefundNotFound`` for one that does not exist.
    """
    async with db.transaction() as tx:
        refund = await payments.find_refund(tx, refund_id)
        order = await ordering.find(tx, vault, refund.order_id)
        if order.email is None:
            return
        notice = notifications.RefundNotice(order.label, order.email, refund.amount)
        email = await notifications.add(
            tx,
            vault,
            notifications.compose(notice),
            event_id=event_id,
            account_id=order.account_id,
            at=clock(),
        )
    await _send(email, db=db, mailer=mailer, clock=clock)


async def _send(
    email: notifications.Email, *, db: Database, mailer: Mailer | None, clock: Clock
) -> None:
    if mailer is None or email.sent_at is not None:
        return

    # No transaction is open here: a mail server may take seconds.
    await mailer.send(email)

    async with db.transaction() as tx:
        await notifications.mark_sent(tx, email.id, at=clock())


def _confirmation(
    order: ordering.Order, recipient: str, where: ordering.Address
) -> notifications.Confirmation:
    town = " ".join(filter(None, (where.postal_code, where.city)))
    return notifications.Confirmation(
        number=order.label,
        recipient=recipient,
        placed_at=order.placed_at,
        lines=[
            notifications.Line(line.title, line.sku, line.quantity, line.total)
            for line in order.lines
        ],
        subtotal=order.subtotal,
        shipping_method=order.shipping.method,
        shipping_total=order.shipping.price,
        total=order.total,
        address=[
            where.name,
            where.line1,
            where.line2 or "",
            town,
            where.region or "",
            where.country,
        ],
    )
