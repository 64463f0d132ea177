"""Ask again, but rarely, never at once with everybody else, and never blindly.

The wait before attempt n is random between nothing and ``base * 2 ** n``, capped
(full jitter: callers that failed together do not come back together). A retry
that the deadline leaves no time for is not made.

Only use it around a call that may be repeated: a safe method, or a write that
carries an idempotency key. For that reason ``TimedOut`` is retried only when the
constructor is told that the call is ``repeatable``.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from holdfast.resilience.clock import Monotonic, Sleep, monotonic
from holdfast.resilience.deadline import remaining
from holdfast.resilience.errors import Rejected, TimedOut

T = TypeVar("T")


class Retry:
    """Up to *attempts* tries of a call whose failure is one of *on*."""

    def __init__(
        self,
        *,
        repeatable: bool,
        attempts: int = 3,
        base_seconds: float = 0.1,
        cap_seconds: float = 2.0,
        on: tuple[type[Exception], ...] = (OSError,),
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        timer: Monotonic = monotonic,
    ) -> None:
        """Say what may be retried.

        Three attempts ride out one lost connection and one restart; more would
        only add load to a service that is down. *on* names failures after which
        the call may be made again even if it is not *repeatable*, so each must
        mean that nothing happened; with *repeatable*, any of them may be unclear.
        """
        if attempts < 1:
            raise ValueError("a call needs at least one attempt")
        unclear = (TimedOut,) if repeatable else ()
        self._on: tuple[type[Exception], ...] = (*on, *unclear, Rejected)
        self._attempts = attempts
        self._base = base_seconds
        self._cap = cap_seconds
        self._sleep = sleep
        self._chance = chance
        self._timer = timer

    async def __call__(self, call: Callable[[], Awaitable[T]], /) -> T:
        """Run *call* until it succeeds or the attempts or the time run out.

        What ``Rejected`` announces as its wait is waited for at least. The last
        failure is raised as it came.
        """
        for attempt in range(1, self._attempts):
            try:
                return await call()
            except self._on as failure:
                wait = self._wait(attempt, failure)
                left = remaining(self._timer)
                if left is not None and left <= wait:
                    raise
            await self._sleep(wait)
        return await call()

    def _wait(self, attempt: int, failure: Exception) -> float:
        ceiling = min(self._cap, self._base * 2.0 ** (attempt - 1))
        announced = 0.0
        if isinstance(failure, Rejected):
            announced = failure.retry_after_seconds or 0.0
        return announced + ceiling * self._chance()
