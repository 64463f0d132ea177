"""Shipments: operators send orders, buyers see where their parcels are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response

from holdfast.api import keyed
from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.problems import render
from holdfast.api.shop import Shop
from holdfast.domain import inventory, ordering, shipping
from holdfast.domain.identity import Caller
from holdfast.domain.shipping import Shipment, ShipmentStatus
from holdfast.kernel.errors import DomainError
from holdfast.kernel.page import DEFAULT_LIMIT, Page
from holdfast.platform.idempotency import Answer
from holdfast.resilience.asgi import Scope
from holdfast.workflows.carts import owns
from holdfast.workflows.dispatch import Dispatch
from holdfast.workflows.fulfilment import Fulfilment, Wish, lease_of_fulfilment

_PATH = "/v1/shipments"
_SHIP = "POST /v1/orders/{order_id}/shipments"
_ENCODER = msgspec.json.Encoder()

Code = Annotated[
    str,
    msgspec.Meta(min_length=1, max_length=64, description="Id or code of a location."),
]
TrackingNumber = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{1,64}$(?!\n)", examples=["HF123456785DE"])
]


class UnitsWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many units of a line of the order."""

    position: Annotated[int, msgspec.Meta(ge=1, le=ordering.MAX_LINES)]
    quantity: Annotated[int, msgspec.Meta(ge=1, le=ordering.MAX_QUANTITY)]


class ShipmentWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be sent, from where and by whom; what is left out the shop decides."""

    lines: (
        Annotated[
            list[UnitsWanted], msgspec.Meta(min_length=1, max_length=ordering.MAX_LINES)
        ]
        | None
    ) = None
    location: Code | None = None
    by: Literal["carrier", "hand"] | None = None
    service: (
        Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_-]{1,64}$(?!\n)")] | None
    ) = None
    tracking_number: TrackingNumber | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if self.tracking_number is not None and self.by != "hand":
            raise ValueError("A tracking number is given for what is sent by hand")
        if self.service is not None and self.by == "hand":
            raise ValueError("What is sent by hand has no service of the carrier")
        positions = [line.position for line in self.lines or ()]
        if len(set(positions)) < len(positions):
            raise ValueError("Each line may be named once")

    @property
    def wish(self) -> Wish:
        units = None
        if self.lines is not None:
            units = {line.position: line.quantity for line in self.lines}
        location = None if self.location is None else _location(self.location)
        return Wish(units, location, self.by, self.service, self.tracking_number)


_EVERYTHING = ShipmentWanted()


class ShipmentLineView(msgspec.Struct, frozen=True):
    """So many units of a line of the order."""

    position: int
    sku: str
    title: str
    quantity: int


class ParcelEventView(msgspec.Struct, frozen=True):
    """Something that happened to a parcel."""

    status: ShipmentStatus
    happened_at: datetime


class ParcelView(msgspec.Struct, frozen=True):
    """A shipment as its buyer sees it."""

    id: UUID
    status: ShipmentStatus
    service: str | None
    tracking_number: str | None
    lines: list[ShipmentLineView]
    events: list[ParcelEventView]
    shipped_at: datetime | None
    delivered_at: datetime | None

    @classmethod
    def of(cls, shipment: Shipment) -> "ParcelView":
        return cls(
            id=shipment.id,
            status=shipment.status,
            service=shipment.service,
            tracking_number=shipment.tracking_number,
            lines=_lines(shipment),
            events=_events(shipment),
            shipped_at=shipment.shipped_at,
            delivered_at=shipment.delivered_at,
        )


class ShipmentView(msgspec.Struct, frozen=True):
    """A shipment as operators see it."""

    id: UUID
    order_id: UUID
    order_number: str
    location_id: UUID
    location: str
    status: ShipmentStatus
    by: Literal["carrier", "hand"]
    service: str | None
    tracking_number: str | None
    label: str | None
    failure_reason: str | None
    actor: str
    lines: list[ShipmentLineView]
    events: list[ParcelEventView]
    created_at: datetime
    shipped_at: datetime | None
    delivered_at: datetime | None
    cancel_requested_at: datetime | None
    reshipped_at: datetime | None

    @classmethod
    def of(cls, shipment: Shipment) -> "ShipmentView":
        labelled = shipment.has_label
        return cls(
            id=shipment.id,
            order_id=shipment.order_id,
            order_number=shipment.order_label,
            location_id=shipment.location_id,
            location=shipment.location,
            status=shipment.status,
            by=shipment.carried_by,
            service=shipment.service,
            tracking_number=shipment.tracking_number,
            label=f"{_PATH}/{shipment.id}/label.pdf" if labelled else None,
            failure_reason=shipment.failure_reason,
            actor=shipment.actor,
            lines=_lines(shipment),
            events=_events(shipment),
            created_at=shipment.created_at,
            shipped_at=shipment.shipped_at,
            delivered_at=shipment.delivered_at,
            cancel_requested_at=shipment.cancel_requested_at,
            reshipped_at=shipment.reshipped_at,
        )


class ShipmentsMade(msgspec.Struct, frozen=True):
    """What came of a wish to send something: one shipment a location."""

    shipments: list[ShipmentView]


Made = Annotated[Response[bytes], ShipmentsMade]
Shipments = Annotated[Response[Any], Listing[ShipmentView]]
Parcels = Annotated[Response[Any], Listing[ParcelView]]
Canceled = Annotated[Response[ShipmentView], ShipmentView]


async def create(
    *,
    shop: Shop,
    caller: Caller,
    request: Request[Any, Any, Any],
    order_id: UUID,
    data: ShipmentWanted = _EVERYTHING,
    idempotency_key: keyed.KeyHeader = None,
) -> Made:
    """Send units of an order: without a body, all that is open and there.

    Without a location there is one shipment for each that has stock of it. 201 once
    every shipment is certain; 202 while the carrier does not answer for one, which the
    shop goes on asking (read the shipment until it is not `pending`); 409 when nothing
    can be sent.
    """
    claim = keyed.claim(
        shop.vault,
        idempotency_key,
        caller=caller,
        route=_SHIP,
        subject=order_id,
        body=data,
        lease=lease_of_fulfilment(shop.settings.carrier_timeout_seconds),
    )
    scope: Scope = request.scope  # type: ignore[assignment]
    doing = Fulfilment(dispatch_of(shop), render=lambda told: _answer(told, scope))
    answer, replayed = await doing.ship(
        order_id, data.wish, actor=caller.actor, claim=claim
    )
    return keyed.response(answer, replayed=replayed)


async def of_order(
    shop: Shop,
    caller: Caller,
    order_id: UUID,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
) -> Parcels:
    """The shipments of an order, newest first, for its buyer and operators."""
    order = await ordering.find(shop.db, shop.vault, order_id)
    if not owns(
        caller,
        order.token_hash,
        order.account_id,
        scope="orders:read",
        own="orders:own",
    ):
        raise ordering.OrderNotFound
    found = await shipping.browse(shop.db, after=after, limit=limit, order_id=order_id)
    page = Page([ParcelView.of(shipment) for shipment in found.items], found.next)
    return listing(page, f"/v1/orders/{order_id}/shipments", limit=limit)


async def browse(
    *,
    shop: Shop,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    status: ShipmentStatus | None = None,
    order: UUID | None = None,
    location: Code | None = None,
) -> Shipments:
    """Shipments, newest first; `?status=exception` are those with trouble."""
    location_id = None
    if location is not None:
        location_id = (await inventory.find_location(shop.db, _location(location))).id
    found = await shipping.browse(
        shop.db,
        after=after,
        limit=limit,
        status=status,
        order_id=order,
        location_id=location_id,
    )
    page = Page([ShipmentView.of(shipment) for shipment in found.items], found.next)
    return listing(
        page, _PATH, limit=limit, status=status, order=order, location=location
    )


async def show(shop: Shop, shipment_id: UUID) -> ShipmentView:
    """A shipment with what happened to it."""
    return ShipmentView.of(await shipping.find(shop.db, shipment_id))


async def label(shop: Shop, shipment_id: UUID) -> Response[bytes]:
    """The carrier's label, as it is there now; the shop keeps none."""
    shipment = await shipping.find(shop.db, shipment_id)
    if not shipment.has_label or shipment.carrier_reference is None:
        raise shipping.LabelNotFound
    try:
        content = await shop.carrier.label(shipment.carrier_reference)
    except shipping.CarrierFailed as error:
        raise shipping.CarrierUnavailable from error
    name = f"label-{shipment.order_label}-{shipment.tracking_number}.pdf"
    return Response(
        content,
        media_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def cancel(shop: Shop, caller: Caller, shipment_id: UUID) -> Canceled:
    """Cancel a shipment that nobody has picked up; its units are open again.

    202 while the carrier does not answer: the wish stands (`cancel_requested_at`), and
    the shop goes on asking.
    """
    shipment = await dispatch_of(shop).cancel(shipment_id, actor=caller.actor)
    done = shipment.status is ShipmentStatus.CANCELED
    return Response(ShipmentView.of(shipment), status_code=200 if done else 202)


async def reship(shop: Shop, caller: Caller, shipment_id: UUID) -> ShipmentView:
    """Open the units of a shipment that was lost, or came back, to be sent again.

    For a lost one other units are reserved; those of one that came back are on the
    shelf again. To give the money back instead, refund the order.
    """
    doing = Fulfilment(dispatch_of(shop), render=_never)
    return ShipmentView.of(await doing.reship(shipment_id, actor=caller.actor))


def dispatch_of(shop: Shop) -> Dispatch:
    return Dispatch(shop.db, shop.vault, shop.carrier, shop.clock, shop.payments)


def _never(_: object) -> Answer:
    raise AssertionError("only what is sent under a key is rendered")


def _location(said: str) -> str | UUID:
    try:
        return UUID(said)
    except ValueError:
        return said


def _lines(shipment: Shipment) -> list[ShipmentLineView]:
    return [
        ShipmentLineView(line.position, line.sku, line.title, line.quantity)
        for line in shipment.lines
    ]


def _events(shipment: Shipment) -> list[ParcelEventView]:
    return [ParcelEventView(e.status, e.happened_at) for e in shipment.events]


def _answer(told: Sequence[Shipment] | DomainError, scope: Scope) -> Answer:
    if isinstance(told, DomainError):
        reply = render(told, scope)
        headers = {name.decode(): value.decode() for name, value in reply.headers}
        return Answer(reply.status, headers, reply.body)
    waits = any(shipment.status is ShipmentStatus.PENDING for shipment in told)
    headers = {"content-type": "application/json"}
    if waits:
        # The worker takes it up some ten seconds after it was asked for.
        headers["Retry-After"] = "5"
    body = _ENCODER.encode(ShipmentsMade([ShipmentView.of(s) for s in told]))
    return Answer(202 if waits else 201, headers, body)
