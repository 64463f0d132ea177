"""Money that goes back or is taken later, and what the provider tells."""

from holdfast.api import discrepancies, payment_webhooks, refunds
from holdfast.api.policy import Priority, Route
from holdfast.domain import ordering, payments
from holdfast.kernel.page import BadCursor
from holdfast.platform.webhooks import WebhookNotVerified

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/v1/orders/{order_id:uuid}/capture",
        refunds.capture,
        cost=10,
        priority=Priority.OPERATE,
        claims="leased",
        others=(202,),
        scope="orders:write",
        status=200,
        raises=(
            ordering.OrderNotFound,
            payments.PaymentNotAuthorized,
        ),
    ),
    Route(
        "GET",
        "/v1/orders/{order_id:uuid}/refunds",
        refunds.browse,
        cost=2,
        priority=Priority.BROWSE,
        scope="orders:read",
        own="orders:own",
        guest=True,
        raises=(ordering.OrderNotFound,),
    ),
    Route(
        "POST",
        "/v1/orders/{order_id:uuid}/refunds",
        refunds.create,
        cost=10,
        priority=Priority.OPERATE,
        claims="explicit",
        others=(202,),
        scope="orders:refund",
        idempotent="required",
        raises=(
            ordering.OrderNotFound,
            ordering.LinesNotOpen,
            payments.RefundExceedsCaptured,
        ),
    ),
    Route(
        "GET",
        "/v1/payment-discrepancies",
        discrepancies.browse,
        cost=2,
        priority=Priority.OPERATE,
        of_kind="report",
        scope="orders:read",
        raises=(BadCursor,),
    ),
    Route(
        "GET",
        "/v1/refunds/{refund_id:uuid}",
        refunds.show,
        cost=1,
        priority=Priority.OPERATE,
        scope="orders:read",
        raises=(payments.RefundNotFound,),
    ),
    Route(
        "POST",
        "/v1/refunds/{refund_id:uuid}/retry",
        refunds.retry,
        cost=10,
        priority=Priority.OPERATE,
        claims="leased",
        others=(202,),
        scope="orders:refund",
        raises=(
            payments.RefundNotFound,
            payments.RefundNotFailed,
            payments.RefundExceedsCaptured,
        ),
    ),
    Route(
        "POST",
        "/v1/webhooks/payments",
        payment_webhooks.take,
        cost=0,
        priority=Priority.PAY,
        unkeyed="the provider's own id of what it tells is looked at",
        public=True,
        status=204,
        raises=(
            WebhookNotVerified,
            payments.WebhookUnreadable,
            payments.WebhooksNotConfigured,
        ),
    ),
)
