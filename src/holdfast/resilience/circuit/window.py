"""Counts of the last so many seconds, in buckets that fall out of it one by one.

Adding to it is a handful of integer operations whatever it holds: the totals are kept,
and a bucket that is used anew is subtracted first. Between nine and ten tenths of the
window are looked at, which is the price of not remembering each call.
"""


class Window:
    """How many calls there were, how many of them failed, and how many were slow."""

    __slots__ = (
        "_buckets",
        "_calls",
        "_failures",
        "_per_second",
        "_slow",
        "_tick",
        "calls",
        "failures",
        "slow",
    )

    def __init__(self, seconds: float, buckets: int) -> None:
        self._buckets = buckets
        self._per_second = buckets / seconds
        self._tick = 0
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._calls = [0] * self._buckets
        self._failures = [0] * self._buckets
        self._slow = [0] * self._buckets
        self.calls = self.failures = self.slow = 0

    def add(
        self, now: float, *, calls: int = 1, failed: int = 0, slow: int = 0
    ) -> None:
        """Count at *now*, in seconds of a clock that does not run backwards."""
        tick = int(now * self._per_second)
        if tick != self._tick:
            self.roll(now)
        place = self._tick % self._buckets
        self._calls[place] += calls
        self.calls += calls
        if failed:
            self._failures[place] += failed
            self.failures += failed
        if slow:
            self._slow[place] += slow
            self.slow += slow

    def roll(self, now: float) -> None:
        """Let what is too old at *now* fall out."""
        tick = int(now * self._per_second)
        passed = tick - self._tick
        if passed <= 0:
            return
        if passed >= self._buckets:
            self.clear()
        else:
            for one in range(self._tick + 1, tick + 1):
                place = one % self._buckets
                self.calls -= self._calls[place]
                self.failures -= self._failures[place]
                self.slow -= self._slow[place]
                self._calls[place] = self._failures[place] = self._slow[place] = 0
        self._tick = tick
