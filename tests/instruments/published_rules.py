"""The rules of failsafe-go's adaptive limiter, as its source of 2026 reads.

A control for what is our own: the same windows, played with the same service. Defaults
as there (median of 5, averages over 5 and 10, correlations over 50 windows); limits as
in ours, so that both begin alike.
"""

import math
from collections import deque

from holdfast.resilience.concurrency import Step
from holdfast.resilience.concurrency.series import Average, Middle


class PublishedRules:
    """Steps of the logarithm, by gradient and by two correlations."""

    def __init__(self, *, initial=16, least=4, most=200):
        self._limit = float(initial)
        self._bounds = least, most
        self._middle, self._recent, self._baseline = Middle(5), Average(5), Average(10)
        self._throughput, self._latency = deque(maxlen=50), deque(maxlen=50)

    @property
    def current(self):
        return int(self._limit)

    def drop(self):
        return Step(self.current, "drop")

    def update(self, window):
        recent = self._recent.add(self._middle.add(window.p90_seconds))
        gradient = self._baseline.add(recent) / recent
        inflight = window.max_inflight
        self._throughput.append((inflight, inflight / recent))
        self._latency.append((inflight, recent))
        stride = max(int(math.log10(self._limit)), 1)
        queueing = math.ceil(self._limit * (1 - gradient))
        wanted = self._limit + stride * self._direction(queueing, stride, window)
        if wanted > 5 * inflight:
            wanted = self._limit - stride
        self._limit = min(max(wanted, self._bounds[0]), self._bounds[1])
        return Step(self.current, "rules", gradient, recent, self._baseline.value)

    def _direction(self, queueing, stride, window):
        throughput, variation = _correlation(self._throughput)
        latency, _ = _correlation(self._latency)
        if queueing > 6 * stride:
            return -1
        if window.was_full:
            if throughput < 0:
                return -1
            if latency > 0.5 and (throughput < 0.3 or variation < 0.2):
                return -1
        return 1 if queueing < 3 * stride else 0


def _correlation(pairs):
    """As there: none of fewer than ten, or of what varies by less than a hundredth."""
    count = len(pairs)
    if count < 10:
        return 0.0, 0.0
    mean_x, mean_y = (sum(n[axis] for n in pairs) / count for axis in (0, 1))
    var_x, var_y = (
        sum((n[axis] - mean) ** 2 for n in pairs) / count
        for axis, mean in ((0, mean_x), (1, mean_y))
    )
    variation = math.sqrt(var_y) / mean_y
    if math.sqrt(var_x) / mean_x < 0.01 or variation < 0.01:
        return 0.0, variation
    shared = sum((x - mean_x) * (y - mean_y) for x, y in pairs) / count
    return shared / math.sqrt(var_x * var_y), variation
