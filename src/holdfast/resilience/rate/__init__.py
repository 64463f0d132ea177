"""Token buckets: how much a caller may do, in this process or over all of them.

What needs a client library is not imported here: ``rate.redis`` is.
"""

from holdfast.resilience.rate.fallback import FallbackLimiter
from holdfast.resilience.rate.lease import LeasingLimiter
from holdfast.resilience.rate.memory import MemoryLimiter
from holdfast.resilience.rate.quota import (
    Limiter,
    Quota,
    Standing,
    StoreUnavailable,
    Verdict,
)

__all__ = [
    "FallbackLimiter",
    "LeasingLimiter",
    "Limiter",
    "MemoryLimiter",
    "Quota",
    "Standing",
    "StoreUnavailable",
    "Verdict",
]
