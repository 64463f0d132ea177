"""Numbers that arrive one after the other: their average, middle and correlation.

The sums are kept, not recomputed, so a value costs the same however long the memory.
"""

import math
from collections import deque

_STEADY = 0.01
"""Values that vary by less than a hundredth are the same value with noise on it."""
_FEW = 10
"""Pairs below which a correlation is an accident."""


class Average:
    """Exponentially weighted over about *age* values; a plain mean of the first few."""

    def __init__(self, age: int) -> None:
        self._weight = 2.0 / (age + 1)
        self._age = age
        self._count = 0
        self.value = 0.0

    def add(self, value: float) -> float:
        """The average with *value* in it."""
        if self._count < self._age:
            self._count += 1
            self.value += (value - self.value) / self._count
        else:
            self.value += (value - self.value) * self._weight
        return self.value


class Middle:
    """The median of the last *size* values: one outlier leaves it where it was."""

    def __init__(self, size: int) -> None:
        self._values = deque[float](maxlen=size)

    def add(self, value: float) -> float:
        """The median with *value* in it."""
        self._values.append(value)
        ordered = sorted(self._values)
        return ordered[len(ordered) // 2]


class Correlation:
    """How two values move together over the last *size* pairs, -1 to 1.

    0 while there are too few to tell, or while one of them stands still.
    """

    def __init__(self, size: int) -> None:
        self._pairs = deque[tuple[float, float]](maxlen=size)
        self.value = 0.0
        self.variation = 1.0
        """Standard deviation of the second as a share of its mean; 1 if unknown."""

    def add(self, x: float, y: float) -> float:
        """The correlation with this pair in it."""
        self._pairs.append((x, y))
        count = len(self._pairs)
        if count < _FEW:
            return 0.0
        mean_x = sum(pair[0] for pair in self._pairs) / count
        mean_y = sum(pair[1] for pair in self._pairs) / count
        var_x = sum((pair[0] - mean_x) ** 2 for pair in self._pairs) / count
        var_y = sum((pair[1] - mean_y) ** 2 for pair in self._pairs) / count
        self.variation = math.sqrt(var_y) / mean_y
        if math.sqrt(var_x) < _STEADY * mean_x or self.variation < _STEADY:
            self.value = 0.0
        else:
            shared = sum((a - mean_x) * (b - mean_y) for a, b in self._pairs) / count
            self.value = shared / math.sqrt(var_x * var_y)
        return self.value
