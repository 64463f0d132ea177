"""As many calls at once as do not slow each other down.

The recent latency (p90, the median of five windows, averaged) is compared with the
latency without load, the *baseline*: what is above it is queueing somewhere below,
``limit * (1 - baseline / recent)`` calls of it. Few of them leave room, many mean
overload; how many are few grows with the logarithm of the limit. So far that is
the gradient of Netflix, Cinnamon and failsafe-go.

Alone it runs away: under a mild overload a little queueing is tolerated, the baseline
learns it, and a little more is tolerated. failsafe-go therefore asks whether throughput
still correlates with the calls under way. Here that guard leads: a ``Curve`` keeps what
each limit achieved, the limit goes where it was best, and looks beside it once in a
while. The gradient keeps it from climbing into a queue, and brings it down quickly.

Three things the baseline must not learn:

* load. While calls are turned away it rises by at most two percent a window, and only
  if the curve says that fewer calls would not be faster;
* a timeout. Calls cut at their deadline are no latencies; a fifth of them in a window
  takes a tenth of the limit, whatever else it shows;
* a slower service is not load, and must be learned: if the limit was lowered by a
  quarter and no call became faster, they were not slow because of each other. It may
  also be that everything hangs, and somebody below calls that an answer: so for some
  minutes the limit stays below twice what it was before.

A limit that nobody ran into is never raised, and one that is five times what was used
is lowered: it has not been tried.
"""

import math

from holdfast.resilience.concurrency.curve import Curve
from holdfast.resilience.concurrency.limit import Step, check
from holdfast.resilience.concurrency.series import Average, Middle
from holdfast.resilience.concurrency.window import Window

_RISE = 1.02
_MANY_DROPS = 0.2
_BACKOFF = 0.9
_BRAKE = 0.85
"""Of the limit, in each window of an overload."""
_SATURATED = 0.85
"""Of the limit, under way in the mean: more callers than permits, not a burst."""
_KNOWN = 0.2
"""Windows that a point of the curve must rest on to be compared."""
_LOWERED, _HELPED = 0.25, 0.5
"""A descent by so much (as a logarithm) is judged: by half of it, calls got faster."""
_TWICE, _RELAX = 2.0, 1.002
_FAST_DOWN, _SLOW_UP = 0.5, 0.18


class Gradient:
    """Follows the latency; keeps the limit where throughput stops growing."""

    def __init__(
        self,
        *,
        initial: int = 16,
        least: int = 4,
        most: int = 200,
        headroom: float = 5.0,
    ) -> None:
        """Begin with *initial* and stay within *least* and *most*.

        Sixteen is little for any service, and a service that is cold takes little.
        Below four one slow call is a quarter of everything.
        """
        check(initial, least, most)
        self._limit = initial
        self._least = least
        self._most = most
        self._headroom = headroom
        self._curve = Curve(most)
        self._lowest = self._curve.rung(least)
        self._middle = Middle(5)
        self._recent = Average(5)
        self._baseline = 0.0
        self._descent: tuple[float, float] | None = None
        """Where a descent began: calls under way and latency, as logarithms."""
        self._ceiling = float(most)
        self._climbed = 0
        """Windows in a row in which more calls were better."""

    @property
    def current(self) -> int:
        """The limit now."""
        return self._limit

    def update(self, window: Window) -> Step:
        """The limit that *window* speaks for."""
        self._ceiling = min(self._ceiling * _RELAX, self._most)
        if window.drop_ratio >= _MANY_DROPS:
            self._lower(_BACKOFF)
            return self._step("drops")
        recent = self._recent.add(self._middle.add(window.p90_seconds))
        self._learn(recent, was_full=window.was_full)
        if not window.was_full:
            if self._limit > self._headroom * window.max_inflight:
                self._lower(1)
                return self._step("unused")
            return self._step("hold")
        rung = self._curve.learn(window.mean_inflight, window.useful_seconds)
        is_saturated = window.mean_inflight >= _SATURATED * self._limit
        queueing = self._limit * (1 - self._baseline / recent)
        scale = max(math.log10(self._limit), 1.0)
        if is_saturated and queueing > 6 * scale:
            return self._step(self._brake(window))
        self._descent = None
        if not is_saturated:
            return self._step(self._ease(rung))
        return self._step(self._seek(rung, has_room=queueing < 3 * scale))

    def drop(self) -> Step:
        """One step down at once."""
        self._lower(1)
        return self._step("drop")

    def _learn(self, recent: float, *, was_full: bool) -> None:
        """Follow *recent* down quickly, and up slowly, but not while there is load."""
        if not self._baseline:
            self._baseline = recent
        elif recent < self._baseline:
            self._baseline += _FAST_DOWN * (recent - self._baseline)
        elif not was_full:
            self._baseline += _SLOW_UP * (recent - self._baseline)

    def _brake(self, window: Window) -> str:
        """Far too many: down by steps that show whether it helps."""
        x, y = math.log(window.mean_inflight), math.log(window.p90_seconds)
        self._climbed = 0
        if self._descent is None:
            self._descent = (x, y)
        down, faster = self._descent[0] - x, self._descent[1] - y
        if down > _LOWERED and faster < _HELPED * down:
            self._ceiling = min(_TWICE * math.exp(self._descent[0]), self._most)
            self._descent = None
            self._adopt(window.p90_seconds)
            return "adopted"
        self._lower(_BRAKE)
        return "queueing"

    def _adopt(self, seconds: float) -> None:
        """Calls take so long by themselves: measure from there."""
        self._baseline = seconds
        self._middle, self._recent = Middle(5), Average(5)
        self._recent.add(self._middle.add(seconds))

    def _ease(self, rung: int) -> str:
        """There are permits left: lower, if fewer calls at once did more."""
        self._climbed = 0
        best = self._curve.best(rung, self._lowest)
        gain = self._curve.merit(best) - self._curve.merit(rung)
        if best < rung and gain > self._curve.noise:
            self._set(min(self._curve.ladder[best], self._limit))
            return "throughput"
        return "hold"

    def _seek(self, rung: int, *, has_room: bool) -> str:
        """Go where throughput was best, or look beside it."""
        curve = self._curve
        best = curve.best(rung, self._lowest)
        # So far that the difference stands out from the noise; on a long way up, in
        # longer and longer steps.
        reach = max(2 * curve.noise, 1e-9)
        self._climbed = self._climbed + 1 if best == rung else 0
        above = curve.beyond(best, max(reach, 0.025 * (self._climbed - 1)))
        below = max(curve.beyond(best, -reach), self._lowest)
        if below < best and curve.weight(below) > _KNOWN:
            self._rise(curve.slope(below, best))
        if has_room and above > best and curve.is_doubtful(above, best):
            to, reason = above, "room"
        elif below < best and curve.is_doubtful(below, best):
            to, reason = below, "probe"
        else:
            to, reason = best, "hold" if best == rung else "throughput"
        if reason != "room":
            self._climbed = 0
        self._set(curve.ladder[to])
        return reason

    def _rise(self, slope: float) -> None:
        """Let the baseline follow a latency that fewer calls would not shorten."""
        if slope < _HELPED and self._recent.value > self._baseline:
            self._baseline = min(self._baseline * _RISE, self._recent.value)

    def _lower(self, share: float) -> None:
        """To *share* of the limit, and by a step at least."""
        below = self._curve.ladder[max(self._curve.rung(self._limit) - 1, 0)]
        self._set(min(int(self._limit * share), below))

    def _set(self, limit: int) -> None:
        self._limit = max(min(limit, int(self._ceiling)), self._least)

    def _step(self, reason: str) -> Step:
        recent, baseline = self._recent.value, self._baseline
        gradient = baseline / recent if recent else 1.0
        return Step(self._limit, reason, gradient, recent, baseline)
