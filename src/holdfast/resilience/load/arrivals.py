"""The line nobody sees: requests that have arrived and wait for the event loop.

A server that reads a request makes a task of it, and the task waits until those before
it have let go of the loop. With handlers that compute, that is where all waiting is: a
limit on concurrent requests never sees more than one at a time. So whoever reads
requests says here that one was ``entered``, and that it was ``started`` when its task
first runs; what is between is the line, and a request costs so much CPU, so how long
the line is in seconds is known before anybody joins it.

There is room as long as the line is short: a quarter of a second while the process is
at ease, so that a burst after silence is simply served; a twentieth while it is
pressed. The more a tier matters the longer a line it may join; the places beyond
everybody else's are kept for it.
"""

from collections.abc import Callable, Sequence

from holdfast.resilience.clock import Monotonic

AT_EASE_SECONDS = 0.25
PRESSED_SECONDS = 0.05
SHARES = (4.0, 2.0, 1.0, 0.5, 0.25)
"""How long a line each tier may join, in multiples of that of the middle one."""
# At least so many, whatever they cost: a page asks for several things at once.
_FEWEST = 2
_LEAST_COST = 0.0001
# The new cost counts for a quarter at each look: half of a change is there after three.
_NEW_COST = 0.25
_WORTH_A_LOOK = 5


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
        self._started = 0
        self._waited_seconds = 0.0
        self._waits = 0
        self.cost_seconds = cost_seconds
        """CPU that a request takes on average, refused ones included."""
        self.unstarted = 0
        """How many are in line."""
        self.is_pressed = False
        """Whether the line is to be kept short."""
        self._room: tuple[int, ...] = ()
        self._measure_room()

    @property
    def shortest(self) -> int:
        """As long as fewer are in line, there is room for everybody."""
        return self._room[-1]

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
        """Whether a request of *tier* may join the line; those below 0 always may."""
        return tier < 0 or self.unstarted < self._room[tier]

    def look(self, *, is_pressed: bool) -> None:
        """Measure anew what a request costs, and how long the line may be."""
        self.is_pressed = is_pressed
        if self._started >= _WORTH_A_LOOK:
            used = self._cpu()
            cost = (used - self._used) / self._started
            self.cost_seconds += _NEW_COST * (cost - self.cost_seconds)
            self._used, self._started = used, 0
        self._measure_room()

    def mean_wait(self) -> float | None:
        """Seconds that those who started since the last call had waited; or None."""
        if not self._waits:
            return None
        mean = self._waited_seconds / self._waits
        self._waited_seconds, self._waits = 0.0, 0
        return mean

    def _measure_room(self) -> None:
        seconds = PRESSED_SECONDS if self.is_pressed else AT_EASE_SECONDS
        places = seconds / max(self.cost_seconds, _LEAST_COST)
        self._room = tuple(max(_FEWEST, int(places * share)) for share in self._shares)
