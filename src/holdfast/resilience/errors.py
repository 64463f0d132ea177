"""How protection says no: nothing happened, or nobody knows what happened.

``Rejected`` and ``TimedOut`` are different facts. A rejected call was never
made, so it may be made again freely. A call that timed out may have had its
effect: ask before doing it again.
"""

from dataclasses import dataclass


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
class TimedOut(Exception):
    """No answer came in time, so the outcome is not known."""

    after_seconds: float | None = None
