"""Orders: a cart becomes one, its buyer reads it, operators read all."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response

from holdfast.api import keyed
from holdfast.api.drops import TicketsHeader
from holdfast.api.listing import Listing
from holdfast.api.problems import render
from holdfast.api.shapes import Amount
from holdfast.api.shop import Shop
from holdfast.domain import ordering, payments
from holdfast.domain.identity import Caller, may
from holdfast.domain.ordering import (
    Address,
    FulfilmentStatus,
    Order,
    OrderLine,
    OrderStatus,
    PaymentStatus,
    Shipping,
)
from holdfast.kernel.errors import DomainError
from holdfast.kernel.money import Money
from holdfast.platform.idempotency import Answer
from holdfast.resilience.asgi import Scope
from holdfast.workflows.carts import owns
from holdfast.workflows.checkout import AwaitsBuyer, Checkout
from holdfast.workflows.doors import Entrance
from holdfast.workflows.settlement import lease_of_checkout

_PATH = "/v1/orders"
_CHECKOUT = "POST /v1/carts/{cart_id}/checkout"
_ENCODER = msgspec.json.Encoder()


class CheckoutWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the buyer pays, and what they believe it costs."""

    payment_method: Annotated[
        str,
        msgspec.Meta(pattern=r"^[\x21-\x7e]{1,255}$(?!\n)", examples=["pm_card_ok"]),
    ]
    expected_total: Amount | None = None
    return_url: (
        Annotated[
            str,
            msgspec.Meta(
                pattern=r"^https?://[\x21-\x7e]{1,2000}$(?!\n)",
                description="Where the buyer comes back to after doing something at "
                "the payment provider (3-D Secure).",
                examples=["https://shop.example/paid"],
            ),
        ]
        | None
    ) = None


class NextAction(msgspec.Struct, frozen=True):
    """What the buyer has to do before the payment goes on."""

    type: Literal["redirect"]
    url: str


class PaymentView(msgspec.Struct, frozen=True):
    """Where the money is."""

    status: PaymentStatus
    reference: str | None
    failure_reason: str | None
    captured_amount: Money
    refunded_amount: Money
    # Refunds that the provider has not carried out yet.
    pending_refund_amount: Money
    kind: Literal["provider", "external"]
    next_action: NextAction | None = None

    @classmethod
    def of(cls, order: Order, url: str | None) -> "PaymentView":
        return cls(
            order.payment_status,
            order.payment_reference,
            order.failure_reason,
            Money(order.captured_amount, order.currency),
            Money(order.refunded_amount, order.currency),
            Money(order.refunding_amount, order.currency),
            "external" if order.paid_outside else "provider",
            None if url is None else NextAction("redirect", url),
        )


class OrderLineView(msgspec.Struct, frozen=True):
    """A line as it was sold, and what became of it since."""

    position: int
    sku: str
    variant_id: UUID
    title: str
    quantity: int
    unit_price: Money
    total: Money
    canceled_quantity: int
    fulfilled_quantity: int
    returned_quantity: int

    @classmethod
    def of(cls, line: OrderLine) -> "OrderLineView":
        return cls(
            position=line.position,
            sku=line.sku,
            variant_id=line.variant_id,
            title=line.title,
            quantity=line.quantity,
            unit_price=line.unit_price,
            total=line.total,
            canceled_quantity=line.canceled,
            fulfilled_quantity=line.fulfilled,
            returned_quantity=line.returned,
        )


class OrderView(msgspec.Struct, frozen=True):
    """An order; its totals never change, and its lines say what became of them.

    E-mail and address are null once the person was erased.
    """

    id: UUID
    number: str
    status: OrderStatus
    payment_status: PaymentStatus
    fulfilment_status: FulfilmentStatus
    cart_id: UUID
    currency: str
    email: str | None
    lines: list[OrderLineView]
    shipping_address: Address | None
    shipping: Shipping
    subtotal: Money
    shipping_total: Money
    credit: Money
    total: Money
    # What it is worth without what was canceled.
    current_total: Money
    payment: PaymentView
    placed_at: datetime
    settled_at: datetime | None
    completed_at: datetime | None
    canceled_at: datetime | None
    cancel_reason: str | None

    @classmethod
    def of(cls, order: Order, action: str | None = None) -> "OrderView":
        """As it is; *action* is where the buyer of a pending one has to go."""
        return cls(
            id=order.id,
            number=order.label,
            status=order.status,
            payment_status=order.payment_status,
            fulfilment_status=order.fulfilment_status,
            cart_id=order.cart_id,
            currency=order.currency,
            email=order.email,
            lines=[OrderLineView.of(line) for line in order.lines],
            shipping_address=order.shipping_address,
            shipping=order.shipping,
            subtotal=order.subtotal,
            shipping_total=order.shipping.price,
            credit=Money(order.credit_amount, order.currency),
            total=order.total,
            current_total=ordering.value_of(order),
            payment=PaymentView.of(order, action),
            placed_at=order.placed_at,
            settled_at=order.settled_at,
            completed_at=order.completed_at,
            canceled_at=order.canceled_at,
            cancel_reason=order.cancel_reason,
        )


BuyersEmail = Annotated[
    str,
    msgspec.Meta(
        min_length=3,
        max_length=254,
        description="The buyer's whole address; upper and lower case are the same.",
    ),
]
PlacedOrder = Annotated[Response[bytes], OrderView]
Orders = Annotated[Response[Any], Listing[OrderView]]


async def checkout(
    *,
    shop: Shop,
    caller: Caller,
    request: Request[Any, Any, Any],
    cart_id: UUID,
    data: CheckoutWanted,
    idempotency_key: keyed.KeyHeader = None,
    tickets: TicketsHeader = None,
) -> PlacedOrder:
    """Order and pay a cart.

    201 with the confirmed order; 202 while the payment provider has not said whether
    the payment went through (read the order until it is settled), or while the buyer
    has to do something at ``payment.next_action`` first; 402 when the
    payment was declined, and then the cart is open again.
    """
    claim = keyed.claim(
        shop.vault,
        idempotency_key,
        caller=caller,
        route=_CHECKOUT,
        subject=cart_id,
        body=data,
        lease=lease_of_checkout(shop.settings.payment_timeout_seconds),
    )
    expected = data.expected_total
    scope: Scope = request.scope  # type: ignore[assignment]
    doing = Checkout(
        shop.db,
        shop.vault,
        shop.payments,
        shop.clock,
        render=lambda told: answer_to(told, scope),
        rush=shop.rush,
        entrance=Entrance(shop.doors, tickets, caller),
        keeps=timedelta(seconds=shop.settings.reservation_seconds),
        carrier=shop.carrier,
    )
    answer, replayed = await doing.place_order(
        cart_id,
        payment_method=data.payment_method,
        expected_total=None if expected is None else expected.money,
        caller=caller,
        claim=claim,
        return_url=data.return_url,
    )
    shop.doors.served()
    return keyed.response(answer, replayed=replayed)


async def show(shop: Shop, caller: Caller, order_id: UUID) -> OrderView:
    """An order, for its buyer, whoever holds its cart's token, and operators."""
    order = await ordering.find(shop.db, shop.vault, order_id)
    if not owns(
        caller,
        order.token_hash,
        order.account_id,
        scope="orders:read",
        own="orders:own",
    ):
        raise ordering.OrderNotFound
    action = None
    if order.status is OrderStatus.PENDING:
        action = await payments.find_action(shop.db, order.id)
    if not may(caller, "orders:read"):
        order = order.for_buyer()
    return OrderView.of(order, None if action is None else action.url)


def answer_to(told: Order | AwaitsBuyer | DomainError, scope: Scope) -> Answer:
    """What a client is told of a checkout, to be kept and told again."""
    if isinstance(told, DomainError):
        reply = render(told, scope)
        headers = {name.decode(): value.decode() for name, value in reply.headers}
        return Answer(reply.status, headers, reply.body)
    if isinstance(told, AwaitsBuyer):
        order, action = told.order, told.url
    else:
        order, action = told, None
    headers = {"content-type": "application/json", "Location": f"{_PATH}/{order.id}"}
    pending = order.status is OrderStatus.PENDING
    if pending:
        # The worker asks the provider about it some 15 seconds after it was placed.
        headers["Retry-After"] = "5"
    body = _ENCODER.encode(OrderView.of(order, action))
    return Answer(202 if pending else 201, headers, body)
