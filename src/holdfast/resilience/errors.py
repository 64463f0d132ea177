"""How protection says no: nothing happened, or nobody knows what happened.

``Rejected`` and ``TimedOut`` are different facts. A rejected call was never
made, so it may be made again freely. A call that timed out may have had its
effect: ask before doing it again.
"""

from dataclasses import dataclass, fields
from typing import ClassVar

from holdfast.resilience.rate.quota import Standing

__all__ = [
    "AnswerNotKept",
    "BodyTooLarge",
    "BulkheadFull",
    "CircuitOpen",
    "DeadlineExceeded",
    "KeyInProgress",
    "KeyMalformed",
    "KeyMissing",
    "KeyRefused",
    "KeyReused",
    "NotEnoughTime",
    "Overloaded",
    "QuotaExceeded",
    "Rejected",
    "Throttled",
    "TimedOut",
    "TimeoutMalformed",
    "Withheld",
]


@dataclass(eq=False)
class Rejected(Exception):
    """The call was turned away before anything happened."""

    retry_after_seconds: float | None = None

    def __str__(self) -> str:
        return _said(self)


@dataclass(eq=False)
class Overloaded(Rejected):
    """There is more work than can be done in time."""


@dataclass(eq=False)
class NotEnoughTime(Rejected):
    """There was too little time left to begin, so nothing happened."""

    stage: str = ""
    """What was not begun."""
    outcome: str = "nothing-happened"


@dataclass(eq=False)
class TimeoutMalformed(Rejected):
    """X-Request-Timeout-Ms must be one whole number of milliseconds."""


@dataclass(eq=False)
class BodyTooLarge(Rejected):
    """The request body is larger than this service accepts."""

    limit_bytes: int = 0


@dataclass(eq=False)
class QuotaExceeded(Rejected):
    """The caller has used up a quota; the same call may succeed later."""

    policies: tuple[str, ...] = ()
    """The quotas that refused."""
    standings: tuple[Standing, ...] = ()
    """Where the caller stands with every quota that was asked."""
    too_costly: bool = False
    """The call costs more than a full bucket holds: it can never succeed."""


@dataclass(eq=False)
class KeyRefused(Rejected):
    """The idempotency key does not allow this request."""

    http_status: ClassVar[int] = 400
    """Of HTTP, as the draft of the header wants it."""


@dataclass(eq=False)
class KeyMissing(KeyRefused):
    """This request needs an Idempotency-Key header."""


@dataclass(eq=False)
class KeyMalformed(KeyRefused):
    """The Idempotency-Key header must be 1 to 255 visible ASCII characters."""


@dataclass(eq=False)
class KeyReused(KeyRefused):
    """The idempotency key was used before with a different request."""

    http_status = 422


@dataclass(eq=False)
class KeyInProgress(KeyRefused):
    """A request with this idempotency key is still being carried out."""

    http_status = 409


@dataclass(eq=False)
class AnswerNotKept(KeyRefused):
    """The request was carried out; its answer was too large to be kept."""

    http_status = 409


@dataclass(eq=False)
class Withheld(Rejected):
    """The call was not made, to spare whoever was to be called, and ourselves."""

    dependency: str = ""
    """Its public name."""


@dataclass(eq=False)
class BulkheadFull(Withheld):
    """Too many calls to a service that this depends on are under way."""


@dataclass(eq=False)
class CircuitOpen(Withheld):
    """A service that this depends on has been failing, and is being left alone."""


@dataclass(eq=False)
class Throttled(Withheld):
    """A service that this depends on turns most calls away at the moment."""


@dataclass(eq=False)
class TimedOut(Exception):
    """No answer came in time, so the outcome is not known."""

    after_seconds: float | None = None
    outcome: str = "unknown"

    def __str__(self) -> str:
        return _said(self)


@dataclass(eq=False)
class DeadlineExceeded(TimedOut):
    """The time for this request ran out before it was done."""

    stage: str = ""
    """Where the work was at that moment."""


def _said(error: Rejected | TimedOut) -> str:
    """What a log should say: what it means, and the numbers."""
    meaning = (type(error).__doc__ or type(error).__name__).partition("\n")[0]
    known = [
        f"{one.name}={value!r}"
        for one in fields(error)
        if isinstance(value := getattr(error, one.name), str | float | int) and value
    ]
    return f"{meaning} ({', '.join(known)})" if known else meaning
