"""Stock held for a cart before it is ordered."""

from holdfast.api import reservations
from holdfast.api.policy import Priority, Route
from holdfast.api.routes.drops import DROPPING
from holdfast.domain import inventory, ordering

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/carts/{cart_id:uuid}/reservation",
        reservations.show,
        cost=1,
        priority=Priority.BUY,
        scope="carts:write",
        own="carts:own",
        guest=True,
        raises=(inventory.ReservationNotFound, inventory.ReservationExpired),
    ),
    Route(
        "PUT",
        "/v1/carts/{cart_id:uuid}/reservation",
        reservations.put,
        cost=10,
        priority=Priority.BUY,
        claims="leased",
        others=(201,),
        of_kind="checkout",
        scope="carts:write",
        own="carts:own",
        guest=True,
        raises=(
            inventory.OutOfStock,
            inventory.ReservationsBusy,
            ordering.CartNotFound,
            ordering.CartAlreadyOrdered,
            ordering.CartEmpty,
            ordering.UnknownSku,
            ordering.VariantUnavailable,
            *DROPPING,
        ),
    ),
    Route(
        "DELETE",
        "/v1/carts/{cart_id:uuid}/reservation",
        reservations.release,
        cost=5,
        priority=Priority.BUY,
        claims="leased",
        scope="carts:write",
        own="carts:own",
        guest=True,
        raises=(inventory.ReservationNotFound,),
    ),
)
