"""What buyers are told about their parcels."""

from typing import Literal
from uuid import UUID

from holdfast.domain import notifications, ordering, shipping
from holdfast.domain.notifications import Mailer, ShipmentNotice
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database
from holdfast.platform.vault import Vault


async def tell(
    shipment_id: UUID,
    kind: Literal["shipment_shipped", "shipment_delivered"],
    *,
    event_id: UUID,
    db: Database,
    vault: Vault,
    mailer: Mailer | None,
    clock: Clock,
) -> None:
    """Tell the buyer that goods have left, or have arrived.

    The e-mail is written once for the event; running again sends what was written and
    not yet taken. Nothing is said of a shipment that was canceled meanwhile or fetched
    in person, and nothing to somebody who was erased. Raises ``ShipmentNotFound``,
    ``MailRefused`` or ``MailServerUnavailable``.
    """
    async with db.transaction() as tx:
        shipment = await shipping.find(tx, shipment_id)
        order = await ordering.find(tx, vault, shipment.order_id)
        canceled = shipment.status is shipping.ShipmentStatus.CANCELED
        fetched = order.shipping.method == shipping.Method.PICKUP
        in_person = fetched and shipment.carried_by == "hand"
        if order.email is None or canceled or in_person:
            return
        notice = ShipmentNotice(
            kind=kind,
            number=order.label,
            recipient=order.email,
            lines=[(line.title, line.sku, line.quantity) for line in shipment.lines],
            tracking_number=shipment.tracking_number,
            more_to_come=any(line.unfulfilled for line in order.lines),
        )
        email = await notifications.add(
            tx,
            vault,
            notifications.compose(notice),
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
