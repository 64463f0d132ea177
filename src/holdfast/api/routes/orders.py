"""Orders: finding, reading and changing them."""

from holdfast.api import order_changes, order_notes, order_search, orders
from holdfast.api.policy import Priority, Route
from holdfast.domain import inventory, ordering, payments
from holdfast.kernel.page import BadCursor
from holdfast.platform import idempotency

_KEYED = (
    idempotency.IdempotencyKeyMissing,
    idempotency.IdempotencyKeyMalformed,
    idempotency.IdempotencyKeyReused,
)
_CHANGING = (
    ordering.OrderNotFound,
    ordering.OrderNotOpen,
    ordering.OrderShipped,
)

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/orders",
        order_search.browse,
        cost=5,
        priority=Priority.OPERATE,
        scope="orders:read",
        raises=(BadCursor,),
    ),
    Route(
        "GET",
        "/v1/orders/{order_id:uuid}",
        orders.show,
        cost=1,
        priority=Priority.BUY,
        scope="orders:read",
        own="orders:own",
        guest=True,
        raises=(ordering.OrderNotFound,),
    ),
    Route(
        "GET",
        "/v1/orders/{order_id:uuid}/events",
        order_search.events,
        cost=1,
        priority=Priority.BROWSE,
        scope="orders:read",
        own="orders:own",
        guest=True,
        raises=(ordering.OrderNotFound,),
    ),
    Route(
        "GET",
        "/v1/orders/{order_id:uuid}/notes",
        order_notes.browse,
        cost=1,
        priority=Priority.OPERATE,
        scope="orders:read",
        raises=(ordering.OrderNotFound,),
    ),
    Route(
        "POST",
        "/v1/orders/{order_id:uuid}/notes",
        order_notes.create,
        cost=5,
        priority=Priority.OPERATE,
        scope="orders:write",
        raises=(ordering.OrderNotFound,),
    ),
    Route(
        "PATCH",
        "/v1/orders/{order_id:uuid}",
        order_changes.change,
        cost=5,
        priority=Priority.OPERATE,
        scope="orders:write",
        raises=(*_CHANGING, ordering.BuyerErased),
    ),
    Route(
        "POST",
        "/v1/orders/{order_id:uuid}/cancellation",
        order_changes.cancel,
        cost=10,
        asks="payment",
        priority=Priority.BUY,
        claims="explicit",
        scope="orders:write",
        own="orders:own",
        guest=True,
        idempotent="required",
        status=200,
        raises=(
            *_KEYED,
            *_CHANGING,
            ordering.LinesNotOpen,
            payments.CaptureUnderWay,
            payments.PaymentOutcomeUnknown,
        ),
    ),
    Route(
        "POST",
        "/v1/orders/{order_id:uuid}/edits",
        order_changes.edit,
        cost=5,
        priority=Priority.OPERATE,
        claims="explicit",
        scope="orders:write",
        idempotent="required",
        status=200,
        raises=(
            *_KEYED,
            *_CHANGING,
            ordering.LinesNotOpen,
            ordering.NothingLeft,
            ordering.EditNeedsPayment,
            ordering.CartTooLarge,
            ordering.CurrencyMismatch,
            ordering.UnknownSku,
            ordering.VariantUnavailable,
            inventory.OutOfStock,
            payments.CaptureUnderWay,
        ),
    ),
)
