"""Doing something again and again, whatever happens meanwhile.

A step that fails is tried again after a random wait that doubles up to a bound, so
that a database that is away costs neither a crash nor a processor, and a fleet of
workers does not come back to it all at once. The first failure and the recovery
are logged, the failures between them are not: they say the same.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from secrets import SystemRandom

import structlog

from holdfast.kernel.clock import Monotonic, monotonic
from holdfast.kernel.errors import Unavailable

_FIRST_WAIT_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 5.0
_chance = SystemRandom()
_log = structlog.get_logger()

Step = Callable[[], Awaitable[float]]
"""Do it once and return after how many seconds to do it again."""


@dataclass
class Recurring:
    """One activity of the worker, and how it is doing."""

    name: str
    step: Step
    timer: Monotonic = monotonic
    dispensable: bool = False
    """While it fails the worker is of use all the same."""
    failures: int = 0
    # When it last came round, well or not.
    turned_at: float = 0.0

    @property
    def works(self) -> bool:
        return self.failures == 0

    def progress(self) -> None:
        """Note that it works; for a step that goes on as long as it can."""
        if self.failures:
            _log.info("recovered", activity=self.name, failures=self.failures)
        self.failures = 0
        self.turned_at = self.timer()

    async def run(self, stop: asyncio.Event) -> None:
        """Repeat the step until *stop*; a step under way is finished."""
        self.turned_at = self.timer()
        while not stop.is_set():
            await rest(stop, await self._once())

    async def _once(self) -> float:
        try:
            wait = await self.step()
        except Exception as error:  # noqa: BLE001 - the worker outlives any failure
            self.failures += 1
            self.turned_at = self.timer()
            if self.failures == 1:
                # The database being away is not a fault of the code.
                trace = not isinstance(error, Unavailable)
                _log.warning(
                    "failing", activity=self.name, error=str(error), exc_info=trace
                )
            longest = _FIRST_WAIT_SECONDS * 2.0 ** min(self.failures, 30)
            return _chance.uniform(0.5, 1) * min(longest, _LONGEST_WAIT_SECONDS)
        self.progress()
        return wait


async def rest(stop: asyncio.Event, seconds: float) -> None:
    """Wait, unless *stop* comes first."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
