"""What a response says about quotas, and when to come back.

``RateLimit-Policy`` and ``RateLimit`` are those of the IETF's HTTPAPI group, in its
draft ratelimit-headers-11: lists of strings with parameters, in the syntax of RFC
9651. It is a draft, stable in its shape since -08, and no RFC. A bucket is told as
*q* tokens per *w* seconds, so that q/w is its rate; *r* is what is left, *t* the
seconds until there is one more.

``Retry-After`` is never earlier than the call could succeed, and spread: callers
that were refused together shall not come back together.
"""

import math
import random
from collections.abc import Callable, Sequence

from holdfast.resilience.rate.quota import SECOND, Standing

# A wait of up to this many seconds is not made longer than this by its spread, and a
# longer one not by more than this.
_SHORT_SECONDS = 60
# So that even a wait of one second ends in three different ones.
_LEAST_SPREAD = 2


def policy(standings: Sequence[Standing]) -> str:
    """The value of ``RateLimit-Policy``: what each quota grants."""
    return ", ".join(
        f'"{s.quota.name}";q={s.quota.burst};w={s.window_seconds}' for s in standings
    )


def limit(standings: Sequence[Standing]) -> str:
    """The value of ``RateLimit``: what is left of each quota."""
    return ", ".join(
        f'"{s.quota.name}";r={s.remaining}'
        # A full bucket gets no more.
        + (f";t={math.ceil(s.next_micros / SECOND)}" if s.next_micros else "")
        for s in standings
    )


def fields(standings: Sequence[Standing]) -> list[tuple[bytes, bytes]]:
    """Both fields, as ASGI takes them; none where there is no quota."""
    if not standings:
        return []
    return [
        (b"ratelimit-policy", policy(standings).encode()),
        (b"ratelimit", limit(standings).encode()),
    ]


def retry_after(seconds: float, *, chance: Callable[[], float] = random.random) -> int:
    """Whole seconds to wait: at least *seconds*, up to half as long again."""
    wait = max(1, math.ceil(seconds))
    spread = max(_LEAST_SPREAD, math.ceil(wait / 2))
    most = _SHORT_SECONDS - wait if wait <= _SHORT_SECONDS else _SHORT_SECONDS
    spread = min(spread, max(_LEAST_SPREAD, most))
    return wait + int(chance() * (spread + 1))


def any_below_half(standings: Sequence[Standing]) -> bool:
    """Whether a caller has reason to look at what is left."""
    return any(s.remaining * 2 < s.quota.burst for s in standings)
