"""Where parcels are: told by the carrier's webhooks, or asked for when nothing is said.

Each event is written down once, and where a parcel is follows from all of them by when
they happened: told twice, late or in another order they come to the same. What buyers
and operators must hear of is published in the commit that makes it true.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from holdfast.domain import ordering, shipping
from holdfast.domain.shipping import (
    CarrierFailed,
    Held,
    Shipment,
    ShipmentStatus,
    Tracked,
    TrackingEvent,
)
from holdfast.kernel.ids import new_id
from holdfast.platform import outbox
from holdfast.platform.db import Transaction
from holdfast.workflows.dispatch import CANCELED, CARRIER, Dispatch

_log = structlog.get_logger(__name__)

DELIVERED = "shipping.shipment.delivered"
TOLD: Mapping[ShipmentStatus, str] = {
    ShipmentStatus.DELIVERED: DELIVERED,
    ShipmentStatus.EXCEPTION: "shipping.shipment.exception",
    ShipmentStatus.LOST: "shipping.shipment.lost",
    ShipmentStatus.RETURNED: "shipping.shipment.returned",
}
"""Which arrivals somebody must hear of."""

QUIET = timedelta(hours=6)
"""A carrier that has said nothing of a parcel for so long is asked."""

_NOT_PICKED_UP = frozenset({ShipmentStatus.CREATED, ShipmentStatus.CANCELED})
# Nothing that is told moves these: one is not decided, the other has ended.
_STILL = frozenset({ShipmentStatus.PENDING, ShipmentStatus.CANCELED})


@dataclass(frozen=True, slots=True)
class Tracking:
    """What can become known of parcels, and what it takes."""

    dispatch: Dispatch

    async def hear(self, tracked: Tracked) -> None:
        """Write down what the carrier says of a parcel; ``ShipmentNotFound``."""
        now = self.dispatch.clock()
        async with self.dispatch.db.transaction() as tx:
            held = await shipping.hold_tracked(tx, tracked.tracking_number)
            if held is None:
                raise shipping.ShipmentNotFound
            ended = await follow(tx, held, tracked.events, actor=CARRIER, at=now)
        if ended:
            await self._end(held.id)

    async def report(
        self,
        shipment_id: UUID,
        status: ShipmentStatus,
        *,
        happened_at: datetime | None,
        actor: str,
    ) -> Shipment:
        """Say where a shipment made by hand is.

        Raises ``ShipmentNotFound``, ``ShipmentIsTracked`` for one that a carrier takes,
        or ``ShipmentUnderWay`` for one that was canceled.
        """
        now = self.dispatch.clock()
        shipment = await shipping.find(self.dispatch.db, shipment_id)
        if shipment.carried_by == "carrier":
            raise shipping.ShipmentIsTracked
        event = TrackingEvent(f"by_hand_{new_id()}", status, happened_at or now)
        async with self.dispatch.db.transaction() as tx:
            held = await shipping.hold(tx, shipment_id)
            if held is None or held.status in _STILL:
                raise shipping.ShipmentEnded(shipment.status)
            await follow(tx, held, [event], actor=actor, at=now)
        return await shipping.find(self.dispatch.db, shipment_id)

    async def ask_about_quiet(self, *, limit: int = 50) -> int:
        """Ask the carrier about parcels that are quiet; returns how many it knew.

        Several workers may do this at once. A carrier that does not answer is asked
        about the same parcels when they have been quiet for as long again.
        """
        now = self.dispatch.clock()
        async with self.dispatch.db.transaction() as tx:
            quiet = await shipping.take_quiet(
                tx, heard_before=now - QUIET, limit=limit, at=now
            )
        known = 0
        for parcel in quiet:
            try:
                tracked = await self.dispatch.carrier.track(parcel.tracking_number)
                if tracked is not None:
                    await self.hear(tracked)
                    known += 1
            except (CarrierFailed, shipping.ShipmentNotFound) as error:
                _log.warning(
                    "shipment.not_tracked",
                    shipment_id=str(parcel.id),
                    error=str(error),
                )
            except Exception:  # noqa: BLE001 - the other parcels are not to blame
                _log.exception("shipment.not_followed", shipment_id=str(parcel.id))
        return known

    async def _end(self, shipment_id: UUID) -> None:
        """The carrier canceled it by itself, before it was picked up."""
        db = self.dispatch.db
        shipment = await shipping.find(db, shipment_id)
        try:
            async with db.transaction() as tx:
                await ordering.lock(tx, self.dispatch.vault, shipment.order_id)
                await self.dispatch.undo(
                    tx, shipment, "canceled_by_carrier", actor=CARRIER, kind=CANCELED
                )
        except ordering.LinesNotOpen:
            # Units of it were taken back from the buyer: a person must look.
            async with db.transaction() as tx:
                await shipping.move(
                    *(tx, shipment_id, ShipmentStatus.EXCEPTION),
                    delivered_at=None,
                    at=self.dispatch.clock(),
                )


async def follow(
    tx: Transaction,
    held: Held,
    told: Sequence[TrackingEvent],
    *,
    actor: str,
    at: datetime,
) -> bool:
    """Write down what is new of a held shipment, and where it is because of it.

    Returns whether the carrier canceled it, which the caller then has to carry out.
    """
    await shipping.add_events(tx, held.id, told)
    known = await shipping.events(tx, held.id)
    status = shipping.status_of(known)
    if status is None or held.status in _STILL:
        return False
    if status is ShipmentStatus.CANCELED:
        if all(event.status in _NOT_PICKED_UP for event in known):
            return True
        # Goods that are on their way cannot be as if never sent: a person must look.
        status = ShipmentStatus.EXCEPTION
    delivered = [e.happened_at for e in known if e.status is ShipmentStatus.DELIVERED]
    is_delivered = status is ShipmentStatus.DELIVERED
    await shipping.move(
        *(tx, held.id, status),
        delivered_at=max(delivered) if is_delivered else None,
        at=at,
    )
    if status is not held.status and status in TOLD:
        about = {"shipment_id": str(held.id)}
        await ordering.record(
            *(tx, held.order_id, f"shipment_{status}"), actor=actor, at=at, detail=about
        )
        event = outbox.event(TOLD[status], order_id=str(held.order_id), **about)
        await outbox.publish(tx, [event], at=at)
    return False
