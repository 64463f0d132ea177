"""One timer for everything that ends at some time: set to the earliest.

Nearly all requests end before their time. A timer for each would be set and taken back
in vain; this one is set anew only when something is due before what it is set to.
"""

import asyncio
import math
from typing import Protocol

from holdfast.resilience.clock import Monotonic

# What ends within so much of each other ends together: a scan of all that are live is
# made 200 times a second at most.
_SPACING_SECONDS = 0.005
# A timer may come a millisecond early: loops count in whole ones.
_EARLY_SECONDS = 0.001


class Timed(Protocol):
    """Something whose time ends."""

    due: float
    """When, in seconds of the timer; ``end`` puts it off, for ever if need be."""

    def end(self) -> None:
        """Time is over."""
        ...


class Sweep:
    """Ends what is due, of all that is *live* in an event loop."""

    def __init__(self, timer: Monotonic) -> None:
        self._timer = timer
        self._handle: asyncio.TimerHandle | None = None
        self.live: set[Timed] = set()
        self.set_to = math.inf
        """When it is due. (Long overdue, it belonged to a loop that is no more.)"""

    def set(self, due: float, now: float) -> None:
        """Look at them all when the earliest is *due*."""
        if self._handle is not None:
            self._handle.cancel()
        wait = max(_SPACING_SECONDS, due - now)
        self.set_to = now + wait
        self._handle = asyncio.get_running_loop().call_later(wait, self._fire)

    def _fire(self) -> None:
        self._handle, self.set_to = None, math.inf
        now = self._timer()
        for one in [one for one in self.live if one.due <= now + _EARLY_SECONDS]:
            one.end()
        earliest = min((one.due for one in self.live), default=math.inf)
        if earliest < math.inf:
            self.set(earliest, now)
