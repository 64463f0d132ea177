"""What protects the shop: how it stands, and what operators make of it.

Never shed, and not counted by caller: whoever fights an overload must not be turned
away because of it.
"""

from holdfast.api import circuits, limits, plans, rate_limits
from holdfast.api.policy import Priority, Route
from holdfast.domain import identity, oauth

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/limits",
        limits.show,
        cost=0,
        priority=Priority.OPERATE,
        public=True,
    ),
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
    Route(
        "GET",
        "/v1/protection/plans",
        plans.browse,
        cost=0,
        priority=Priority.EXEMPT,
        scope="protection:read",
    ),
    Route(
        "PUT",
        "/v1/protection/plans/{plan}/clients/{client_id}",
        plans.put_client,
        cost=0,
        priority=Priority.EXEMPT,
        scope="protection:write",
        status=204,
        raises=(oauth.ClientNotFound, plans.PlanNotFound),
    ),
    Route(
        "DELETE",
        "/v1/protection/plans/{plan}/clients/{client_id}",
        plans.drop_client,
        cost=0,
        priority=Priority.EXEMPT,
        scope="protection:write",
        raises=(oauth.ClientNotFound,),
    ),
    Route(
        "PUT",
        "/v1/protection/plans/{plan}/keys/{key_id:uuid}",
        plans.put_key,
        cost=0,
        priority=Priority.EXEMPT,
        scope="protection:write",
        status=204,
        raises=(identity.ApiKeyNotFound, plans.PlanNotFound),
    ),
    Route(
        "DELETE",
        "/v1/protection/plans/{plan}/keys/{key_id:uuid}",
        plans.drop_key,
        cost=0,
        priority=Priority.EXEMPT,
        scope="protection:write",
        raises=(identity.ApiKeyNotFound,),
    ),
    Route(
        "GET",
        "/v1/protection/rate-limits",
        rate_limits.browse,
        cost=0,
        priority=Priority.EXEMPT,
        scope="protection:read",
    ),
    Route(
        "GET",
        "/v1/protection/rate-limits/{name}",
        rate_limits.show,
        cost=0,
        priority=Priority.EXEMPT,
        scope="protection:read",
        raises=(rate_limits.RateLimitNotFound,),
    ),
    Route(
        "PUT",
        "/v1/protection/rate-limits/{name}",
        rate_limits.put,
        cost=0,
        priority=Priority.EXEMPT,
        scope="protection:write",
        raises=(rate_limits.TooManyRateLimits,),
    ),
    Route(
        "DELETE",
        "/v1/protection/rate-limits/{name}",
        rate_limits.delete,
        cost=0,
        priority=Priority.EXEMPT,
        scope="protection:write",
        raises=(rate_limits.RateLimitNotFound,),
    ),
)
