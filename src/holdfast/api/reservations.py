"""Stock held for a cart: made, renewed or replaced by one request."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response

from holdfast.api.carts import Quantity
from holdfast.api.drops import TicketsHeader
from holdfast.api.shapes import Sku
from holdfast.api.shop import Shop
from holdfast.domain import ordering
from holdfast.domain.identity import Caller
from holdfast.workflows.cart_lines import LineWanted
from holdfast.workflows.reservations import Hold


class ReservationLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many of a SKU."""

    sku: Sku
    quantity: Quantity


_Lines = Annotated[
    list[ReservationLine], msgspec.Meta(min_length=1, max_length=ordering.MAX_LINES)
]


class NewReservation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to hold, instead of what is held; without lines, those of the cart."""

    lines: _Lines | None = None

    @property
    def wanted(self) -> list[LineWanted] | None:
        if self.lines is None:
            return None
        return [LineWanted(line.sku, line.quantity) for line in self.lines]


class ReservationView(msgspec.Struct, frozen=True):
    """What is held for a cart, and until when."""

    cart_id: UUID
    expires_at: datetime
    lines: list[ReservationLine]

    @classmethod
    def of(cls, cart_id: UUID, hold: Hold) -> "ReservationView":
        lines = [ReservationLine(sku, quantity) for sku, quantity in hold.lines]
        return cls(cart_id, hold.expires_at, lines)


PutReservation = Annotated[Response[Any], ReservationView]
_EVERYTHING = NewReservation()


async def put(
    shop: Shop,
    caller: Caller,
    cart_id: UUID,
    data: NewReservation = _EVERYTHING,
    tickets: TicketsHeader = None,
) -> PutReservation:
    """Hold stock for a cart: all of it, or none.

    Answers 201 when nothing was held before, and 200 when a hold was renewed or
    replaced. Without lines, what is in the cart is held. Repeating the request renews
    the hold and never takes more; in all it lasts an hour at most. If it cannot be
    filled, what was held before still is.
    """
    hold = await shop.reservations.hold(cart_id, data.wanted, caller, tickets=tickets)
    return Response(
        ReservationView.of(cart_id, hold), status_code=201 if hold.is_new else 200
    )


async def show(shop: Shop, caller: Caller, cart_id: UUID) -> ReservationView:
    """What whoever asks holds for a cart."""
    return ReservationView.of(cart_id, await shop.reservations.find(cart_id, caller))


async def release(shop: Shop, caller: Caller, cart_id: UUID) -> None:
    """Give back what whoever asks holds for a cart."""
    await shop.reservations.release(cart_id, caller)
