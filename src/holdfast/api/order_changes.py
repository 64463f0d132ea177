"""Cancelling orders, and changing them before they are sent."""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response
from msgspec import UNSET, UnsetType

from holdfast.api import keyed
from holdfast.api.orders import OrderView
from holdfast.api.problems import MissingScope
from holdfast.api.shapes import (
    Amount,
    Email,
    PostalAddress,
    Sku,
    email_address,
    invalid,
)
from holdfast.api.shop import Shop
from holdfast.domain import identity, ordering
from holdfast.domain.identity import Caller
from holdfast.domain.ordering import Order
from holdfast.platform.idempotency import Answer
from holdfast.workflows.cancellation import SCOPE, Cancellation
from holdfast.workflows.cart_lines import LineWanted
from holdfast.workflows.edits import Edit, Edits, PersonChange

_CANCEL = "POST /v1/orders/{order_id}/cancellation"
_EDIT = "POST /v1/orders/{order_id}/edits"
_LEASE = timedelta(seconds=30)
_MOST = ordering.MAX_LINES
_ENCODER = msgspec.json.Encoder()


class CancelReason(StrEnum):
    """Why an order is canceled."""

    CUSTOMER = "customer"
    INVENTORY = "inventory"
    FRAUD = "fraud"
    MISTAKE = "mistake"
    OTHER = "other"


Position = Annotated[int, msgspec.Meta(ge=1, le=_MOST)]
Quantity = Annotated[int, msgspec.Meta(ge=1, le=ordering.MAX_QUANTITY)]


class LineToCancel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many units of a line."""

    position: Position
    quantity: Quantity


class CancellationWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is canceled: everything that was not shipped, if no lines are named."""

    reason: CancelReason = CancelReason.CUSTOMER
    lines: (
        Annotated[
            list[LineToCancel],
            msgspec.Meta(min_length=1, max_length=ordering.MAX_LINES),
        ]
        | None
    ) = None


class LineToKeep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many of a line are kept; 0 removes it."""

    position: Position
    quantity: Annotated[int, msgspec.Meta(ge=0, le=ordering.MAX_QUANTITY)]


class LineToAdd(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line to add, at today's price; another price needs prices:override."""

    sku: Sku
    quantity: Quantity
    unit_price: Amount | None = None


class EditWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of the lines of an order; lines not named stay."""

    lines: Annotated[list[LineToKeep], msgspec.Meta(max_length=_MOST)] = []
    add: Annotated[list[LineToAdd], msgspec.Meta(max_length=_MOST)] = []


class OrderChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where it goes and who is told; what is absent stays."""

    email: Email | UnsetType = UNSET
    shipping_address: PostalAddress | UnsetType = UNSET


ChangedOrder = Annotated[Response[bytes], OrderView]


async def cancel(
    *,
    shop: Shop,
    caller: Caller,
    order_id: UUID,
    data: CancellationWanted,
    idempotency_key: keyed.KeyHeader = None,
) -> ChangedOrder:
    """Cancel an order, or units of its lines.

    Its stock is free at once, and the money for it goes back: see `payment`. The
    price of the shipping is given back with the last unit. The buyer may cancel until
    something was shipped; the shop may cancel what was not.
    """
    claim = keyed.claim(
        shop.vault,
        idempotency_key,
        caller=caller,
        route=_CANCEL,
        subject=order_id,
        body=data,
        lease=_LEASE,
    )
    units = None if data.lines is None else _by_position(data.lines)
    doing = Cancellation(
        shop.db, shop.vault, shop.payments, shop.clock, caller, render=_answer
    )
    reason = data.reason if identity.may(caller, SCOPE) else CancelReason.CUSTOMER
    answer, replayed = await doing.cancel(order_id, units, reason=reason, claim=claim)
    return keyed.response(answer, replayed=replayed)


async def edit(
    *,
    shop: Shop,
    caller: Caller,
    order_id: UUID,
    data: EditWanted,
    idempotency_key: keyed.KeyHeader = None,
) -> ChangedOrder:
    """Reduce, remove and add lines of an order of which nothing was shipped.

    All of it happens or nothing: the stock is reserved anew, and what the order is
    worth less goes back. It cannot come to cost more than it did.
    """
    if not data.lines and not data.add:
        raise invalid("", "Says neither which lines to keep nor what to add")
    overridden = any(line.unit_price is not None for line in data.add)
    if overridden and not identity.may(caller, "prices:override"):
        raise MissingScope("prices:override")
    claim = keyed.claim(
        shop.vault,
        idempotency_key,
        caller=caller,
        route=_EDIT,
        subject=order_id,
        body=data,
        lease=_LEASE,
    )
    wanted = Edit(
        _by_position(data.lines),
        [
            LineWanted(
                line.sku,
                line.quantity,
                None if line.unit_price is None else line.unit_price.money,
            )
            for line in data.add
        ],
    )
    answer, replayed = await _edits(shop, caller).edit(
        order_id, wanted, claim=claim, render=_answer
    )
    return keyed.response(answer, replayed=replayed)


async def change(
    shop: Shop, caller: Caller, order_id: UUID, data: OrderChanges
) -> OrderView:
    """Change where an order goes or who is told of it, before any of it was shipped.

    The price of the shipping stays what it was.
    """
    email, where = data.email, data.shipping_address
    wanted = PersonChange(
        email if isinstance(email, UnsetType) else email_address(email, "/email"),
        where if isinstance(where, UnsetType) else where.address("/shipping_address"),
    )
    return OrderView.of(await _edits(shop, caller).change_person(order_id, wanted))


def _edits(shop: Shop, caller: Caller) -> Edits:
    return Edits(shop.db, shop.vault, shop.payments, shop.clock, caller)


def _by_position(lines: Sequence[LineToCancel | LineToKeep]) -> dict[int, int]:
    found: dict[int, int] = {}
    for index, line in enumerate(lines):
        if line.position in found:
            raise invalid(f"/lines/{index}/position", "Is named twice")
        found[line.position] = line.quantity
    return found


def _answer(order: Order) -> Answer:
    headers: dict[str, Any] = {"content-type": "application/json"}
    return Answer(200, headers, _ENCODER.encode(OrderView.of(order)))
