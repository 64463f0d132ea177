"""What each number of calls at once was seen to achieve.

The correlation between calls under way and throughput, kept as a curve: for each limit
on a ladder of steps of five percent, how long a useful call held its permit there. By
Little's law the throughput is the one divided by the other. So whether a call more
brings more is not guessed from a trend but looked up, and a limit that was right a
minute ago is found again at once.

Seconds are kept as logarithms, and all relative to one level. When everything takes
three times as long at the same number of calls, that is the service's doing, not the
limit's: the level moves and the curve stays, with less trust in each point.

What a window says is off by chance, the more the fewer and the more different the
calls. The curve learns by how much, and believes a point the less the fewer windows it
rests on.
"""

import math
from bisect import bisect_left

_STEP = 1.05
"""From rung to rung: the least change whose effect stands out from the noise."""
_WORTH = 0.3
"""What a permit must bring: of one percent more, three tenths in throughput. Below it,
latency grows more than twice as fast as throughput does."""
_KEEP = 0.95
"""Of what was known, after each window: half of it is forgotten in fourteen."""
_DOUBT = 0.3
"""Of what was known, after the level has moved."""
_STALE_BELOW, _STALE_ABOVE = 18, 10
"""Windows after which the best one's neighbours are looked at again. A capacity that
was lost shows by itself, one that was gained only to who tries it."""
_ENOUGH = 4.0
"""Windows after which a point that is hard to tell from the best is let be."""
_JUMP = 0.2
"""A change of the logarithm that no step of the ladder explains."""
_NOISE = 0.02
"""The deviation of a window's mean, before any is known."""


class Curve:
    """Useful seconds by limit, in rungs of a ladder."""

    def __init__(self, most: int) -> None:
        self.ladder = [1]
        while self.ladder[-1] < most:
            last = self.ladder[-1]
            self.ladder.append(min(max(last + 1, round(last * _STEP)), most))
        self._log = [math.log(limit) for limit in self.ladder]
        # Weights grow with the unit instead of all others shrinking; the level is
        # added to all that is read, instead of to all that is kept.
        self._unit = 1.0
        self._level = 0.0
        self._weights = [0.0] * len(self.ladder)
        self._values = [0.0] * len(self.ladder)
        self._window = 0
        self._seen = [0] * len(self.ladder)
        self._last: tuple[float, float] | None = None
        self._variance = _NOISE**2

    @property
    def noise(self) -> float:
        """By how much one window is off, as a share."""
        return math.sqrt(self._variance)

    def rung(self, limit: float) -> int:
        """The rung nearest to *limit*."""
        above = bisect_left(self.ladder, limit)
        if above == 0:
            return 0
        if above == len(self.ladder):
            return above - 1
        below = above - 1
        nearer_below = limit - self.ladder[below] < self.ladder[above] - limit
        return below if nearer_below else above

    def beyond(self, rung: int, share: float) -> int:
        """The first rung that is higher than *rung* by *share*; lower if negative."""
        goal = self._log[rung] + share
        step = 1 if share > 0 else -1
        found = rung + step
        while 0 < found < len(self.ladder) - 1 and (goal - self._log[found]) * step > 0:
            found += step
        return min(max(found, 0), len(self.ladder) - 1)

    def weight(self, rung: int) -> float:
        """On how many windows *rung* rests, those of long ago counting less."""
        return self._weights[rung] / self._unit

    def learn(self, inflight: float, seconds: float) -> int:
        """So many calls at once took *seconds* for each useful one; their rung."""
        x, y = math.log(inflight), math.log(seconds) - self._level
        rung = self.rung(inflight)
        weight = self.weight(rung)
        if self._last is not None:
            self._judge(x, y, rung, weight)
            y = math.log(seconds) - self._level
        self._last = (x, y)
        self._unit /= _KEEP
        self._window += 1
        self._seen[rung] = self._window
        self._weights[rung] += self._unit
        share = self._unit / self._weights[rung]
        self._values[rung] += (y - self._values[rung]) * share
        if self._unit > 1e9:  # noqa: PLR2004 - far from where floats lose the small
            self._weights = [weight / self._unit for weight in self._weights]
            self._unit = 1.0
        return rung

    def _judge(self, x: float, y: float, rung: int, weight: float) -> None:
        """Take what is new as noise, or as a new level."""
        known = weight > _DOUBT
        last_x, last_y = self._last or (x, y)
        off = y - (self._values[rung] if known else last_y)
        bound = max(_JUMP, 4 * self.noise) + (0.0 if known else 3 * abs(x - last_x))
        if abs(off) > bound:
            self._level += off
            self._unit /= _DOUBT
        elif known:
            seen = off * off * weight / (1 + weight)
            self._variance += 0.1 * (seen - self._variance)

    def merit(self, rung: int, doubt: float = -1.0) -> float:
        """How good *rung* is, less what is not certain; only for comparison.

        With a *doubt* of 1 how good it may be.
        """
        gain = (1 - _WORTH) * self._log[rung] - self._values[rung]
        return gain + doubt * self.noise / math.sqrt(self.weight(rung))

    def is_doubtful(self, rung: int, best: int) -> bool:
        """Whether *rung* is worth a look, because it may be better than *best*."""
        weight = self.weight(rung)
        age = self._window - self._seen[rung]
        if not weight or age >= (_STALE_BELOW if rung < best else _STALE_ABOVE):
            return True
        return weight < _ENOUGH and self.merit(rung, 1.0) > self.merit(best)

    def best(self, rung: int, lowest: int, reach: int = 6) -> int:
        """The best rung known near *rung*; *rung* if none is."""
        near = range(max(rung - reach, lowest), min(rung + reach + 1, len(self.ladder)))
        known = [n for n in near if self.weight(n) > _DOUBT / 2]
        return max(known, key=self.merit, default=rung)

    def slope(self, lower: int, upper: int) -> float:
        """How much of a change in calls shows as a change in latency: 0 is nothing."""
        run = self._log[upper] - self._log[lower]
        return (self._values[upper] - self._values[lower]) / run
