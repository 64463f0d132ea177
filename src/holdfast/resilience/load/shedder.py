"""Whom to turn away first, when some must be: those whose turn matters least.

Every request has a level: its tier times 128, plus the cohort of who asks. What is to
be shed is a share of the requests; the levels of the last thousand offered ones say
from which level on that share is. So a tier is shed from its last cohort to its first,
and only then the next tier is touched.

A cohort is decided by who asks and the hour. Turned away at random, everybody would
fail at one of the steps of a purchase; this way some fail at the first and the others
at none, every process agrees on who, and after an hour it is others.

The share comes from a controller (Cinnamon, Uber): proportional and integral in how
much faster requests come than they are served. Under it lies a floor that follows the
CPU (Quarkus), which sheds of the lowest tier before anything else has to wait.
"""

import math
from collections import deque
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

COHORTS: Final = 128
TIERS: Final = 5
LEVELS: Final = TIERS * COHORTS
_OFFERED: Final = 1000
EVERY_SECONDS: Final = 0.5
_HOUR: Final = 3600
# The line in front of the loop is bounded at once, by room; the share may take its
# time.
_LATEST: Final = 1.0
_MOST_SPARE: Final = 0.95
# So few more came than went because they came just before the look.
_STRAY: Final = 3
# Less is noise; and it would be taken from who comes seldom and matters least, for they
# are not among the last thousand.
_LEAST_SHARE: Final = 0.02


def cohort_of(principal: bytes, seconds: float, key: bytes = b"") -> int:
    """In which of 128 cohorts *principal* is in this hour.

    With a *key*, nobody outside can choose a name of the cohort that is shed last.
    """
    hour = int(seconds // _HOUR).to_bytes(8, "big")
    digest = blake2b(principal + hour, digest_size=1, key=key).digest()
    return digest[0] % COHORTS


def level_of(tier: int, cohort: int) -> int:
    """The place of a request in the order of shedding; the highest goes first."""
    return tier * COHORTS + cohort


class Offered:
    """The levels of the last thousand requests, and which are a share of them."""

    def __init__(self, *, levels: int = LEVELS, most: int = _OFFERED) -> None:
        self._counts = [0] * levels
        self._recent: deque[int] = deque()
        self._most = most

    def __len__(self) -> int:
        return len(self._recent)

    def note(self, level: int) -> None:
        """A request of this level came, whatever became of it."""
        recent, counts = self._recent, self._counts
        if len(recent) >= self._most:
            counts[recent.popleft()] -= 1
        recent.append(level)
        counts[level] += 1

    def threshold(self, share: float) -> float:
        """From where on lies *share* of the requests.

        The whole part is a level; the rest says how much of that level still passes. A
        flood from one address is all one level: to shed all of it or nothing would be
        wrong in turns.
        """
        wanted = share * len(self._recent)
        if wanted <= 0:
            return float(len(self._counts))
        for level in range(len(self._counts) - 1, -1, -1):
            count = self._counts[level]
            if count >= wanted:
                return level + 1 - wanted / count
            wanted -= count
        return 0.0


@dataclass(frozen=True, slots=True)
class Flow:
    """What passed the queue since the last look."""

    arrived: int
    """Came to the queue: what the threshold let through."""
    served: int
    """Left it to be served."""
    spare: float
    """The share of what serves (places, CPU) that has nothing to do."""
    late: float = 0.0
    """Where nobody counts the line in front of the process: how far the wait in it is
    above what is wanted, as a share of that."""
    excess: float = 0.0
    """The share by which more should come than can be served: a short line to which
    just enough come is empty now and then, and what serves stands still."""

    @property
    def error(self) -> float:
        """By which factor too many came, as a logarithm; below zero if more could.

        The share to shed is ``1 - exp(-i)``: what should change ``i`` is a difference
        of logarithms. Five times too many is 1.6, and a fifth of what could be is -1.6.
        """
        if self.arrived > self.served + _STRAY:
            return math.log(self.arrived / max(self.served, 1)) - self.excess
        idle = math.log1p(-min(self.spare, _MOST_SPARE)) - self.excess
        return max(idle, min(_LATEST, self.late)) if self.late else idle


class Controller:
    """How large a share of requests to shed, from how the queue fares.

    Cinnamon's error is ``(arrived - served - free places) / served``. Three things
    differ here. It is a logarithm: at ten times the capacity Cinnamon's is 9 at first
    and never below -1, so it sheds far too much in one step and takes five to see it,
    again and again (in virtual time a handler of 20 ms kept 66 % of its peak at ten
    times, and keeps 97 % now). What is free counts as a share of all there is, not of
    what was served: a place that is free for half a second might have served a hundred
    requests or one. And the line in front of the event loop is a queue like the other:
    where handlers compute rather than wait it is the only one.

    The integral may be as large as 95 % needs and not below nothing, so that it has not
    to be worked off first when the load changes (anti-windup).
    """

    def __init__(
        self,
        *,
        proportional: float = 0.1,
        integral: float = 1.4,
        highest: float = 0.95,
    ) -> None:
        self._kp = proportional
        self._ki = integral
        self._most = -math.log(1 - highest)
        self.p = 0.0
        self.i = 0.0

    @property
    def share(self) -> float:
        """The share of requests to shed."""
        share = 1 - math.exp(-min(self._most, max(0.0, self.p + self.i)))
        return share if share >= _LEAST_SHARE else 0.0

    def update(self, flow: Flow, seconds: float) -> float:
        """Take the last *seconds* into account; returns the share."""
        error = flow.error
        self.p = self._kp * error
        self.i = min(self._most, max(0.0, self.i + self._ki * error * seconds))
        return self.share


def floor_of(pressure: float, *, reach: int = COHORTS, levels: int = LEVELS) -> float:
    """From which level on to shed before any queue grows, at this pressure.

    As the cube, so that half the pressure sheds an eighth of what it may; and of the
    last *reach* levels only, which are the lowest tier: exports can wait for a process
    that is merely busy, people need not.
    """
    return levels - reach * pressure**3


class Shedder:
    """Says of each request whether it is to be turned away."""

    def __init__(self, *, controller: Controller | None = None) -> None:
        self.controller = controller or Controller()
        self.offered = Offered()
        self._note = self.offered.note
        self._measured = self._threshold = float(LEVELS)
        self._whole = LEVELS
        self._passing = 0.0
        self._owed = 0.0
        self._held: int | None = None

    @property
    def threshold(self) -> float:
        """From which level on requests are shed; 640 is none."""
        return self._threshold

    @property
    def sheds(self) -> bool:
        """Whether anybody is turned away."""
        return self._threshold < LEVELS

    def hold(self, level: int | None) -> None:
        """Shed from *level* on at least, whatever is measured; None to end that."""
        self._held = level
        self._settle()

    def update(self, flow: Flow, pressure: float, seconds: float) -> float:
        """Set the threshold for what happened in the last *seconds*.

        *pressure* is that of the CPU, for the floor.
        """
        share = self.controller.update(flow, seconds)
        self._measured = min(self.offered.threshold(share), floor_of(pressure))
        self._settle()
        return self._threshold

    def admits(self, level: int) -> bool:
        """Whether a request of *level* may pass; notes that it came."""
        self._note(level)
        if level < self._whole:
            return True
        if level > self._whole:
            return False
        # The level in which the threshold lies passes in part, and evenly.
        self._owed += self._passing
        if self._owed < 1:
            return False
        self._owed -= 1
        return True

    def _settle(self) -> None:
        held = self._measured if self._held is None else float(self._held)
        self._threshold = min(self._measured, held)
        # At 640 this is a level that no request has.
        self._whole = int(self._threshold)
        self._passing = self._threshold - self._whole
