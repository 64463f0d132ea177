"""The simulators' own clock: it can be set, stopped and moved on.

Instants are whole microseconds since 1970 in UTC. What is due at an instant is
done when the clock gets there, by itself or by being moved: whoever moves it on
finds everything done when the call returns. Nothing here is kept over a restart.
"""

import asyncio
import contextlib
import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

Due: TypeAlias = Callable[[int], None]
"""Told the instant at which it was due, which may be a while ago."""
Real: TypeAlias = Callable[[], int]

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = 0
LATEST = (datetime(2200, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
"""A clock moved past it stays there; RFC 3339 has four digits for a year."""


def real_microseconds() -> int:
    return time.time_ns() // 1000


def text(instant: int) -> str:
    """RFC 3339 in UTC, microseconds and ``Z``: sorts as the instants do."""
    moment = _EPOCH + timedelta(microseconds=instant)
    return moment.isoformat(timespec="microseconds")[:-6] + "Z"


def instant_of(moment: datetime) -> int:
    """*moment* knows its time zone."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


class Clock:
    def __init__(self, *, real: Real = real_microseconds) -> None:
        self._real = real
        self._agenda: list[tuple[int, int, Due]] = []
        self._numbers = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._ahead = 0
        self._frozen_at: int | None = None

    @property
    def frozen(self) -> bool:
        return self._frozen_at is not None

    def now(self) -> int:
        if self._frozen_at is not None:
            return self._frozen_at
        return self._real() + self._ahead

    def text(self) -> str:
        return text(self.now())

    def at(self, due: int, act: Due) -> None:
        """Call *act* once the clock shows *due*; never at once."""
        heapq.heappush(self._agenda, (due, next(self._numbers), act))
        if self._agenda[0][0] == due:
            self.rearm()

    def set(self, instant: int | None = None, *, frozen: bool | None = None) -> None:
        """Show *instant*, and stop or go on. What is due by then is done."""
        frozen = self.frozen if frozen is None else frozen
        target = self.now() if instant is None else instant
        target = min(max(target, EARLIEST), LATEST)
        while self._agenda and self._agenda[0][0] <= target:
            due, _, act = heapq.heappop(self._agenda)
            # Each finds the clock where it expects it, and may plan what follows.
            self._show(max(due, self.now()), frozen=True)
            act(due)
        self._show(target, frozen=frozen)
        self.rearm()

    def advance(self, microseconds: int) -> None:
        self.set(self.now() + microseconds)

    def reset(self) -> None:
        """Real time again, and nothing planned."""
        self._agenda.clear()
        self._ahead, self._frozen_at = 0, None
        self.rearm()

    def rearm(self) -> None:
        """Wake up when the next is due; without a loop, whoever starts one calls."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._agenda or self.frozen:
            return
        with contextlib.suppress(RuntimeError):
            loop = asyncio.get_running_loop()
            wait = max(0, self._agenda[0][0] - self.now()) / SECOND
            self._timer = loop.call_later(wait, self._ring)

    def _ring(self) -> None:
        self._timer = None
        # A timer may ring early by the rounding of the loop's own clock.
        self.set()

    def _show(self, instant: int, *, frozen: bool) -> None:
        self._ahead = instant - self._real()
        self._frozen_at = instant if frozen else None
