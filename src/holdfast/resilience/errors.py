"""How protection says no: nothing happened, or nobody knows what happened.

``Rejected`` and ``TimedOut`` are different facts. A rejected call was never
made, so it may be made again freely. A call that timed out may have had its
effect: ask before doing it again.
"""

from dataclasses import dataclass

from holdfast.resilience.rate.quota import Standing


@dataclass(eq=False)
class Rejected(Exception):
    """The call was turned away before anything happened."""

    retry_after_seconds: float | None = None


@dataclass(eq=False)
class Overloaded(Rejected):
    """There is more work than can be done in time."""


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
class TimedOut(Exception):
    """No answer came in time, so the outcome is not known."""

    after_seconds: float | None = None
