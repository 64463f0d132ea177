"""What tells that a process has more to do than it can: each as a pressure, 0 to 1.

A signal is a name, a way to read a number, and a scale: at ``calm`` the pressure is 0,
at ``full`` it is 1. What cannot be read (a file that this kernel has not, no samples
yet) is no signal, never a zero and never an alarm.

The defaults of the scales: event-loop lag, the queue and the database pool in seconds
that a client would notice; CPU from 60 to 95 % (Netflix sheds what can wait from 60,
what cannot from 80), which alone is no more than ``BUSY``; memory from 85 to 95 % of
its limit (Envoy's overload manager closes at 92 and 95).
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from holdfast.resilience.clock import Monotonic

Read: TypeAlias = Callable[[], float | None]
"""The number as it is now; None where it cannot be told."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Where pressure begins, and where it is full."""

    calm: float
    full: float

    def __post_init__(self) -> None:
        if not self.calm < self.full:
            raise ValueError("calm must be below full")

    def pressure(self, value: float) -> float:
        """Between 0 and 1."""
        share = (value - self.calm) / (self.full - self.calm)
        return min(1.0, max(0.0, share))


LAG = Scale(0.005, 0.050)
"""Seconds that a callback of the event loop runs late."""
SOJOURN = Scale(0.005, 0.100)
"""Seconds that a request waits before it is served."""
CPU = Scale(0.60, 0.95)
"""CPU seconds of this process a second; a Python process has one."""
POOL_WAIT = Scale(0.002, 0.050)
"""Seconds that a request waits for a connection to the database."""
INFLIGHT = Scale(1.0, 2.0)
"""Requests that are served or wait for it, of those that may be served at once. All
places taken, and nobody in line, is what a limit is for."""
BUSY = 0.69
"""As far as a process is pressed that only works hard: it leaves out extras, and is no
flood as long as nobody waits."""
MEMORY = Scale(0.85, 0.95)
"""Memory in use, of what there may be."""
STALLED = Scale(0.05, 0.40)
"""Time in which work was held back by the kernel."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that is watched."""

    name: str
    """A short word: it labels a metric."""
    read: Read
    scale: Scale
    slow: bool = False
    """Reading it costs a file, and it changes slowly: once a second will do."""
    most: float = 1.0
    """The pressure that it alone can make."""

    def pressure(self, value: float) -> float:
        """Between 0 and what it can make."""
        return min(self.most, self.scale.pressure(value))


class Samples:
    """A quantile of what was noted lately; None if nothing was.

    Nearest rank over at most *most* samples: noting costs 0.2 us, reading a sort of
    them.
    """

    def __init__(
        self,
        *,
        within_seconds: float,
        timer: Monotonic,
        quantile: float = 0.9,
        most: int = 256,
    ) -> None:
        if not 0 < quantile <= 1:
            raise ValueError("quantile must be above 0 and at most 1")
        self._within = within_seconds
        self._quantile = quantile
        self._timer = timer
        self._noted: deque[tuple[float, float]] = deque(maxlen=most)

    def note(self, value: float) -> None:
        """Add a sample of this moment."""
        self._noted.append((self._timer(), value))

    def __call__(self) -> float | None:
        noted = self._noted
        since = self._timer() - self._within
        while noted and noted[0][0] < since:
            noted.popleft()
        if not noted:
            return None
        values = sorted(value for _, value in noted)
        return values[math.ceil(self._quantile * len(values)) - 1]


class Last:
    """The last value that was noted, once; None until the next."""

    def __init__(self) -> None:
        self._value: float | None = None

    def note(self, value: float) -> None:
        """Replace what was noted before."""
        self._value = value

    def __call__(self) -> float | None:
        value, self._value = self._value, None
        return value


class Rate:
    """By how much a count grows a second, over about a second.

    With ``time.process_time`` as the count: the share of a CPU that this process uses.
    """

    def __init__(
        self, count: Read, *, timer: Monotonic, over_seconds: float = 1.0
    ) -> None:
        self._count = count
        self._timer = timer
        self._over = over_seconds
        self._seen: deque[tuple[float, float]] = deque()

    def __call__(self) -> float | None:
        now, count = self._timer(), self._count()
        if count is None:
            return None
        seen = self._seen
        seen.append((now, count))
        # The oldest that is left is the newest of those old enough.
        while len(seen) > 2 and seen[1][0] <= now - self._over:  # noqa: PLR2004
            seen.popleft()
        then, before = seen[0]
        # A few milliseconds would tell of one request, not of the process.
        if now - then < self._over / 2:
            return None
        return (count - before) / (now - then)


def share_of(part: Read, whole: Read) -> Read:
    """One number in another; None where either is missing, or the whole is nothing."""

    def read() -> float | None:
        a, b = part(), whole()
        return None if a is None or not b else a / b

    return read
