"""What happens to a shipment between the wish to send it and its being on its way.

1. One transaction wrote it down as pending, its units as fulfilled (``fulfilment``).
2. No transaction is open while the carrier is asked, by the shipment's id as the key.
3. One transaction: it goes, the stock leaves with a sale in the ledger, and the event
   is published. Or it comes to nothing, and its units are open again.

Whoever dies in between leaves a pending shipment, which the worker takes up: the
carrier is asked again with the same key. Canceling goes the same way, wish first.
Whatever changes an order and its stock holds the order first, so nobody waits in a
circle.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

import msgspec
import structlog

from holdfast.domain import inventory, ordering, shipping
from holdfast.domain.payments import Provider
from holdfast.domain.shipping import (
    Carrier,
    CarrierFailed,
    Consignment,
    Outcome,
    Party,
    Refused,
    Shipment,
    ShipmentStatus,
    Taken,
)
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import Unavailable
from holdfast.platform import outbox
from holdfast.platform.db import Database, Transaction
from holdfast.platform.vault import Vault
from holdfast.workflows import capture

_log = structlog.get_logger(__name__)

SHIPPED = "shipping.shipment.shipped"
REFUSED = "shipping.shipment.refused"
CANCELED = "shipping.shipment.canceled"

CARRIER = "carrier"
TIMER = "timer"

# Twice what one shipment may take, and a few commits.
_MARGIN_SECONDS = 3.0
_LABEL_PATIENCE = 4.0
# A few that the carrier lets hang must not hold up the rest.
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Dispatch:
    """What can be done with a shipment that was written down, and what it takes."""

    db: Database
    vault: Vault
    carrier: Carrier
    clock: Clock
    payments: Provider | None = None
    """Who takes money that was only set aside; None leaves that to the timer."""

    async def finish(self, shipment_id: UUID) -> Shipment:
        """Bring a shipment as far as it can be brought, and return it.

        However often and by however many at once. ``CarrierFailed`` while the carrier
        does not answer: then it is as it was, and is tried again later.
        """
        shipment = await shipping.find(self.db, shipment_id)
        if shipment.cancel_requested_at is not None:
            return await self._cancel(shipment)
        if shipment.status is not ShipmentStatus.PENDING:
            return shipment
        outcome = await self._ask(shipment)
        if isinstance(outcome, Refused):
            await self._undo(shipment, outcome.reason, actor=CARRIER, kind=REFUSED)
        else:
            await self._go(shipment, outcome)
        return await shipping.find(self.db, shipment_id)

    async def cancel(self, shipment_id: UUID, *, actor: str) -> Shipment:
        """Cancel a shipment that nobody picked up; its units are open again.

        Raises ``ShipmentNotFound``, ``ShipmentUnderWay`` when it is too late, or
        ``LinesNotOpen`` when units of it came back. While the carrier does not answer,
        the wish stands, and the worker goes on.
        """
        shipment = await shipping.find(self.db, shipment_id)
        async with self.db.transaction() as tx:
            order = await ordering.lock(tx, self.vault, shipment.order_id)
            wished = await shipping.request_cancel(
                tx, shipment_id, actor=actor, at=self.clock()
            )
            if wished:
                # Before the carrier is told: that cannot be taken back.
                _check_with_buyer(order, shipment)
        shipment = await shipping.find(self.db, shipment_id)
        if shipment.status is ShipmentStatus.CANCELED:
            return shipment
        if not wished:
            raise shipping.ShipmentUnderWay(shipment.status)
        try:
            return await self._cancel(shipment)
        except CarrierFailed as error:
            _log.warning(
                "shipment.cancel_waits", shipment_id=str(shipment.id), error=str(error)
            )
            return shipment

    async def _ask(self, shipment: Shipment) -> Outcome:
        """Have the carrier take it; by hand it is taken already."""
        if shipment.carried_by == "hand":
            return Taken("", shipment.tracking_number or "")
        order = await ordering.find(self.db, self.vault, shipment.order_id)
        location = await inventory.find_location(self.db, shipment.location_id)
        sender = party(location.address)
        key = str(shipment.id)
        if order.shipping_address is None or sender is None:
            # The buyer was erased, or somebody emptied the location: nothing can be
            # sent, but a parcel may have been asked for before.
            return await self.carrier.forestall(key, reason="no_address")
        return await self.carrier.take(
            Consignment(
                key=key,
                service=shipment.service or shipping.Method.STANDARD,
                reference=order.label,
                sender=sender,
                recipient=Party(**asdict(order.shipping_address)),
                weight_grams=await shipping.weight_of(self.db, shipment.id),
                currency=order.currency,
            )
        )

    async def _go(self, shipment: Shipment, taken: Taken) -> None:
        """Step 3, if it is still pending; what cannot leave is canceled again."""
        try:
            order = await self._settle(shipment, taken)
        except (inventory.NotReserved, inventory.NotEnoughOnHand) as error:
            # Promised beyond what is there, and others were quicker: the parcel has a
            # label by now, and must lose it before the units are open again.
            _log.warning(
                "shipment.not_in_stock", shipment_id=str(shipment.id), error=str(error)
            )
            await self._call_off(shipment)
            return
        authorized = ordering.PaymentStatus.AUTHORIZED
        if order is not None and order.payment_status is authorized and self.payments:
            await capture.capture(
                order.id,
                db=self.db,
                provider=self.payments,
                clock=self.clock,
                actor=shipment.actor,
            )

    async def _settle(self, shipment: Shipment, taken: Taken) -> ordering.Order | None:
        """Write that it goes; the order, or None if somebody settled it before."""
        now = self.clock()
        async with self.db.transaction() as tx:
            order = await ordering.lock(tx, self.vault, shipment.order_id)
            if not await shipping.mark_created(
                tx,
                shipment.id,
                tracking_number=taken.tracking_number or None,
                carrier_reference=taken.reference or None,
                at=now,
            ):
                return None
            await inventory.ship(
                tx,
                shipment.order_id,
                shipment.units_by_variant,
                location_id=shipment.location_id,
                actor=shipment.actor,
                reference=str(shipment.id),
                at=now,
            )
            await self._tell(tx, shipment, SHIPPED, actor=shipment.actor)
        return order

    async def _call_off(self, shipment: Shipment) -> None:
        """Undo a shipment that the carrier took and the stock cannot give."""
        if shipment.carried_by == "carrier":
            reason = "not_in_stock"
            outcome = await self.carrier.forestall(str(shipment.id), reason=reason)
            if isinstance(outcome, Taken):
                # Picked up: it has left, whatever the books say. A person must look.
                _log.error("shipment.left_without_stock", shipment_id=str(shipment.id))
                return
        await self._undo(shipment, "not_in_stock", actor=shipment.actor, kind=REFUSED)

    async def _cancel(self, shipment: Shipment) -> Shipment:
        """Carry out the wish to cancel; ``CarrierFailed`` or ``ShipmentUnderWay``."""
        if shipment.carried_by == "carrier":
            try:
                await self.carrier.cancel(str(shipment.id))
            except shipping.UnderWay:
                async with self.db.transaction() as tx:
                    await shipping.withdraw_cancel(tx, shipment.id)
                raise shipping.ShipmentUnderWay(shipment.status) from None
        actor = shipment.cancel_actor or TIMER
        await self._undo(shipment, None, actor=actor, kind=CANCELED)
        return await shipping.find(self.db, shipment.id)

    async def _undo(
        self, shipment: Shipment, reason: str | None, *, actor: str, kind: str
    ) -> None:
        """End it, open its units again, and take back what had left the stock."""
        async with self.db.transaction() as tx:
            await ordering.lock(tx, self.vault, shipment.order_id)
            await self.undo(tx, shipment, reason, actor=actor, kind=kind)

    async def undo(
        self,
        tx: Transaction,
        shipment: Shipment,
        reason: str | None,
        *,
        actor: str,
        kind: str,
    ) -> bool:
        """The same, with the order held; False if it has ended or was picked up."""
        was = await shipping.mark_canceled(tx, shipment.id, reason=reason)
        if was is None:
            return False
        await ordering.mark_unfulfilled(
            tx,
            shipment.order_id,
            shipment.units,
            actor=actor,
            at=self.clock(),
            detail={"shipment_id": str(shipment.id)},
        )
        if was is ShipmentStatus.CREATED:
            await inventory.unship(
                tx,
                shipment.order_id,
                shipment.units_by_variant,
                location_id=shipment.location_id,
                actor=actor,
                reason="shipment canceled",
                reference=str(shipment.id),
                at=self.clock(),
            )
        await self._tell(tx, shipment, kind, actor=actor, reason=reason)
        return True

    async def _tell(
        self,
        tx: Transaction,
        shipment: Shipment,
        kind: str,
        *,
        actor: str,
        reason: str | None = None,
    ) -> None:
        """Record what became of it with the order, and publish it."""
        about = {"shipment_id": str(shipment.id)}
        if reason is not None:
            about["reason"] = reason
        await ordering.record(
            tx,
            shipment.order_id,
            kind.removeprefix("shipping.").replace(".", "_"),
            actor=actor,
            at=self.clock(),
            detail=about,
        )
        event = outbox.event(kind, order_id=str(shipment.order_id), **about)
        await outbox.publish(tx, [event], at=self.clock())


def _check_with_buyer(order: ordering.Order, shipment: Shipment) -> None:
    """Raise ``LinesNotOpen`` if what would be open again has come back already."""
    out = {line.position: line.fulfilled - line.returned for line in order.lines}
    gone = [p for p, quantity in shipment.units.items() if quantity > out[p]]
    if gone:
        raise ordering.LinesNotOpen(sorted(gone))


def party(address: object) -> Party | None:
    """An address as a carrier takes it; None if it lacks what a carrier needs."""
    try:
        return msgspec.convert(address, Party)
    except msgspec.ValidationError:
        return None


def overdue_after(carrier_timeout_seconds: float) -> timedelta:
    """When the timer takes a shipment up: 11 s after it was asked for, at 2 s.

    The request that made it has given up on the carrier by then. When the two meet,
    nothing happens twice.
    """
    return timedelta(
        seconds=_LABEL_PATIENCE * carrier_timeout_seconds + _MARGIN_SECONDS
    )


async def finish_overdue(
    dispatch: Dispatch, *, after: timedelta, limit: int = 100
) -> int:
    """Finish shipments that have waited for longer than *after*; returns how many.

    Several workers may do this at once. Reads *limit* at a time and goes through all:
    those that cannot be finished do not keep others waiting.
    """
    finished = 0
    last: shipping.Unsettled | None = None
    while True:
        due = await shipping.unsettled(
            dispatch.db, since_before=dispatch.clock() - after, beyond=last, limit=limit
        )
        for some in _in_turn(due):
            async with asyncio.TaskGroup() as group:
                tries = [group.create_task(_try(dispatch, one.id)) for one in some]
            finished += sum(one.result() for one in tries)
        if len(due) < limit:
            return finished
        last = due[-1]


def _in_turn(
    due: Sequence[shipping.Unsettled],
) -> Iterator[Sequence[shipping.Unsettled]]:
    for first in range(0, len(due), _AT_ONCE):
        yield due[first : first + _AT_ONCE]


async def _try(dispatch: Dispatch, shipment_id: UUID) -> bool:
    about = {"shipment_id": str(shipment_id)}
    try:
        await dispatch.finish(shipment_id)
    except (CarrierFailed, Unavailable) as error:
        _log.warning("shipment.still_waits", error=str(error), **about)
    except shipping.ShipmentUnderWay:
        _log.warning("shipment.not_canceled", **about)
    except Exception:  # noqa: BLE001 - the other shipments are not to blame
        _log.exception("shipment.not_finished", **about)
    else:
        return True
    return False
