"""What is left of a caller's own limits."""

import msgspec

from holdfast.api.protection.quotas import Who, holder_of
from holdfast.api.shop import Shop
from holdfast.domain.identity import Anonymous, Caller, Guest, Origin
from holdfast.resilience.rate import Standing

_PLACES = 3


class LimitView(msgspec.Struct, frozen=True):
    """One limit, and what is left of it now."""

    policy: str
    limit: int
    """Units that can be taken at once, as `q` of `RateLimit-Policy` tells it."""
    window_seconds: int
    """In which as many flow in again, as `w` tells it."""
    remaining: int
    next_seconds: float
    """Until there is one more; 0 if nothing is missing."""
    full_seconds: float
    """Until nothing is missing."""
    counted: str
    """`shop`: by all processes together; `process`: by the one that answers."""

    @classmethod
    def of(cls, standing: Standing, who: Who) -> "LimitView":
        return cls(
            policy=standing.quota.name,
            limit=standing.limit,
            window_seconds=standing.window_seconds,
            remaining=standing.remaining,
            next_seconds=round(standing.next_seconds, _PLACES),
            full_seconds=round(standing.full_seconds, _PLACES),
            counted="process" if who.here else "shop",
        )


class OwnLimits(msgspec.Struct, frozen=True):
    """What a caller is limited as, and by what."""

    role: str
    """`guest`, `customer`, `staff`, `service` or `key`."""
    plan: str | None
    limits: list[LimitView]


async def show(shop: Shop, caller: Caller, origin: Origin) -> OwnLimits:
    """See your limits and what is left of them, without taking anything.

    Guests share theirs with everybody at their address. Each request takes what its
    operation costs (`x-holdfast-cost`).
    """
    quotas, address = shop.quotas, origin.address
    plan = None
    if isinstance(caller, Anonymous | Guest):
        asked = [quotas.guest(address, reads=reads) for reads in (True, False)]
        if isinstance(caller, Guest):
            asked.append(quotas.cart(caller))
    else:
        asked = [quotas.known(caller)]
        plan = quotas.policies.holders.get(holder_of(caller))
    role = asked[0].role
    asked.append(quotas.flood(address))
    limits = [
        LimitView.of(standing, who)
        for who in asked
        for standing in await quotas.take(who, 0)
    ]
    return OwnLimits(role, plan, limits)
