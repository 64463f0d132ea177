"""Send what was ordered: all that is open, or chosen lines, from where it is.

One transaction claims the key, takes the units out of what is open (so that nobody can
cancel or send them a second time) and writes a pending shipment for each location. Each
is then finished by itself (``dispatch``): a carrier that does not answer leaves it
pending, and the worker goes on.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

import structlog

from holdfast.domain import inventory, ordering, shipping
from holdfast.domain.inventory import Wanted as Units
from holdfast.domain.ordering import Order, OrderStatus
from holdfast.domain.shipping import (
    CarriedBy,
    CarrierFailed,
    Method,
    NewShipment,
    Shelved,
    Shipment,
    ShipmentStatus,
)
from holdfast.kernel.errors import DomainError, Unavailable
from holdfast.kernel.ids import new_id
from holdfast.platform import idempotency, outbox
from holdfast.platform.db import Transaction
from holdfast.platform.idempotency import Answer, Claim, Resumed
from holdfast.workflows.allocation import Shelf, Want, allocate, missing
from holdfast.workflows.dispatch import Dispatch, overdue_after, party

_log = structlog.get_logger(__name__)

REOPENED = "shipping.shipment.reopened"

Render: TypeAlias = Callable[[Sequence[Shipment] | DomainError], Answer]
"""Writes what the client is told, so that it can be kept with the key."""

_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Wish:
    """What an operator wants to send; what is left out the shop decides."""

    units: Mapping[int, int] | None = None
    """By the position of a line; None for all that is open and there."""
    location: str | UUID | None = None
    by: CarriedBy | None = None
    service: str | None = None
    tracking_number: str | None = None


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """What operators can do about sending orders, and what it takes."""

    dispatch: Dispatch
    render: Render

    async def ship(
        self, order_id: UUID, wish: Wish, *, actor: str, claim: Claim
    ) -> tuple[Answer, bool]:
        """Send units of an order; returns the answer and whether it is a replay.

        Raises what stands in the way (``OrderNotFound``, ``NothingToShip``,
        ``NotEnoughOnHand`` ...): then nothing has happened, and the key is free.
        """
        db, clock = self.dispatch.db, self.dispatch.clock
        while True:
            request_id = new_id()
            async with db.transaction() as tx:
                mine = await idempotency.claim(
                    tx, claim, subject=request_id, at=clock()
                )
                if mine:
                    await self._write_down(tx, order_id, wish, request_id, actor)
            if mine:
                return await self._finish(order_id, request_id, claim), False
            progress = await idempotency.wait(
                db, self.dispatch.vault, claim, clock=clock
            )
            if isinstance(progress, Answer):
                return progress, True
            if isinstance(progress, Resumed):
                # Whoever began it died: what was written down is finished.
                return await self._finish(order_id, progress.subject, claim), False

    async def reship(self, shipment_id: UUID, *, actor: str) -> Shipment:
        """Open the units of a shipment that was lost, or came back, to be sent again.

        Of a lost one as many units are promised anew; those of one that came back are
        on the shelf again. Raises ``ShipmentNotFound``, ``ShipmentNotLost`` or
        ``OutOfStock``.
        """
        shipment = await shipping.find(self.dispatch.db, shipment_id)
        now = self.dispatch.clock()
        about = {"shipment_id": str(shipment_id)}
        async with self.dispatch.db.transaction() as tx:
            await ordering.lock(tx, self.dispatch.vault, shipment.order_id)
            was = await shipping.mark_reshipped(tx, shipment_id, at=now)
            if was is None:
                raise shipping.ShipmentNotLost(shipment.status)
            await ordering.mark_unfulfilled(
                *(tx, shipment.order_id, shipment.units),
                actor=actor,
                at=now,
                detail=about,
            )
            if was is ShipmentStatus.RETURNED:
                await inventory.unship(
                    *(tx, shipment.order_id, shipment.units_by_variant),
                    location_id=shipment.location_id,
                    actor=actor,
                    reason="shipment came back",
                    reference=str(shipment_id),
                    at=now,
                )
            else:
                await _promise_again(tx, shipment, at=now)
            event = outbox.event(REOPENED, order_id=str(shipment.order_id), **about)
            await outbox.publish(tx, [event], at=now)
        return await shipping.find(self.dispatch.db, shipment_id)

    async def _write_down(
        self, tx: Transaction, order_id: UUID, wish: Wish, request_id: UUID, actor: str
    ) -> None:
        """Step 1: decide what leaves from where, and keep it from anybody else."""
        order = await ordering.lock(tx, self.dispatch.vault, order_id)
        if order.status is not OrderStatus.CONFIRMED:
            raise shipping.NothingToShip
        by = wish.by or _usual(order)
        if by == "carrier" and order.shipping_address is None:
            raise shipping.OrderWithoutAddress
        parcels = await _parcels(tx, order, wish)
        total: dict[int, int] = {}
        for location_id, units in parcels.items():
            if by == "carrier":
                await _check_sender(tx, location_id)
            for position, quantity in units.items():
                total[position] = total.get(position, 0) + quantity
        now = self.dispatch.clock()
        await ordering.mark_fulfilled(
            *(tx, order_id, total),
            actor=actor,
            at=now,
            detail={"request_id": str(request_id)},
        )
        for location_id, units in parcels.items():
            new = NewShipment(
                id=new_id(),
                order_id=order_id,
                request_id=request_id,
                location_id=location_id,
                carried_by=by,
                service=(wish.service or _service(order)) if by == "carrier" else None,
                tracking_number=wish.tracking_number,
                units=units,
            )
            await shipping.add(tx, new, actor=actor, at=now)

    async def _finish(self, order_id: UUID, request_id: UUID, claim: Claim) -> Answer:
        """Steps 2 and 3 of each shipment, and the answer about all of them."""
        db = self.dispatch.db
        ids = await shipping.of_request(db, order_id, request_id)
        turn = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for shipment_id in ids:
                group.create_task(self._try(shipment_id, turn))
        async with db.transaction() as tx:
            shipments = [await shipping.find(tx, shipment_id) for shipment_id in ids]
            answer = self.render(_outcome(shipments))
            await idempotency.answer(
                tx, self.dispatch.vault, claim, answer, at=self.dispatch.clock()
            )
        return answer

    async def _try(self, shipment_id: UUID, turn: asyncio.Semaphore) -> None:
        async with turn:
            try:
                await self.dispatch.finish(shipment_id)
            except (CarrierFailed, Unavailable) as error:
                # Of the carrier or the database: the worker goes on.
                _log.warning(
                    "shipment.waits", shipment_id=str(shipment_id), error=str(error)
                )
            except shipping.ShipmentUnderWay:
                # Somebody wanted to cancel it meanwhile, and it is too late.
                pass


def lease_of_fulfilment(carrier_timeout_seconds: float) -> timedelta:
    """How long a request holds its key: 52 s, at a carrier timeout of 2 s."""
    return 2 * overdue_after(carrier_timeout_seconds) + timedelta(seconds=30)


def _outcome(shipments: Sequence[Shipment]) -> Sequence[Shipment] | DomainError:
    reasons = [s.failure_reason for s in shipments if s.failure_reason is not None]
    if len(reasons) == len(shipments):
        # Nothing goes, and the client must not take it for a success.
        return shipping.ShipmentRefused([s.id for s in shipments], reasons)
    return shipments


def _usual(order: Order) -> CarriedBy:
    return "hand" if order.shipping.method == Method.PICKUP else "carrier"


def _service(order: Order) -> str:
    # What is fetched in person can be sent all the same, if the buyer asks.
    method = order.shipping.method
    return Method.STANDARD if method == Method.PICKUP else method


async def _parcels(
    tx: Transaction, order: Order, wish: Wish
) -> dict[UUID, dict[int, int]]:
    """What leaves from where; raises what stands in the way."""
    wanted = _wanted(order, wish.units)
    shelves = await shipping.shelves(tx, order.id)
    if wish.location is None:
        parcels = allocate(wanted, [_promised(shelf) for shelf in shelves])
    else:
        location = await inventory.find_location(tx, wish.location)
        here = [shelf for shelf in shelves if shelf.location_id == location.id]
        # Who names lines and a place means it: what is promised elsewhere moves.
        found = [
            _promised(s) if wish.units is None else _there(s) for s in here
        ]  # fmt: skip
        parcels = allocate(wanted, found)
    if wish.units is not None:
        for want in missing(wanted, parcels):
            asked = sum(w.quantity for w in wanted if w.variant_id == want.variant_id)
            raise inventory.NotEnoughOnHand(
                str(want.variant_id), asked, asked - want.quantity
            )
    if not parcels:
        raise shipping.NothingToShip
    return parcels


def _wanted(order: Order, units: Mapping[int, int] | None) -> list[Want]:
    lines = {line.position: line for line in order.lines}
    if units is None:
        return [
            Want(line.position, line.variant_id, line.unfulfilled)
            for line in order.lines
            if line.unfulfilled
        ]
    for position in units:
        if position not in lines:
            raise shipping.ShipmentLineInvalid(position)
    return [
        Want(position, lines[position].variant_id, quantity)
        for position, quantity in units.items()
    ]


def _promised(shelf: Shelved) -> Shelf:
    units = min(shelf.reserved, shelf.there)
    return Shelf(shelf.location_id, shelf.variant_id, units)


def _there(shelf: Shelved) -> Shelf:
    return Shelf(shelf.location_id, shelf.variant_id, shelf.there)


async def _check_sender(tx: Transaction, location_id: UUID) -> None:
    location = await inventory.find_location(tx, location_id)
    if party(location.address) is None:
        raise shipping.LocationWithoutAddress(location.code)


async def _promise_again(tx: Transaction, shipment: Shipment, *, at: datetime) -> None:
    """Reserve as much as was lost, beside what the order has; ``OutOfStock``."""
    held = await inventory.reserved_for(tx, shipment.order_id)
    wanted = [Units(h.variant_id, h.sku, h.quantity) for h in held]
    wanted += [Units(n.variant_id, n.sku, n.quantity) for n in shipment.lines]
    order_id = shipment.order_id
    await inventory.reserve(tx, order_id, wanted, at=at, instead_of=[order_id])
