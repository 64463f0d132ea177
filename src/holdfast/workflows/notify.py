"""What the shop tells people because of what happened in it."""

from uuid import UUID

from holdfast.domain import notifications, ordering
from holdfast.domain.notifications import Mailer
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database

__all__ = ["Mailer", "confirm_order"]


async def confirm_order(
    order_id: UUID,
    *,
    event_id: UUID,
    db: Database,
    mailer: Mailer | None,
    clock: Clock,
) -> None:
    """Tell the buyer that the order is paid.

    The e-mail is written once for the event; running again sends what was
    written and not yet taken. Raises ``OrderNotFound``, ``MailRefused`` or
    ``MailServerUnavailable``. Without a mailer the written e-mail is the end.
    """
    async with db.transaction() as tx:
        order = await ordering.find(tx, order_id)
        message = notifications.compose(_confirmation(order))
        email = await notifications.add(tx, message, event_id=event_id, at=clock())
    if mailer is None or email.sent_at is not None:
        return

    # No transaction is open here: a mail server may take seconds.
    await mailer.send(email)

    async with db.transaction() as tx:
        await notifications.mark_sent(tx, email.id, at=clock())


def _confirmation(order: ordering.Order) -> notifications.Confirmation:
    where = order.shipping_address
    town = " ".join(filter(None, (where.postal_code, where.city)))
    return notifications.Confirmation(
        number=order.label,
        recipient=order.email,
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
