"""Finding orders, and reading what happened to one."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from holdfast.api.decoding import invalid_parameter
from holdfast.api.listing import After, Limit, listing
from holdfast.api.orders import BuyersEmail, Orders, OrderView
from holdfast.api.shapes import CurrencyCode, Sku
from holdfast.api.shop import Shop
from holdfast.domain import ordering
from holdfast.domain.identity import Caller, may
from holdfast.domain.ordering import (
    FulfilmentStatus,
    OrderEvent,
    OrderStatus,
    PaymentStatus,
    Sort,
    Wanted,
)
from holdfast.kernel.moments import nearest
from holdfast.kernel.money import MAX_AMOUNT
from holdfast.kernel.page import DEFAULT_LIMIT, Page
from holdfast.workflows.carts import owns

_PATH = "/v1/orders"
# What operators tell each other, and who of them did what, is not for buyers.
_INTERNAL = frozenset({"note"})

Words = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=255,
        description="An order's number, or an e-mail address, SKU or tracking number, "
        "whole.",
    ),
]
Total = Annotated[int, msgspec.Meta(ge=0, le=MAX_AMOUNT, description="In minor units.")]
PlacedFrom = Annotated[
    datetime, msgspec.Meta(tz=True, description="Placed then or later.")
]
PlacedTo = Annotated[datetime, msgspec.Meta(tz=True, description="Placed before.")]
LocationCode = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=64,
        description="Code of a location where units are kept for the order.",
    ),
]


class OrderEventView(msgspec.Struct, frozen=True):
    """Something that happened to an order.

    `order`, `payment` and `fulfilment` are changes of state.
    """

    id: UUID
    kind: str
    from_state: str | None
    to_state: str | None
    actor: str
    detail: dict[str, Any]
    happened_at: datetime


class OrderEvents(msgspec.Struct, frozen=True):
    """Everything that happened to an order, oldest first."""

    items: list[OrderEventView]


async def browse(
    *,
    shop: Shop,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    sort: Sort = Sort.NEWEST,
    q: Words | None = None,
    status: OrderStatus | None = None,
    payment_status: PaymentStatus | None = None,
    fulfilment_status: FulfilmentStatus | None = None,
    email: BuyersEmail | None = None,
    account: UUID | None = None,
    sku: Sku | None = None,
    placed_from: PlacedFrom | None = None,
    placed_to: PlacedTo | None = None,
    min_total: Total | None = None,
    max_total: Total | None = None,
    currency: CurrencyCode | None = None,
    location: LocationCode | None = None,
) -> Orders:
    """Orders, newest first unless `sort` says otherwise.

    Each parameter narrows the list; `q` finds what somebody remembers of an order.
    Totals are compared in minor units, whatever the currency.
    """
    if q is not None and not q.strip():
        raise invalid_parameter("q", "Is blank")
    placed_from = placed_from and nearest(placed_from)
    placed_to = placed_to and nearest(placed_to)
    wanted = Wanted(
        text=q,
        email=email,
        account_id=account,
        sku=sku,
        status=status,
        payment_status=payment_status,
        fulfilment_status=fulfilment_status,
        placed_from=placed_from,
        placed_to=placed_to,
        min_total=min_total,
        max_total=max_total,
        currency=currency,
        location=location,
    )
    found = await ordering.search(
        shop.db, shop.vault, wanted, sort=sort, after=after, limit=limit
    )
    return listing(
        Page([OrderView.of(order) for order in found.items], found.next),
        _PATH,
        limit=limit,
        sort=None if sort is Sort.NEWEST else sort,
        q=q,
        status=status,
        payment_status=payment_status,
        fulfilment_status=fulfilment_status,
        email=email,
        account=account,
        sku=sku,
        placed_from=_said(placed_from),
        placed_to=_said(placed_to),
        min_total=min_total,
        max_total=max_total,
        currency=currency,
        location=location,
    )


async def events(shop: Shop, caller: Caller, order_id: UUID) -> OrderEvents:
    """What happened to an order, oldest first.

    Its buyer is not told of the shop's notes, and of people of the shop just that it
    was the shop.
    """
    order = await ordering.find(shop.db, shop.vault, order_id)
    if not owns(
        *(caller, order.token_hash, order.account_id),
        scope="orders:read",
        own="orders:own",
    ):
        raise ordering.OrderNotFound
    found = await ordering.events_of(shop.db, order_id)
    if may(caller, "orders:read"):
        return OrderEvents([_event(event, event.actor) for event in found])
    own = None if order.account_id is None else f"account:{order.account_id}"
    return OrderEvents(
        [
            _event(_without_suspicions(event), _as_told(event.actor, own))
            for event in found
            if event.kind not in _INTERNAL
        ]
    )


def _event(event: OrderEvent, actor: str) -> OrderEventView:
    return OrderEventView(
        event.id,
        event.kind,
        event.from_state,
        event.to_state,
        actor,
        dict(event.detail),
        event.happened_at,
    )


def _without_suspicions(event: OrderEvent) -> OrderEvent:
    """Why the shop did something is the shop's own."""
    detail = dict(event.detail)
    if detail.get("reason") != ordering.BUYERS_REASON:
        detail.pop("reason", None)
    return replace(event, detail=detail)


def _as_told(actor: str, own: str | None) -> str:
    """Who did it, as its buyer is told."""
    personal = actor.startswith(("account:", "key:", "client:"))
    return "shop" if personal and actor != own else actor


def _said(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
