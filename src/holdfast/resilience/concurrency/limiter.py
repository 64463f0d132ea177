"""The gate in an event loop: wait for a permit, or be turned away.

A permit is counted from the instant it is granted, before the task that asked for it
runs again, so a cancellation in between can give it back but not lose it. Whoever waits
is looked at when somebody is taken, and every tenth of a second by one timer of the
whole limiter, for the times in which nothing ends: never by a timer of their own.
"""

import asyncio
import random
from collections.abc import Callable

from holdfast.resilience.concurrency.bucket import Entry
from holdfast.resilience.concurrency.gate import Gate, Outcome, Permit
from holdfast.resilience.concurrency.queue import Reason
from holdfast.resilience.errors import Overloaded

SWEEP_SECONDS = 0.1
_WAITS = ((1.0, 2.0), (1.0, 2.0), (2.0, 8.0), (8.0, 30.0), (30.0, 60.0))
"""Seconds after which to come back, by tier: from, to."""


def retry_after(tier: int, chance: Callable[[], float] = random.random) -> float:
    """Seconds after which a call of *tier* may come back; different for each.

    Lower tiers wait longer, so that those who come back first are those that matter.
    """
    begins, ends = _WAITS[min(max(tier, 0), len(_WAITS) - 1)]
    return begins + (ends - begins) * chance()


class Limiter(Gate[asyncio.Future[Permit]]):
    """A gate that tasks of one event loop wait at."""

    _sweeper: asyncio.TimerHandle | None = None

    async def acquire(
        self,
        level: int = 0,
        *,
        deadline: float | None = None,
        is_gone: Callable[[], bool] | None = None,
    ) -> Permit:
        """A permit, at once or after waiting; ``Overloaded`` if there will be none.

        *level* is ``tier * 128 + cohort``, 0 the most important. *deadline* is an
        instant of the timer: who cannot be served before it is turned away, as is
        one whose caller *is_gone*. The error carries its ``Reason`` as a note.
        """
        permit = self.try_acquire(level)
        if permit is not None:
            return permit
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Permit] = loop.create_future()
        entry = Entry(future, level, self._timer(), deadline)
        entry.is_gone = (
            future.cancelled
            if is_gone is None
            else lambda: future.cancelled() or is_gone()
        )
        self.join(entry)
        self._sweep_later(loop)
        try:
            return await future
        except asyncio.CancelledError:
            self._abandon(entry)
            raise

    def _granted(self, entry: Entry[asyncio.Future[Permit]], permit: Permit) -> None:
        entry.item.set_result(permit)

    def _refused(self, entry: Entry[asyncio.Future[Permit]], reason: Reason) -> None:
        if not entry.item.cancelled():
            error = Overloaded(retry_after(entry.tier, self._chance))
            error.add_note(reason)
            entry.item.set_exception(error)

    def _abandon(self, entry: Entry[asyncio.Future[Permit]]) -> None:
        """The task that waited is cancelled, perhaps after its permit was granted."""
        if entry.is_waiting:
            self.leave(entry)
        elif not entry.item.cancelled() and entry.item.exception() is None:
            entry.item.result().release(Outcome.IGNORED)

    def _sweep_later(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._sweeper is None and self.waiting:
            self._sweeper = loop.call_later(SWEEP_SECONDS, self._sweep_again, loop)

    def _sweep_again(self, loop: asyncio.AbstractEventLoop) -> None:
        self._sweeper = None
        self.sweep()
        self._sweep_later(loop)
