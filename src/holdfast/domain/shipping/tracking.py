"""What carriers tell of parcels, in PostgreSQL: each event once, in any order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from holdfast.domain.shipping.model import ShipmentStatus, TrackingEvent
from holdfast.platform import sql
from holdfast.platform.db import Row, Transaction

_SQL = sql.load("holdfast.domain.shipping")
_LOCK_BY_TRACKING_NUMBER = _SQL["lock_by_tracking_number"]
_LOCK_SHIPMENT = _SQL["lock_shipment"]
_ADD_EVENTS = _SQL["add_events"]
_EVENTS = _SQL["events"]
_MOVE = _SQL["move"]
_TAKE_QUIET = _SQL["take_quiet"]


@dataclass(frozen=True, slots=True)
class Held:
    """A shipment that nobody else changes until the transaction ends."""

    id: UUID
    order_id: UUID
    status: ShipmentStatus


@dataclass(frozen=True, slots=True)
class Quiet:
    """A shipment under way of which nothing was heard for long."""

    id: UUID
    tracking_number: str


async def hold_tracked(tx: Transaction, tracking_number: str) -> Held | None:
    """Hold the shipment that a carrier speaks of; None if there is none."""
    return _held(await tx.fetchrow(_LOCK_BY_TRACKING_NUMBER, tracking_number))


async def hold(tx: Transaction, shipment_id: UUID) -> Held | None:
    """Hold a shipment; None if there is none."""
    return _held(await tx.fetchrow(_LOCK_SHIPMENT, shipment_id))


async def add_events(
    tx: Transaction, shipment_id: UUID, told: Sequence[TrackingEvent]
) -> None:
    """Write down what was told; of what is known already nothing changes."""
    await tx.execute(
        _ADD_EVENTS,
        shipment_id,
        [event.id for event in told],
        [event.status for event in told],
        [event.happened_at for event in told],
    )


async def events(tx: Transaction, shipment_id: UUID) -> list[TrackingEvent]:
    """All that is known of a shipment, in any order."""
    return [
        TrackingEvent(id_, ShipmentStatus(status), at)
        for id_, status, at in await tx.fetch(_EVENTS, shipment_id)
    ]


async def move(
    tx: Transaction,
    shipment_id: UUID,
    status: ShipmentStatus,
    *,
    delivered_at: datetime | None,
    at: datetime,
) -> None:
    """Write where a held shipment is, and that it was heard of."""
    await tx.execute(_MOVE, shipment_id, status, delivered_at, at)


async def take_quiet(
    tx: Transaction, *, heard_before: datetime, limit: int, at: datetime
) -> list[Quiet]:
    """Take shipments to ask the carrier about; they count as heard of from now."""
    rows = await tx.fetch(_TAKE_QUIET, heard_before, limit, at)
    return [Quiet(*row) for row in rows]


def _held(row: Row | None) -> Held | None:
    if row is None:
        return None
    return Held(row["id"], row["order_id"], ShipmentStatus(row["status"]))
