"""All that is known of the load of a process, looked at twenty times a second.

Puts the parts together: signals become a pressure, the pressure a level, the flow
through the queue a threshold, the line in front of the event loop room or none. Asked
about a request it answers from what the last look left; nothing is measured then.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from holdfast.resilience.clock import Monotonic
from holdfast.resilience.events import LevelChanged
from holdfast.resilience.load.arrivals import Arrivals
from holdfast.resilience.load.level import Levels
from holdfast.resilience.load.monitor import Monitor
from holdfast.resilience.load.shedder import EVERY_SECONDS, Flow, Shedder
from holdfast.resilience.load.signals import CPU, LAG, Last, Read

WAIT_WANTED_SECONDS = 0.04
"""How late the loop may be on average, where nobody counts the line in front of it.
(DAGOR takes 20 ms, as one of a chain of services.)"""
PRESSED = 2
"""The level from which on the line in front of the loop is kept short."""


@dataclass(frozen=True, slots=True)
class Served:
    """What the queue has counted: nothing, where there is none."""

    arrived: int = 0
    """Came to the queue, ever."""
    served: int = 0
    """Left it to be served, ever."""
    spare: float = 1.0
    """The share of places that nobody has at this moment."""


class Guard:
    """Looks at the load, and judges requests by what it saw."""

    def __init__(
        self,
        *,
        monitor: Monitor,
        arrivals: Arrivals,
        lag: Last,
        cpu: Read,
        timer: Monotonic,
        served: Callable[[], Served] = Served,
        levels: Levels | None = None,
        shedder: Shedder | None = None,
        listen: Callable[[LevelChanged], None] | None = None,
    ) -> None:
        """*lag* is noted here at each look; *cpu* is the share of one that is used."""
        self.monitor = monitor
        self.levels = levels or Levels()
        self.shedder = shedder or Shedder()
        self.arrivals = arrivals
        self._lag = lag
        self._cpu = cpu
        self._timer = timer
        self._served = served
        self._listen = listen
        self._updated_at = timer()
        self._before = Served()
        self._level = 0
        self._late: list[float] = []

    def look(self, late_seconds: float) -> int:
        """Take everything in; *late_seconds* is how late the call was. The level."""
        now = self._timer()
        self._lag.note(late_seconds)
        self._late.append(late_seconds)
        level = self.levels.update(self.monitor.look(), now)
        self.arrivals.look(is_pressed=level >= PRESSED, late_seconds=late_seconds)
        seconds = now - self._updated_at
        if seconds >= EVERY_SECONDS:
            self._updated_at = now
            self._update(seconds)
        if level != self._level:
            self._tell(level)
        return level

    def _tell(self, level: int) -> None:
        before, self._level = self._level, level
        if self._listen is not None:
            forced = self.levels.forced is not None
            pressure = self.monitor.pressure
            self._listen(LevelChanged(before, level, pressure, is_forced=forced))

    def _update(self, seconds: float) -> None:
        served, before = self._served(), self._before
        self._before = served
        line = self.arrivals.passed()
        lag = sum(self._late) / len(self._late)
        self._late.clear()
        late, wait = 0.0, line.wait_seconds
        if wait is None:
            # Nobody counts who comes: the loop itself must tell.
            late, wait = (lag - WAIT_WANTED_SECONDS) / WAIT_WANTED_SECONDS, lag
        passed = served.served - before.served
        queued = served.arrived - before.arrived - passed
        cpu = min(1.0, self._cpu() or 0.0)
        # Whom the queue turned away had been started, and was not served for that.
        queued = max(0, queued)
        flow = Flow(
            arrived=max(passed + queued, line.started) + max(0, line.gained),
            served=max(passed, line.started - queued),
            spare=min(served.spare, 1 - cpu),
            late=late,
            excess=math.log1p(self.arrivals.excess),
        )
        # A process that uses all of its CPU and keeps nobody waiting is busy, and no
        # more than that.
        pressure = min(CPU.pressure(cpu), LAG.pressure(wait))
        self.shedder.update(flow, pressure, seconds)
