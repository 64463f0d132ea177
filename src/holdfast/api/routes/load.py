"""The load of the shop: what operators see of it, and what they do about it.

None of it is shed, counted against anybody, or made to wait for the shop's own
connections: it is for the moment in which everything else is.
"""

from functools import partial

from holdfast.api import load_controls
from holdfast.api.policy import Priority, Route

_control = partial(
    Route,
    cost=0,
    priority=Priority.EXEMPT,
    scope="protection:write",
    status=200,
    unkeyed="It says how something is to be: said twice, it is the same.",
)

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/protection",
        load_controls.show,
        cost=0,
        priority=Priority.EXEMPT,
        scope="protection:read",
    ),
    _control(
        "PUT",
        "/v1/protection/limits/{kind}",
        load_controls.set_limit,
        raises=(load_controls.LimitNotFound,),
    ),
    _control(
        "DELETE",
        "/v1/protection/limits/{kind}",
        load_controls.clear_limit,
        raises=(load_controls.LimitNotFound,),
    ),
    _control("PUT", "/v1/protection/load-level", load_controls.force),
    _control("DELETE", "/v1/protection/load-level", load_controls.release),
    _control("PUT", "/v1/protection/load-shedding", load_controls.set_shedding),
)
