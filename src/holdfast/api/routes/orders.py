"""Orders: finding, reading and changing them."""

from holdfast.api import order_notes, order_search, orders
from holdfast.api.policy import Priority, Route
from holdfast.domain import ordering
from holdfast.kernel.page import BadCursor

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/orders",
        order_search.browse,
        cost=2,
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
        cost=2,
        priority=Priority.OPERATE,
        scope="orders:write",
        raises=(ordering.OrderNotFound,),
    ),
)
