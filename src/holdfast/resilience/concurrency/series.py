"""Numbers that arrive one after the other: their average and their middle."""

from collections import deque


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
