"""Protection for any ASGI app and any outbound call: the standard library only.

It has never heard of a shop. Each policy is one file and works alone; the README
beside this file shows how they compose. Clocks and chance are handed in.
"""

from holdfast.resilience.deadline import Deadline, remaining
from holdfast.resilience.errors import (
    BodyTooLarge,
    Overloaded,
    QuotaExceeded,
    Rejected,
    TimedOut,
)
from holdfast.resilience.pipeline import Pipeline
from holdfast.resilience.rate import Limiter, MemoryLimiter, Quota, Verdict
from holdfast.resilience.retry import Retry

__all__ = [
    "BodyTooLarge",
    "Deadline",
    "Limiter",
    "MemoryLimiter",
    "Overloaded",
    "Pipeline",
    "Quota",
    "QuotaExceeded",
    "Rejected",
    "Retry",
    "TimedOut",
    "Verdict",
    "remaining",
]
