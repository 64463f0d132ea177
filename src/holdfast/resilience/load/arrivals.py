"""The line nobody sees: requests that have arrived and wait for the event loop.

A server that reads a request makes a task of it, and the task waits until those before
it have let go of the loop. With handlers that compute, that is where all waiting is: a
limit on concurrent requests never sees more than one at a time. So whoever reads
requests says here that one was ``entered``, and that it was ``started`` when its task
first runs; what is between is the line, and a request costs so much CPU, so how long
the line is in seconds is known before anybody joins it.

There is room as long as the line is short: a quarter of a second while the process is
at ease, so that a burst after silence is simply served; 35 ms while it is pressed, for
who comes then has waited for a turn of the loop already, which takes as long. The more
a tier matters the longer a line it may join; the places beyond everybody else's are
kept for it.

What a request costs is CPU while the loop has time to spare. While it has none, it is
all the time that passes: on a machine that others use, a request of 10 ms may take 30.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from holdfast.resilience.clock import Monotonic

AT_EASE_SECONDS = 0.25
PRESSED_SECONDS = 0.035
SHARES = (4.0, 2.0, 1.0, 0.5, 0.25)
"""How long a line each tier may join, in multiples of that of the middle one."""
FEWEST = (8, 4, 2, 1, 1)
"""At least so many, whatever they cost."""
_MIDDLE = 2
_LEAST_COST = 0.0001
# How much of what was believed before outlives a request: half is gone after seven, so
# that one flood of 50 between two looks leaves nothing of a wrong guess.
_BELIEF = 0.9
_WORTH_A_LOOK = 5


class Passed(NamedTuple):
    """What has passed the line in a time."""

    gained: int
    """By how many more came than were started: those refused, and what it grew by."""
    started: int
    wait_seconds: float | None
    """How long those who started had waited on average; None if nobody started."""


class Arrivals:
    """Counts requests from their arrival to their start, and what they cost."""

    def __init__(
        self,
        *,
        cpu: Callable[[], float],
        timer: Monotonic,
        shares: Sequence[float] = SHARES,
        cost_seconds: float = 0.002,
    ) -> None:
        """*cpu* is what this process has used; *cost_seconds* a guess to begin with."""
        self._cpu = cpu
        self._timer = timer
        self._shares = tuple(shares)
        self._used = cpu()
        self._looked_at = timer()
        self._started = 0
        self._waited_seconds = 0.0
        self._waits = 0
        self._refused_seconds = 0.0
        self._refused = 0
        self._in_line_before = 0
        self.cost_seconds = cost_seconds
        """What a request takes on average, refused ones included."""
        self.unstarted = 0
        """How many are in line."""
        self.is_pressed = False
        """Whether the line is to be kept short."""
        self._room: tuple[int, ...] = ()
        self.shortest = 0
        """As long as fewer are in line, there is room for everybody."""
        self._measure_room()

    def entered(self) -> float:
        """A request was read and is in line; returns when, for ``started``."""
        self.unstarted += 1
        return self._timer()

    def started(self, entered_at: float) -> None:
        """It runs."""
        self.unstarted -= 1
        self._started += 1
        self._waited_seconds += self._timer() - entered_at
        self._waits += 1

    def has_room(self, tier: int) -> bool:
        """Whether a request of *tier* may join the line; those below 0 always may.

        Who may not is taken to have been refused.
        """
        if tier < 0 or self.unstarted < self._room[tier]:
            return True
        self._refused += 1
        return False

    def spent(self, seconds: float) -> None:
        """Somebody was refused, which cost so much: it is no part of what others cost.

        Without this, the more are refused the dearer a request seems, the shorter the
        line is kept, and the more are refused.
        """
        self._refused_seconds += seconds

    @property
    def excess(self) -> float:
        """By which share more should come than is served, for a line seldom empty.

        One in so many as have room: with room for two, requests that come at random
        leave the loop idle for a fifth of the time if just enough come.
        """
        return 1 / self._room[_MIDDLE]

    def look(self, *, is_pressed: bool, late_seconds: float = 0.0) -> None:
        """Measure anew what a request costs, and how long the line may be.

        *late_seconds* is by how much the loop has kept this look waiting: later than
        anybody may wait, it is pressed whatever else is known.
        """
        self.is_pressed = is_pressed or late_seconds > AT_EASE_SECONDS
        if self._started >= _WORTH_A_LOOK:
            now, used = self._timer(), self._cpu()
            passed = now - self._looked_at
            has_spare = late_seconds <= passed / 2
            spent = used - self._used if has_spare else passed
            cost = max(0.0, spent - self._refused_seconds) / self._started
            self.cost_seconds = cost + (self.cost_seconds - cost) * (
                _BELIEF**self._started
            )
            self._looked_at, self._used, self._started = now, used, 0
            self._refused_seconds = 0.0
        self._measure_room()

    def passed(self) -> Passed:
        """What has passed the line since the last time."""
        refused, started = self._refused, self._waits
        grown = self.unstarted - self._in_line_before
        wait = self._waited_seconds / started if started else None
        self._in_line_before = self.unstarted
        self._waited_seconds, self._waits, self._refused = 0.0, 0, 0
        return Passed(refused + grown, started, wait)

    def _measure_room(self) -> None:
        seconds = PRESSED_SECONDS if self.is_pressed else AT_EASE_SECONDS
        places = seconds / max(self.cost_seconds, _LEAST_COST)
        self._room = tuple(
            max(fewest, int(places * share))
            for fewest, share in zip(FEWEST, self._shares, strict=True)
        )
        self.shortest = self._room[-1]
