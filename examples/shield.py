"""Four layers around any ASGI app: deadline, body, rate by address, concurrency.

The other examples import this; copy it into your project and change what you like.
"""

from functools import partial
from typing import Any

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
    network_of,
    plain,
    stack,
)
from holdfast.resilience.concurrency import Gradient, Limiter

EVERYBODY = Quota("everybody", burst=40, tokens=10)  # ten a second, forty at once


HEALTH = "/health"  # a process that is busy is not a process that is dead


def claim(scope: Scope) -> Claim:
    """Health checks pass untouched; orders go before everything else."""
    path = scope["path"]
    if path == HEALTH:
        return Claim("all", level=-1)
    return Claim("all", level=0 if path.startswith("/orders") else 2 * 128)


def shield(app: App, *quotas: Quota) -> App:
    """*app*, protected; the first layer sees a request first."""
    granted = quotas or (EVERYBODY,)

    def quotas_of(scope: Scope) -> tuple[Quota, ...]:
        return () if scope["path"] == HEALTH else granted

    return stack(
        app,
        Rejection,
        partial(RequestDeadline, seconds=5.0),
        partial(BodyLimit, limit_bytes=1 << 20),
        partial(
            RateLimit,
            limiter=MemoryLimiter(),
            subject_of=network_of,  # behind a proxy: see there
            quotas_of=quotas_of,
        ),
        partial(LoadShed, classify=claim, limiters={"all": Limiter("all", Gradient())}),
    )


async def answer(request: Any, error: Exception) -> Any:
    """For FastAPI and Starlette, where a handler raises ``Rejected`` or ``TimedOut``.

    They answer what handlers raise by themselves, with 500 unless they are told. What
    this returns is no ``Response`` of theirs, but an ASGI app, as those are.
    """
    return plain(error, request.scope)
