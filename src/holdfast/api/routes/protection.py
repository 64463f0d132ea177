"""What protects the shop: how it stands, and what operators make of it.

Never shed, and not counted by caller: whoever fights an overload must not be turned
away because of it.
"""

from holdfast.api import circuits
from holdfast.api.policy import Priority, Route

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/protection/circuits",
        circuits.browse,
        cost=0,
        priority=Priority.EXEMPT,
        scope="protection:read",
    ),
    Route(
        "PUT",
        "/v1/protection/circuits/{dependency}",
        circuits.force,
        cost=0,
        priority=Priority.EXEMPT,
        scope="protection:write",
        raises=(circuits.CircuitNotFound,),
    ),
    Route(
        "DELETE",
        "/v1/protection/circuits/{dependency}",
        circuits.release,
        cost=0,
        priority=Priority.EXEMPT,
        scope="protection:write",
        raises=(circuits.CircuitNotFound,),
    ),
)
