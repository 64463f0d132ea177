"""Carts: what buyers fill and order, what operators prepare for them."""

from holdfast.api import carts, orders
from holdfast.api.policy import Priority, Route
from holdfast.domain import inventory as stock
from holdfast.domain import ordering, payments

_READING_CARTS = (
    ordering.CartNotFound,
    ordering.CartMerged,
    ordering.CartExpired,
    ordering.DraftDiscarded,
)
_CHANGING_CARTS = (
    *_READING_CARTS,
    ordering.CartAlreadyOrdered,
    ordering.CartChanged,
    ordering.CartBusy,
    ordering.TotalTooLarge,
)
_CHANGING_LINES = (*_CHANGING_CARTS, ordering.OfferFixed)
_ADDING_LINES = (
    ordering.UnknownSku,
    ordering.VariantUnavailable,
    ordering.CurrencyMismatch,
    ordering.CartTooLarge,
)
_CHECKING_OUT = (
    *_READING_CARTS,
    ordering.CartAlreadyOrdered,
    ordering.CartEmpty,
    ordering.CartIncomplete,
    ordering.VariantUnavailable,
    ordering.TotalChanged,
    ordering.TotalTooLarge,
    stock.OutOfStock,
    payments.PaymentDeclined,
    payments.PaymentUnavailable,
    payments.UnknownPaymentMethod,
)

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/v1/carts",
        carts.create,
        cost=3,
        priority=Priority.BUY,
        public=True,
        raises=(*_ADDING_LINES, ordering.TotalTooLarge),
    ),
    Route(
        "GET",
        "/v1/carts/{cart_id:uuid}",
        carts.show,
        cost=1,
        priority=Priority.BUY,
        scope="carts:write",
        own="carts:own",
        guest=True,
        raises=_READING_CARTS,
    ),
    Route(
        "PATCH",
        "/v1/carts/{cart_id:uuid}",
        carts.change,
        cost=2,
        priority=Priority.BUY,
        scope="carts:write",
        own="carts:own",
        guest=True,
        raises=_CHANGING_CARTS,
    ),
    Route(
        "POST",
        "/v1/carts/{cart_id:uuid}/lines",
        carts.add_line,
        cost=2,
        priority=Priority.BUY,
        scope="carts:write",
        own="carts:own",
        guest=True,
        raises=(*_CHANGING_LINES, *_ADDING_LINES),
    ),
    Route(
        "PATCH",
        "/v1/carts/{cart_id:uuid}/lines/{line_id:uuid}",
        carts.change_line,
        cost=2,
        priority=Priority.BUY,
        scope="carts:write",
        own="carts:own",
        guest=True,
        raises=(*_CHANGING_LINES, ordering.CartLineNotFound),
    ),
    Route(
        "DELETE",
        "/v1/carts/{cart_id:uuid}/lines/{line_id:uuid}",
        carts.remove_line,
        cost=2,
        priority=Priority.BUY,
        scope="carts:write",
        own="carts:own",
        guest=True,
        raises=(*_CHANGING_LINES, ordering.CartLineNotFound),
        status=200,
    ),
    Route(
        "POST",
        "/v1/carts/{cart_id:uuid}/checkout",
        orders.checkout,
        cost=10,
        priority=Priority.BUY,
        scope="orders:write",
        own="carts:own",
        guest=True,
        idempotent="required",
        raises=_CHECKING_OUT,
    ),
    Route(
        "GET",
        "/v1/me/cart",
        carts.show_own,
        cost=1,
        priority=Priority.BUY,
        scope="carts:own",
        raises=(ordering.CartNotFound,),
    ),
    Route(
        "POST",
        "/v1/me/cart/merge",
        carts.merge,
        cost=3,
        priority=Priority.BUY,
        scope="carts:own",
        raises=(
            ordering.CartNotFound,
            ordering.CartAlreadyOrdered,
            ordering.CartExpired,
            ordering.CartBusy,
            ordering.CartTooLarge,
            ordering.TotalTooLarge,
        ),
        status=200,
    ),
)
