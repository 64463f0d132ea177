"""How many calls at once: what every algorithm answers, and the two simple ones.

An algorithm is pure. It is told what a window of time has shown and answers with the
limit that follows; it has no clock, holds no permits and knows nobody who waits.

``Fixed`` is for what has a known size, such as a pool. ``Aimd`` needs deadlines to be
missed before it learns. ``Gradient`` (in its own file) learns from the latency, which
rises before anything is lost.
"""

from dataclasses import dataclass
from typing import Protocol

from holdfast.resilience.concurrency.window import Window


@dataclass(frozen=True, slots=True)
class Step:
    """The limit that follows, and why."""

    limit: int
    reason: str
    """One of few: it becomes the label of a metric."""
    gradient: float = 1.0
    """The latency without load as a share of the recent one: 1 is no queueing."""
    recent_seconds: float = 0.0
    baseline_seconds: float = 0.0


class Limit(Protocol):
    """Decides how many calls may be under way."""

    @property
    def current(self) -> int:
        """The limit now."""
        ...

    def update(self, window: Window) -> Step:
        """The limit after *window*."""
        ...

    def drop(self) -> Step:
        """The limit at once after a call ran past its deadline.

        Told once for all calls that began before the last cut: they say nothing of
        the limit that followed it.
        """
        ...


class Fixed:
    """Always the same limit."""

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError("a limit must let at least one call through")
        self._limit = limit

    @property
    def current(self) -> int:
        """The limit, as given."""
        return self._limit

    def update(self, window: Window) -> Step:
        """Nothing changes; what was measured is passed on."""
        return Step(self._limit, "fixed", recent_seconds=window.p90_seconds)

    def drop(self) -> Step:
        """Nothing changes."""
        return Step(self._limit, "fixed")


class Aimd:
    """One more while all goes well, a tenth less when a deadline is missed.

    The rule of TCP, and of the limiter of Netflix by that name. It finds the edge by
    stepping over it again and again, so it needs deadlines that are close to what
    callers bear; *slow_seconds* stands in for one.
    """

    def __init__(
        self,
        *,
        initial: int = 16,
        least: int = 4,
        most: int = 200,
        backoff: float = 0.9,
        slow_seconds: float = 5.0,
    ) -> None:
        check(initial, least, most)
        self._limit = initial
        self._least = least
        self._most = most
        self._backoff = backoff
        self._slow_seconds = slow_seconds

    @property
    def current(self) -> int:
        """The limit now."""
        return self._limit

    def update(self, window: Window) -> Step:
        """One more, unless calls were too slow or the limit was not even half used."""
        if window.p90_seconds > self._slow_seconds:
            return self._cut("slow", window)
        if window.dropped or window.max_inflight * 2 < self._limit:
            return self._step("hold", window)
        self._limit = min(self._limit + 1, self._most)
        return self._step("room", window)

    def drop(self) -> Step:
        """A tenth less."""
        self._limit = max(int(self._limit * self._backoff), self._least)
        return Step(self._limit, "drop")

    def _cut(self, reason: str, window: Window) -> Step:
        self.drop()
        return self._step(reason, window)

    def _step(self, reason: str, window: Window) -> Step:
        return Step(self._limit, reason, recent_seconds=window.p90_seconds)


def check(initial: int, least: int, most: int) -> None:
    if not 1 <= least <= initial <= most:
        raise ValueError("limits need 1 <= least <= initial <= most")
