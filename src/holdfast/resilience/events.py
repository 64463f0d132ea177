"""What the policies tell their listeners: a frozen value for each thing that happened.

A policy takes ``listen=`` and calls it with these. The listener runs inside the
policy's own step: it counts, and neither waits nor raises. Nothing here names a key, an
address or a path, so that any field may become the label of a metric.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = [
    "Attempted",
    "BudgetClamped",
    "BudgetEnded",
    "BulkheadRefused",
    "CircuitCall",
    "CircuitEvent",
    "CircuitMoved",
    "ClientLeft",
    "ConcurrencyEvent",
    "DeadlineEvent",
    "FellBack",
    "FinishedLate",
    "HeldBack",
    "KeyedRequest",
    "LevelChanged",
    "LimitStep",
    "LimiterCall",
    "NotStarted",
    "QueueModeChanged",
    "QueueWait",
    "RateDecided",
    "RateEvent",
    "RateLeased",
    "RateStoreMoved",
    "RetryRefused",
    "StoreState",
]

# -- Bulkhead ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BulkheadRefused:
    """All places were taken, and there was no time or no room to wait."""

    dependency: str


# -- Circuit breaker ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CircuitCall:
    """A call ended, or was not let through."""

    dependency: str
    outcome: str
    """success, failure, slow, ignored, cancelled or rejected."""


@dataclass(frozen=True, slots=True)
class CircuitMoved:
    """A circuit changed its state; metrics_only to itself: it would have opened."""

    dependency: str
    before: str
    after: str
    reason: str
    open_seconds: float
    """How long it is open; 0 if it is not."""


CircuitEvent: TypeAlias = CircuitCall | CircuitMoved

# -- Concurrency: the adaptive limit and its queue ---------------------------------


@dataclass(frozen=True, slots=True)
class LimiterCall:
    """A call gave its permit back, or never got one."""

    limiter: str
    tier: int
    outcome: str
    """success, dropped, ignored, rejected or bypassed."""
    seconds: float
    """How long the permit was held; 0 without one."""


@dataclass(frozen=True, slots=True)
class LimitStep:
    """A window of samples ended, or a call ran past its deadline: the limit follows."""

    limiter: str
    previous: int
    limit: int
    reason: str
    gradient: float
    """Latency without load as a share of the recent one: 1 is no queueing."""
    recent_seconds: float
    baseline_seconds: float


@dataclass(frozen=True, slots=True)
class QueueModeChanged:
    """A tier began to serve the newest first, or to serve by arrival again."""

    limiter: str
    tier: int
    is_standing: bool


@dataclass(frozen=True, slots=True)
class QueueWait:
    """A call that found no permit free waits no longer."""

    limiter: str
    tier: int
    seconds: float
    outcome: str
    """served, full, codel, deadline, disconnect or cancelled."""


ConcurrencyEvent: TypeAlias = LimiterCall | LimitStep | QueueModeChanged | QueueWait


# -- Deadline ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BudgetClamped:
    """A client asked for more time than the route has, or less than anybody gets."""


@dataclass(frozen=True, slots=True)
class BudgetEnded:
    """A request used up its time."""

    stage: str
    outcome: str
    """nothing-happened or unknown."""
    wasted_seconds: float


@dataclass(frozen=True, slots=True)
class ClientLeft:
    """A client went away before it was answered."""

    phase: str
    """waiting, safe, before-effect: cancelled; in-effect, after-effect: finished."""
    stage: str
    wasted_seconds: float
    """0 for what was finished."""


@dataclass(frozen=True, slots=True)
class FinishedLate:
    """A request was finished after its client had been told that nobody knows."""

    seconds: float
    error: BaseException | None


@dataclass(frozen=True, slots=True)
class NotStarted:
    """Work was not begun, because it could not have been finished in time."""

    stage: str


DeadlineEvent: TypeAlias = (
    BudgetClamped | BudgetEnded | ClientLeft | FinishedLate | NotStarted
)


# -- Fallback ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FellBack:
    """A dependency did not answer, and something else was answered instead."""

    dependency: str
    way: str


# -- Idempotency: requests with a key -----------------------------------------------


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request with an idempotency key was looked at."""

    outcome: str
    """execute, replay, mismatch, wait, take_over, missing or malformed."""


# -- Load --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LevelChanged:
    """The pressure of the process entered or left a level, or an operator said so."""

    before: int
    after: int
    pressure: float
    is_forced: bool


# -- Rate limit --------------------------------------------------------------------

StoreState: TypeAlias = Literal["up", "degraded", "down"]


@dataclass(frozen=True, slots=True)
class RateDecided:
    """A call was let through, or refused, by its quotas."""

    policies: tuple[str, ...]
    """The quotas that refused, or would have; all that were asked if none did."""
    outcome: Literal["allowed", "denied", "shadow_denied", "too_costly"]
    source: Literal["store", "lease", "local"]
    seconds: float
    """How long the check took."""
    labels: tuple[str, ...] = ()
    """What the app says about the call: the caller's role, the route's class."""


@dataclass(frozen=True, slots=True)
class RateLeased:
    """A caller's tokens were fetched for several calls at once, or given back."""

    policies: tuple[str, ...]
    tokens: int
    """Below zero if they are given back."""


@dataclass(frozen=True, slots=True)
class RateStoreMoved:
    """The store of the buckets came or went; between, this process stands in."""

    before: StoreState
    after: StoreState
    seconds: float
    """How long the state before lasted."""


RateEvent: TypeAlias = RateDecided | RateLeased | RateStoreMoved

# -- Retry -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attempted:
    """A call to a dependency was tried, for the first time or again."""

    dependency: str
    attempt: int
    outcome: str
    """success, failure (it is not tried again), retried, or withheld: not made."""


@dataclass(frozen=True, slots=True)
class RetryRefused:
    """It would have been tried again, had the budget allowed it."""

    dependency: str


# -- Throttle ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A call was not sent, because the dependency turns most of them away."""

    dependency: str
