"""How fast people are let in: a share of what can be served, evenly.

A quarter of the capacity is left for those who are inside already, come back, or pay
late. Under pressure the pace is cut at once, and it grows back slowly (AIMD), so that a
wrong estimate of the capacity mends itself.
"""

from dataclasses import dataclass

SHARE = 0.75
_CUT = 0.7
_GROWTH = 0.05
_PRESSED = 0.8
# After a pause, as when the process was stopped, nobody catches up on all of it.
_LONGEST_STEP_SECONDS = 5.0


@dataclass(slots=True)
class Pace:
    """Says step by step how many more may come in."""

    share: float = SHARE
    """Of the capacity."""
    _damping: float = 1.0
    _carried: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError("the share of the capacity is more than 0 and at most 1")

    @property
    def damping(self) -> float:
        """What is left of the pace after pressure, from 0 to 1."""
        return self._damping

    def per_second(self, capacity: float) -> float:
        """How many are let in a second at a capacity of so many."""
        return max(0.0, capacity) * self.share * self._damping

    def step(self, seconds: float, capacity: float, pressure: float) -> int:
        """How many may come in now, *seconds* after the last step.

        *capacity* is how many can be served a second, *pressure* how hard the server
        is pressed, from 0 to 1. Fractions are carried on, so nobody is lost.
        """
        if pressure >= _PRESSED:
            self._damping *= _CUT
        else:
            self._damping = min(1.0, self._damping + _GROWTH)
        seconds = min(max(seconds, 0.0), _LONGEST_STEP_SECONDS)
        whole = self._carried + self.per_second(capacity) * seconds
        admitted = int(whole)
        self._carried = whole - admitted
        return admitted


def estimate(ahead: int, per_second: float) -> float | None:
    """Seconds until somebody with so many *ahead* is let in; None if nobody is."""
    if ahead <= 0:
        return 0.0
    return ahead / per_second if per_second > 0 else None
