"""How hard a process is pressed: many signals, one number, without a false alarm.

Twenty times a second each signal becomes a pressure between 0 and 1, and the highest
counts: what is short limits everything. The pressure of the process is what at least
three of the last five looks agree on, so that one pause of the garbage collector, or
one call that blocks, is not taken for an overload; a load that trebles is seen after
three looks.

The looks themselves tell the lag of the event loop: each knows when it was due. One
that comes late makes the next come a whole interval later, so that a single pause is
late once. It costs about 10 us a look, 0.02 % of a CPU, and no thread.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from holdfast.resilience.load.signals import Signal

EVERY_SECONDS = 0.05
_LOOKS = 5
_AGREEING = 3
# Signals that cost a file are read in every twentieth look.
_SLOW_LOOKS = 20


@dataclass(frozen=True, slots=True)
class Reading:
    """A signal at the last look."""

    value: float
    """As it was read: seconds, or a share."""
    pressure: float


class Monitor:
    """Looks at signals, and says how hard the process is pressed."""

    def __init__(self, signals: Sequence[Signal]) -> None:
        self._signals = tuple(signals)
        self._read: dict[str, Reading] = {}
        self._looks: deque[float] = deque([0.0] * _LOOKS, maxlen=_LOOKS)
        self._count = 0
        self.pressure = 0.0
        """Between 0 and 1."""

    def look(self) -> float:
        """Read every signal whose turn it is; returns the pressure."""
        slow = self._count % _SLOW_LOOKS == 0
        self._count += 1
        for signal in self._signals:
            if signal.slow and not slow:
                continue
            value = signal.read()
            if value is None:
                self._read.pop(signal.name, None)
            else:
                pressure = signal.pressure(value)
                self._read[signal.name] = Reading(value, pressure)
        now = max((reading.pressure for reading in self._read.values()), default=0.0)
        self._looks.append(now)
        self.pressure = sorted(self._looks)[-_AGREEING]
        return self.pressure

    @property
    def readings(self) -> dict[str, Reading]:
        """The signals that could be read, by name."""
        return dict(self._read)


class Timers(Protocol):
    """What an event loop has: its time, and calls at a time."""

    def time(self) -> float: ...

    def call_at(
        self, when: float, callback: Callable[..., Any], /, *args: Any
    ) -> Any: ...


class Looking:
    """Calls *look* every 50 ms with how late the call was, until it is stopped."""

    def __init__(
        self,
        loop: Timers,
        look: Callable[[float], object],
        *,
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        self._loop = loop
        self._look = look
        self._every = every_seconds
        self._due = loop.time() + every_seconds
        self._timer = loop.call_at(self._due, self._run)

    def stop(self) -> None:
        """Look no more."""
        self._timer.cancel()

    def _run(self) -> None:
        now = self._loop.time()
        late = max(0.0, now - self._due)
        self._due = now + self._every
        # First, so that a look that fails is not the last one.
        self._timer = self._loop.call_at(self._due, self._run)
        self._look(late)
