"""Shipments in PostgreSQL: written before the carrier is asked, settled once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from holdfast.domain.shipping.errors import ShipmentNotFound
from holdfast.domain.shipping.model import (
    CarriedBy,
    Shipment,
    ShipmentLine,
    ShipmentStatus,
    TrackingEvent,
)
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction

_SQL = sql.load("holdfast.domain.shipping")
_ADD_SHIPMENT = _SQL["add_shipment"]
_MARK_CREATED = _SQL["mark_created"]
_REQUEST_CANCEL = _SQL["request_cancel"]
_WITHDRAW_CANCEL = _SQL["withdraw_cancel"]
_MARK_CANCELED = _SQL["mark_canceled"]
_MARK_RESHIPPED = _SQL["mark_reshipped"]
_SHIPMENT = _SQL["shipment"]
_SHIPMENTS = _SQL["shipments"]
_OF_REQUEST = _SQL["of_request"]
_WEIGHT = _SQL["weight"]
_SHELVES = _SQL["shelves"]
_UNSETTLED = _SQL["unsettled"]
_COUNT_OPEN = _SQL["count_open"]


@dataclass(frozen=True, slots=True)
class NewShipment:
    """Units of an order that are to leave from one location."""

    id: UUID
    order_id: UUID
    # Shared by what was asked for at once.
    request_id: UUID
    location_id: UUID
    carried_by: CarriedBy
    service: str | None
    tracking_number: str | None
    # By the position of the line of the order.
    units: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Shelved:
    """Units of a variant at a location."""

    location_id: UUID
    variant_id: UUID
    # For this order, and in no shipment yet.
    reserved: int
    # On the shelf, and in no shipment of anybody.
    there: int


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A shipment that somebody has to finish."""

    id: UUID
    created_at: datetime


async def add(tx: Transaction, new: NewShipment, *, actor: str, at: datetime) -> None:
    """Write a pending shipment down."""
    await tx.execute(
        _ADD_SHIPMENT,
        new.id,
        new.order_id,
        new.location_id,
        new.carried_by,
        new.service,
        new.tracking_number,
        actor,
        at,
        list(new.units.keys()),
        list(new.units.values()),
        new.request_id,
    )


async def mark_created(
    tx: Transaction,
    shipment_id: UUID,
    *,
    tracking_number: str | None = None,
    carrier_reference: str | None = None,
    at: datetime,
) -> bool:
    """Settle a pending shipment: it goes; False if somebody settled it before."""
    row = await tx.fetchrow(
        _MARK_CREATED, shipment_id, tracking_number, carrier_reference, at
    )
    return row is not None


async def request_cancel(
    tx: Transaction, shipment_id: UUID, *, actor: str, at: datetime
) -> bool:
    """Note that it is to be canceled; False once it was picked up or has ended."""
    return await tx.fetchrow(_REQUEST_CANCEL, shipment_id, actor, at) is not None


async def withdraw_cancel(tx: Transaction, shipment_id: UUID) -> None:
    """The carrier has it already: it is not to be canceled any more."""
    await tx.execute(_WITHDRAW_CANCEL, shipment_id)


async def mark_canceled(
    tx: Transaction, shipment_id: UUID, *, reason: str | None = None
) -> ShipmentStatus | None:
    """End it; returns what it was, or None if it has ended or was picked up."""
    was = await tx.fetchval(_MARK_CANCELED, shipment_id, reason)
    return None if was is None else ShipmentStatus(was)


async def mark_reshipped(
    tx: Transaction, shipment_id: UUID, *, at: datetime
) -> ShipmentStatus | None:
    """Note that its units are open again, once; returns whether lost or returned."""
    was = await tx.fetchval(_MARK_RESHIPPED, shipment_id, at)
    return None if was is None else ShipmentStatus(was)


async def find(connection: Connection, shipment_id: UUID) -> Shipment:
    """A shipment with its lines and events; ``ShipmentNotFound``."""
    row = await connection.fetchrow(_SHIPMENT, shipment_id)
    if row is None:
        raise ShipmentNotFound
    return _shipment(row)


async def browse(
    connection: Connection,
    *,
    after: str | None,
    limit: int,
    status: ShipmentStatus | None = None,
    order_id: UUID | None = None,
    location_id: UUID | None = None,
) -> Page[Shipment]:
    """Shipments, newest first."""
    before = None if after is None else decode_id_cursor(after)
    rows = await connection.fetch(
        _SHIPMENTS, before, limit + 1, status, order_id, location_id
    )
    items = [_shipment(row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items, encode_cursor(str(items[-1].id)) if more else None)


async def of_request(
    connection: Connection, order_id: UUID, request_id: UUID
) -> list[UUID]:
    """The shipments that were asked for together, in the order of their ids."""
    rows = await connection.fetch(_OF_REQUEST, order_id, request_id)
    return [row["id"] for row in rows]


async def shelves(connection: Connection, order_id: UUID) -> list[Shelved]:
    """Where units of an order's variants are; the first location to ask comes first."""
    rows = await connection.fetch(_SHELVES, order_id)
    return [Shelved(*row) for row in rows]


async def weight_of(connection: Connection, shipment_id: UUID) -> int:
    """What the goods of a shipment weigh, in grams."""
    return int(await connection.fetchval(_WEIGHT, shipment_id))


async def unsettled(
    connection: Connection,
    *,
    since_before: datetime,
    limit: int,
    beyond: Unsettled | None = None,
) -> list[Unsettled]:
    """Shipments that have waited to be finished, oldest first.

    Those *beyond* one that was seen before; None starts with the oldest.
    """
    seen = (None, None) if beyond is None else (beyond.created_at, beyond.id)
    rows = await connection.fetch(_UNSETTLED, since_before, limit, *seen)
    return [Unsettled(*row) for row in rows]


async def count_open(connection: Connection) -> dict[ShipmentStatus, int]:
    """How many shipments have not come to a good end, by status."""
    rows = await connection.fetch(_COUNT_OPEN)
    return {ShipmentStatus(row["status"]): row["shipments"] for row in rows}


def _shipment(row: Row) -> Shipment:
    return Shipment(
        id=row["id"],
        order_id=row["order_id"],
        order_number=row["number"],
        location_id=row["location_id"],
        location=row["location"],
        status=ShipmentStatus(row["status"]),
        carried_by=row["carried_by"],
        service=row["service"],
        tracking_number=row["tracking_number"],
        carrier_reference=row["carrier_reference"],
        failure_reason=row["failure_reason"],
        actor=row["actor"],
        created_at=row["created_at"],
        shipped_at=row["shipped_at"],
        delivered_at=row["delivered_at"],
        cancel_requested_at=row["cancel_requested_at"],
        cancel_actor=row["cancel_actor"],
        reshipped_at=row["reshipped_at"],
        lines=_lines(row["lines"]),
        events=[_event(fields) for fields in row["events"]],
    )


def _lines(rows: Sequence[Sequence[Any]]) -> list[ShipmentLine]:
    return [
        ShipmentLine(position, UUID(variant_id), sku, title, quantity)
        for position, variant_id, sku, title, quantity in rows
    ]


def _event(fields: Sequence[Any]) -> TrackingEvent:
    id_, status, happened_at = fields
    return TrackingEvent(
        id_, ShipmentStatus(status), datetime.fromisoformat(happened_at)
    )
