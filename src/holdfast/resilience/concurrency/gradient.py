"""As many calls at once as do not slow each other down.

The rules are those of failsafe-go's adaptive limiter, which follows what Uber wrote of
Cinnamon: compare the recent latency with the one without load (the *baseline*); what
is above it is queueing somewhere below, ``limit * (1 - baseline / recent)`` calls of
it. Few of them: one more. Many: one less. How many are few grows with the logarithm of
the limit.

That alone runs away. Under a mild overload a little queueing is tolerated, the average
that serves as baseline learns it, and tolerates a little more. So two correlations are
kept of the last fifty windows: if more calls at once do not bring more throughput, or
only more latency, the limit falls whatever the gradient says.
"""

import math
from dataclasses import dataclass

from holdfast.resilience.concurrency.limit import Step, check
from holdfast.resilience.concurrency.series import Average, Correlation, Middle
from holdfast.resilience.concurrency.window import Window

_BASELINE_RISE = 1.02
_MANY_DROPS = 0.2
_BACKOFF = 0.9
_LINKED, _LOOSE, _LEVEL = 0.5, 0.3, 0.2
"""Correlation that means something; that means nothing; variation of a plateau."""


@dataclass(frozen=True, slots=True)
class _Signs:
    """What one window shows."""

    queueing: int
    was_full: bool
    throughput: float
    """Its correlation with the calls under way."""
    throughput_variation: float
    latency: float
    """Its correlation with the calls under way."""


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

        The limit stays below *headroom* times the calls that were really under way:
        one that was never reached has never been tried.
        """
        check(initial, least, most)
        self._limit = float(initial)
        self._least = least
        self._most = most
        self._headroom = headroom
        self._middle = Middle(5)
        self._recent = Average(5)
        self._baseline = Average(10)
        self._throughput = Correlation(50)
        self._latency = Correlation(50)

    @property
    def current(self) -> int:
        """The limit now."""
        return int(self._limit)

    def update(self, window: Window) -> Step:
        """Step up, down, or stay."""
        if window.drop_ratio >= _MANY_DROPS:
            self._limit = max(self._limit * _BACKOFF, self._least)
            return self._step("drops")
        recent = self._recent.add(self._middle.add(window.p90_seconds))
        self._learn(recent, was_full=window.was_full)
        gradient = self._baseline.value / recent
        inflight = window.max_inflight
        signs = _Signs(
            queueing=math.ceil(self._limit * (1 - gradient)),
            was_full=window.was_full,
            throughput=self._throughput.add(inflight, inflight / recent),
            throughput_variation=self._throughput.variation,
            latency=self._latency.add(inflight, recent),
        )
        direction, reason = _judge(signs, self._stride())
        wanted = self._limit + direction * self._stride()
        if wanted > inflight * self._headroom:
            wanted, reason = self._limit - self._stride(), "unused"
        self._limit = min(max(wanted, self._least), self._most)
        return self._step(reason)

    def drop(self) -> Step:
        """One step down at once."""
        self._limit = max(self._limit - self._stride(), self._least)
        return self._step("drop")

    def _learn(self, recent: float, *, was_full: bool) -> None:
        before = self._baseline.value
        after = self._baseline.add(recent)
        if was_full and before and after > before * _BASELINE_RISE:
            self._baseline.value = before * _BASELINE_RISE

    def _stride(self) -> float:
        return max(math.log10(self._limit), 1.0)

    def _step(self, reason: str) -> Step:
        recent, baseline = self._recent.value, self._baseline.value
        gradient = baseline / recent if recent else 1.0
        return Step(self.current, reason, gradient, recent, baseline)


def _judge(signs: _Signs, stride: float) -> tuple[int, str]:
    """Up, down or neither, and why; in the order of failsafe-go."""
    if signs.queueing > 6 * stride:
        return -1, "queueing"
    if signs.was_full and signs.throughput < 0:
        return -1, "throughput"
    if signs.was_full and signs.latency > _LINKED:
        if signs.throughput < _LOOSE:
            return -1, "latency"
        if signs.throughput_variation < _LEVEL:
            return -1, "plateau"
    if signs.queueing < 3 * stride:
        return 1, "room"
    return 0, "hold"
