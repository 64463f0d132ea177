"""What can become of an order: a refund, a parcel, another thing instead."""

from holdfast.domain import drops, ordering, payments, shipping
from holdfast.domain.payments import ActionRequired, Refund
from holdfast.domain.shipping import NewShipment, ShipmentStatus, TrackingEvent
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money


async def give_back(tx, order_id, at) -> None:
    """Note a refund, and what its buyer had to do to pay."""
    refund = Refund(
        *(new_id(), order_id, Money(1, "EUR"), payments.Progress.PENDING),
        *("damaged", "test", at),
    )
    assert await payments.add_refund(tx, refund)
    asked = ActionRequired("ch_1", "https://bank.example/3ds/1")
    await payments.note_action(tx, order_id, asked, at=at)


async def send(tx, order_id, at) -> None:
    """Send a parcel, of which the carrier tells something."""
    location_id = await tx.fetchval("SELECT id FROM locations LIMIT 1")
    shipment_id = new_id()
    parcel = NewShipment(
        id=shipment_id,
        order_id=order_id,
        request_id=shipment_id,
        location_id=location_id,
        carried_by="hand",
        service=None,
        tracking_number="TRACK-1",
        units={1: 1},
    )
    await shipping.add(tx, parcel, actor="test", at=at)
    told = TrackingEvent("e1", ShipmentStatus.IN_TRANSIT, at)
    await shipping.add_events(tx, shipment_id, [told])


async def send_back(tx, vault, order_id, text, at) -> None:
    """Ask for something else instead of a unit, and say something about it."""
    await ordering.mark_fulfilled(tx, order_id, {1: 1}, actor="test", at=at)
    asked = ordering.Return(
        id=new_id(),
        order_id=order_id,
        kind=ordering.ReturnKind.EXCHANGE,
        status=ordering.ReturnStatus.REQUESTED,
        reason="damaged",
        actor="test",
        requested_at=at,
        lines=[ordering.ReturnLine(1, 1)],
        exchange=[ordering.ExchangeLine(new_id(), "POT", "Pot", 1, Money(100, "EUR"))],
        text=text,
    )
    await ordering.add_return(tx, vault, asked)


async def wait_in_line(tx, vault, account_id, order_id, at) -> None:
    """Take a ticket for a drop, and buy something with it."""
    drop_id, ticket_id = new_id(), new_id()
    await tx.execute(
        "INSERT INTO drops (id, name, opens_at, guests, most_units, most_tickets,"
        " pass_seconds, variant_ids, commitment, created_by, created_at)"
        " VALUES ($1, 'Autumn', $2, true, 1, 1, 60, '{}', 'x', 'test', $2)",
        *(drop_id, at),
    )
    holder = drops.account_holder(vault, account_id)
    await drops.issue(tx, drop_id, [(ticket_id, holder, 1)], at=at)
    await drops.note_purchase(tx, order_id, ticket_id, 1)
