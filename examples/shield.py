"""Four layers around any ASGI app: deadline, body, rate by address, concurrency.

The other examples import this; copy it into your project and change what you like.
"""

from functools import partial

from holdfast.resilience import MemoryLimiter, Quota
from holdfast.resilience.asgi import (
    App,
    BodyLimit,
    Claim,
    LoadShed,
    RateLimit,
    Rejection,
    RequestDeadline,
    Scope,
    stack,
)
from holdfast.resilience.concurrency import Gradient, Limiter

EVERYBODY = Quota("everybody", burst=40, tokens=10)  # ten a second, forty at once


def address(scope: Scope) -> str:
    """Who calls: behind a proxy, take the address that the proxy vouches for."""
    return scope["client"][0] if scope.get("client") else "unknown"


def claim(scope: Scope) -> Claim:
    """Health checks pass untouched; orders go before everything else."""
    path = scope["path"]
    if path == "/health":
        return Claim("all", level=-1)
    return Claim("all", level=0 if path.startswith("/orders") else 2 * 128)


def shield(app: App, *quotas: Quota) -> App:
    """*app*, protected; the first layer sees a request first."""
    return stack(
        app,
        Rejection,
        partial(RequestDeadline, seconds=5.0),
        partial(BodyLimit, limit_bytes=1 << 20),
        partial(
            RateLimit,
            limiter=MemoryLimiter(),
            subject_of=address,
            quotas_of=lambda _scope: quotas or (EVERYBODY,),
        ),
        partial(LoadShed, classify=claim, limiters={"all": Limiter("all", Gradient())}),
    )
