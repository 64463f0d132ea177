"""Where parcels are: what the carrier tells, and what operators know better."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response

from holdfast.api import decoding
from holdfast.api.shapes import invalid
from holdfast.api.shipments import ShipmentView, dispatch_of
from holdfast.api.shop import Shop
from holdfast.domain import payments, shipping
from holdfast.domain.identity import Caller
from holdfast.domain.shipping import ShipmentStatus, TrackingEvent
from holdfast.kernel.moments import OFF_CALENDAR, on_calendar
from holdfast.platform.webhooks import WebhookNotVerified
from holdfast.resilience.asgi import Scope
from holdfast.resilience.errors import BodyTooLarge
from holdfast.workflows import carrier_webhooks
from holdfast.workflows.tracking import Tracking

MOST_BYTES = 256 * 1024


class EventWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a shipment made by hand is, and since when."""

    status: Literal[
        "in_transit",
        "out_for_delivery",
        "exception",
        "lost",
        "returned",
        "delivered",
    ]
    happened_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class TrackedEventView(msgspec.Struct, frozen=True):
    """Something that happened to a parcel, in the carrier's words."""

    status: ShipmentStatus
    description: str
    happened_at: datetime


class TrackingView(msgspec.Struct, frozen=True):
    """What is known of a parcel at this moment."""

    tracking_number: str | None
    events: list[TrackedEventView]


async def show(shop: Shop, shipment_id: UUID) -> TrackingView:
    """What the carrier says of a shipment now, in its own words, which are not kept.

    Of a shipment made by hand, what operators said of it.
    """
    shipment = await shipping.find(shop.db, shipment_id)
    events = shipment.events
    if shipment.carried_by == "carrier" and shipment.tracking_number is not None:
        try:
            tracked = await shop.carrier.track(shipment.tracking_number)
        except shipping.CarrierFailed as error:
            raise shipping.CarrierUnavailable from error
        if tracked is not None:
            events = tracked.events
    return TrackingView(shipment.tracking_number, [_view(event) for event in events])


async def report(
    shop: Shop, caller: Caller, shipment_id: UUID, data: EventWanted
) -> ShipmentView:
    """Say where a shipment made by hand is."""
    if data.happened_at is not None and not on_calendar(data.happened_at):
        raise invalid("/happened_at", OFF_CALENDAR.capitalize())
    moved = await Tracking(dispatch_of(shop)).report(
        shipment_id,
        ShipmentStatus(data.status),
        happened_at=data.happened_at,
        actor=caller.actor,
    )
    return ShipmentView.of(moved)


async def webhook(shop: Shop, request: Request[Any, Any, Any]) -> Response[None]:
    """What the carrier says by itself (Standard Webhooks).

    204 also for what was said before. 404 for a parcel that the shop does not know, or
    not yet: the carrier says it again later. The body is the carrier's.
    """
    result = "failed"
    try:
        await _take(shop, request)
        result = "done"
    except WebhookNotVerified:
        result = "refused"
        raise
    except shipping.CarrierMessageUnreadable:
        result = "unreadable"
        raise
    except shipping.ShipmentNotFound:
        result = "unknown"
        raise
    finally:
        shop.metrics.carrier_webhooks.labels(result).inc()
    return Response(None, status_code=204)


async def _take(shop: Shop, request: Request[Any, Any, Any]) -> None:
    secrets = shop.settings.carrier_webhook_secrets
    if not secrets:
        raise payments.WebhooksNotConfigured
    body = await decoding.read_all(request.receive)  # type: ignore[arg-type]
    if len(body) > MOST_BYTES:
        raise BodyTooLarge(limit_bytes=MOST_BYTES)
    scope: Scope = request.scope  # type: ignore[assignment]
    headers = {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in scope["headers"]
    }
    await carrier_webhooks.receive(
        Tracking(dispatch_of(shop)), headers, body, secrets=secrets
    )


def _view(event: TrackingEvent) -> TrackedEventView:
    return TrackedEventView(event.status, event.description, event.happened_at)
