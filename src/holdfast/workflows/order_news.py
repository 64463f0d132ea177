"""Telling the rest of the shop that an order came to an end."""

from datetime import datetime
from uuid import UUID

from holdfast.domain.ordering import OrderStatus
from holdfast.platform import outbox
from holdfast.platform.db import Transaction

COMPLETED = "ordering.order.completed"
CANCELED = "ordering.order.canceled"
EDITED = "ordering.order.edited"

_TYPES = {OrderStatus.COMPLETED: COMPLETED, OrderStatus.CANCELED: CANCELED}


async def announce(
    tx: Transaction, order_id: UUID, status: OrderStatus, *, at: datetime
) -> None:
    """Publish what an order has become; nothing while it is open.

    In the transaction that made it so, and by whoever did.
    """
    if type_ := _TYPES.get(status):
        event = outbox.event(type_, order_id=str(order_id))
        await outbox.publish(tx, [event], at=at)
