"""Those of one tier who wait: by arrival, and by cohort."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from holdfast.resilience.concurrency.codel import TARGET_SECONDS, CoDel

T = TypeVar("T")

COHORTS = 128
"""Of each tier: a level is ``tier * 128 + cohort``."""


def _stays() -> bool:
    return False


@dataclass(eq=False, slots=True)
class Entry(Generic[T]):
    """Somebody who waits."""

    item: T
    level: int
    entered_at: float
    deadline: float | None = None
    """The instant after which serving them is of no use."""
    is_gone: Callable[[], bool] = field(default=_stays)
    """Whether their caller has left."""
    is_waiting: bool = field(default=False, init=False)

    @property
    def tier(self) -> int:
        """Which bucket they wait in."""
        return self.level // COHORTS


class Bucket(Generic[T]):
    """One tier. Everything but looking through all of it takes constant time."""

    def __init__(self, *, target_seconds: float = TARGET_SECONDS) -> None:
        self.codel = CoDel(least_seconds=target_seconds)
        self.waiting = OrderedDict[Entry[T], None]()
        self._cohorts: list[OrderedDict[Entry[T], None] | None] = [None] * COHORTS
        self._taken = 0
        """One bit for each cohort of which somebody waits."""
        self._filled_at = 0.0

    def __len__(self) -> int:
        return len(self.waiting)

    def is_standing(self, now: float) -> bool:
        """Whether it has not been empty for a whole interval."""
        if not self.waiting:
            return False
        return now - self._filled_at > self.codel.interval_seconds

    def add(self, entry: Entry[T]) -> None:
        """Let *entry* wait behind all others."""
        if not self.waiting:
            self._filled_at = entry.entered_at
        entry.is_waiting = True
        self.waiting[entry] = None
        number = entry.level % COHORTS
        cohort = self._cohorts[number]
        if cohort is None:
            cohort = self._cohorts[number] = OrderedDict()
        cohort[entry] = None
        self._taken |= 1 << number

    def remove(self, entry: Entry[T]) -> None:
        """Forget *entry*, which waits."""
        entry.is_waiting = False
        del self.waiting[entry]
        number = entry.level % COHORTS
        cohort = self._cohorts[number]
        assert cohort is not None  # noqa: S101 - whoever waits is in a cohort
        del cohort[entry]
        if not cohort:
            self._taken ^= 1 << number
        if not self.waiting:
            self.codel.clear()

    def oldest(self) -> Entry[T]:
        """Who has waited longest."""
        return next(iter(self.waiting))

    def newest(self) -> Entry[T]:
        """Who came last."""
        return next(reversed(self.waiting))

    def lowest(self) -> Entry[T]:
        """Of the lowest cohort that waits, who has waited longest."""
        cohort = self._cohorts[self._taken.bit_length() - 1]
        assert cohort is not None  # noqa: S101 - its bit is set
        return next(iter(cohort))
