"""Refunds and captures: money that operators give back or take."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response

from holdfast.api import keyed
from holdfast.api.shapes import Amount, invalid
from holdfast.api.shop import Shop
from holdfast.domain import identity, ordering, payments
from holdfast.domain.identity import Caller
from holdfast.domain.ordering import Order
from holdfast.domain.payments import Closing, Progress, Refund
from holdfast.kernel.money import Money
from holdfast.platform.idempotency import Answer
from holdfast.workflows import capture as capturing
from holdfast.workflows import refunds
from holdfast.workflows.carts import owns
from holdfast.workflows.refunding import Refunding
from holdfast.workflows.settlement import lease_of_checkout

_REFUND = "POST /v1/orders/{order_id}/refunds"
_MOST_LINES = 1_000
_ENCODER = msgspec.json.Encoder()

Reason = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-z][a-z0-9_]{0,63}$(?!\n)",
        description="A word of your own; nothing personal belongs here.",
        examples=["damaged"],
    ),
]


class LineShare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Units of a line whose price goes back."""

    position: Annotated[int, msgspec.Meta(ge=1, le=_MOST_LINES)]
    quantity: Annotated[int, msgspec.Meta(ge=1, le=ordering.MAX_QUANTITY)]


class RefundWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes back: an amount, or the price of units."""

    reason: Reason
    amount: Amount | None = None
    lines: (
        Annotated[list[LineShare], msgspec.Meta(min_length=1, max_length=_MOST_LINES)]
        | None
    ) = None


class RefundView(msgspec.Struct, frozen=True):
    """Money that goes back; `requested_by` is for operators."""

    id: UUID
    order_id: UUID
    amount: Money
    status: Progress
    reason: str
    failure_reason: str | None
    retry_of: UUID | None
    requested_by: str | None
    requested_at: datetime
    settled_at: datetime | None

    @classmethod
    def of(cls, refund: Refund, *, for_operator: bool) -> "RefundView":
        return cls(
            refund.id,
            refund.order_id,
            refund.amount,
            refund.status,
            refund.reason,
            refund.failure_reason,
            refund.retry_of,
            refund.requested_by if for_operator else None,
            refund.requested_at,
            refund.settled_at,
        )


class RefundList(msgspec.Struct, frozen=True):
    """The refunds of an order, oldest first, and what can still be given back."""

    items: list[RefundView]
    refundable: Money


class ClosingView(msgspec.Struct, frozen=True):
    """How a payment ends that was only authorised."""

    order_id: UUID
    kind: payments.ClosingKind
    amount: Money
    status: Progress
    failure_reason: str | None
    requested_at: datetime
    settled_at: datetime | None

    @classmethod
    def of(cls, closing: Closing) -> "ClosingView":
        return cls(
            closing.order_id,
            closing.kind,
            closing.amount,
            closing.status,
            closing.failure_reason,
            closing.requested_at,
            closing.settled_at,
        )


MadeRefund = Annotated[Response[bytes], RefundView]
AskedRefund = Annotated[Response[RefundView], RefundView]
AskedCapture = Annotated[Response[ClosingView], ClosingView]


async def create(
    *,
    shop: Shop,
    caller: Caller,
    order_id: UUID,
    data: RefundWanted,
    idempotency_key: keyed.KeyHeader = None,
) -> MadeRefund:
    """Give money of an order back: an amount, or the price of units of its lines.

    201 once the provider has given it back, or refused to (``status`` says so); 202
    while it has not said, and then the worker goes on asking.
    """
    claim = keyed.claim(
        shop.vault,
        idempotency_key,
        caller=caller,
        route=_REFUND,
        subject=order_id,
        body=data,
        lease=lease_of_checkout(shop.settings.payment_timeout_seconds),
    )
    order = await ordering.find(shop.db, shop.vault, order_id)
    doing = Refunding(shop.db, shop.vault, shop.payments, shop.clock, _answer)
    answer, replayed = await doing.refund(
        order_id,
        _share(data, order),
        reason=data.reason,
        actor=caller.actor,
        claim=claim,
    )
    return keyed.response(answer, replayed=replayed)


async def browse(shop: Shop, caller: Caller, order_id: UUID) -> RefundList:
    """The refunds of an order, for its buyer and for operators."""
    order = await ordering.find(shop.db, shop.vault, order_id)
    if not owns(
        caller,
        order.token_hash,
        order.account_id,
        scope="orders:read",
        own="orders:own",
    ):
        raise ordering.OrderNotFound
    found = await payments.refunds_of(shop.db, order_id)
    for_operator = identity.may(caller, "orders:read")
    return RefundList(
        [RefundView.of(refund, for_operator=for_operator) for refund in found],
        ordering.refundable(order),
    )


async def show(shop: Shop, refund_id: UUID) -> RefundView:
    """A refund."""
    refund = await payments.find_refund(shop.db, refund_id)
    return RefundView.of(refund, for_operator=True)


async def retry(shop: Shop, caller: Caller, refund_id: UUID) -> AskedRefund:
    """Try a failed refund again, as a new one; once for each that failed."""
    retried = await refunds.retry(
        *(refund_id,),
        db=shop.db,
        vault=shop.vault,
        actor=caller.actor,
        clock=shop.clock,
    )
    refund = await refunds.carry_out(
        retried, db=shop.db, provider=shop.payments, clock=shop.clock
    )
    return Response(
        RefundView.of(refund, for_operator=True), status_code=_status(refund)
    )


async def capture(shop: Shop, caller: Caller, order_id: UUID) -> AskedCapture:
    """Take money that was set aside for an order, without waiting for its shipment.

    What the buyer keeps is taken: the total without what was canceled. Asking again
    does nothing more. 202 while the provider has not said.
    """
    closing = await capturing.capture_now(
        *(order_id,),
        db=shop.db,
        provider=shop.payments,
        clock=shop.clock,
        actor=caller.actor,
    )
    return Response(
        ClosingView.of(closing),
        status_code=202 if closing.status is Progress.PENDING else 200,
    )


def _share(data: RefundWanted, order: Order) -> Money | Mapping[int, int]:
    if (data.amount is None) == (data.lines is None):
        raise invalid("", "Say either amount or lines")
    if data.amount is not None:
        if data.amount.currency != order.currency:
            raise invalid("/amount/currency", f"The order is in {order.currency}")
        if data.amount.amount == 0:
            raise invalid("/amount/amount", "Expected `int` >= 1")
        return data.amount.money
    lines = data.lines or []
    quantities = {line.position: line.quantity for line in lines}
    if len(quantities) < len(lines):
        raise invalid("/lines", "Names a line more than once")
    return quantities


def _answer(refund: Refund) -> Answer:
    view = RefundView.of(refund, for_operator=True)
    headers: dict[str, str] = {
        "content-type": "application/json",
        "Location": f"/v1/refunds/{refund.id}",
    }
    return Answer(_status(refund), headers, _ENCODER.encode(view))


def _status(refund: Refund) -> int:
    return 202 if refund.status is Progress.PENDING else 201
