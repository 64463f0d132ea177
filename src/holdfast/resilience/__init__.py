"""Protection for any ASGI app and any outbound call: the standard library only.

It has never heard of a shop. Each policy is one file and works alone; the README
beside this file shows how they compose. Clocks and chance are handed in.
"""

from holdfast.resilience.breaker import CircuitBreaker
from holdfast.resilience.bulkhead import Bulkhead
from holdfast.resilience.circuit import Breaker, Rules
from holdfast.resilience.deadline import Budget, Deadline, remaining
from holdfast.resilience.errors import (
    BodyTooLarge,
    BulkheadFull,
    CircuitOpen,
    DeadlineExceeded,
    NotEnoughTime,
    Overloaded,
    QuotaExceeded,
    Rejected,
    Throttled,
    TimedOut,
    Withheld,
)
from holdfast.resilience.fallback import Answered, Fallback, LastKnown, NoWay
from holdfast.resilience.pipeline import Pipeline
from holdfast.resilience.rate import Limiter, MemoryLimiter, Quota, Verdict
from holdfast.resilience.retry import Retry, RetryBudget
from holdfast.resilience.throttle import Throttle

__all__ = [
    "Answered",
    "BodyTooLarge",
    "Breaker",
    "Budget",
    "Bulkhead",
    "BulkheadFull",
    "CircuitBreaker",
    "CircuitOpen",
    "Deadline",
    "DeadlineExceeded",
    "Fallback",
    "LastKnown",
    "Limiter",
    "MemoryLimiter",
    "NoWay",
    "NotEnoughTime",
    "Overloaded",
    "Pipeline",
    "Quota",
    "QuotaExceeded",
    "Rejected",
    "Retry",
    "RetryBudget",
    "Rules",
    "Throttle",
    "Throttled",
    "TimedOut",
    "Verdict",
    "Withheld",
    "remaining",
]
