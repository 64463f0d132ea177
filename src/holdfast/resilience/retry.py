"""Ask again, but rarely, never at once with everybody else, and never blindly.

The wait before attempt n is random between nothing and ``base * 2 ** n``, capped
(full jitter: callers that failed together do not come back together). A retry that the
deadline leaves no time for is not made, nor one that the budget of its dependency does
not allow: a dependency that is down must not be asked three times as often as one that
is well.

A call may be repeated if it is a safe method, or a write that carries an idempotency
key: the constructor has to be told (``repeatable``). One that may not is tried again
only after what says that nothing was sent: a refused connection, a name that leads
nowhere, ``Rejected``. A connection that was cut, or silence, may have had its effect
before. What was withheld (``CircuitOpen`` and its kin) is not retried: it was decided
here, a moment ago, and not for this call alone. Only one layer retries: with retries in
a client library below, attempts multiply.
"""

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import Self, TypeVar

from holdfast.resilience.circuit.window import Window
from holdfast.resilience.clock import Monotonic, Sleep, monotonic
from holdfast.resilience.deadline import remaining
from holdfast.resilience.errors import NotEnoughTime, Rejected, TimedOut, Withheld
from holdfast.resilience.events import Attempted, RetryRefused

T = TypeVar("T")

_PERCENT = 100
# Failures after which nothing can have happened: there was nobody to send it to.
_NEVER_SENT: tuple[type[Exception], ...] = (ConnectionRefusedError, socket.gaierror)


class RetryBudget:
    """How many retries a dependency may be asked for: a tenth of its requests.

    Two bounds, and both must hold. Within the last *seconds* no more than *percent* of
    the requests, and *reserve* besides, so that a quiet dependency may be asked again
    at all. At one time no more than *percent* of the requests under way, or *reserve*:
    a thousand calls that fail together become a hundred retries, not a thousand.
    """

    def __init__(
        self,
        *,
        percent: int = 10,
        reserve: int = 3,
        seconds: float = 10.0,
        buckets: int = 10,
        timer: Monotonic = monotonic,
    ) -> None:
        if not 0 <= percent <= _PERCENT or reserve < 0:
            raise ValueError("a budget is a share of the requests, and a few besides")
        self._percent = percent
        self._reserve = reserve
        # Requests are its calls, retries its failures.
        self._window = Window(seconds, buckets)
        self._timer = timer
        self._requests = self._retries = 0

    @property
    def tokens(self) -> int:
        """How many retries there could be now."""
        window = self._window
        window.roll(self._timer())
        earned = window.calls * self._percent // _PERCENT + self._reserve
        at_once = max(self._reserve, self._requests * self._percent // _PERCENT)
        return max(0, min(earned - window.failures, at_once - self._retries))

    @property
    def amplification(self) -> float:
        """Attempts a request, in the window; 1 is none repeated."""
        window = self._window
        window.roll(self._timer())
        if not window.calls:
            return 1.0
        return (window.calls + window.failures) / window.calls

    def __enter__(self) -> Self:
        """A request begins."""
        self._requests += 1
        self._window.add(self._timer())
        return self

    def __exit__(self, *_: object) -> None:
        self._requests -= 1

    def take(self) -> bool:
        """Take a retry, which ``give_back`` ends; False if there is none."""
        if self.tokens < 1:
            return False
        self._retries += 1
        self._window.add(self._timer(), calls=0, failed=1)
        return True

    def give_back(self) -> None:
        """A retry has ended; what it cost stays spent."""
        self._retries -= 1


class Retry:
    """Up to *attempts* tries of a call whose failure is one of *on*."""

    def __init__(
        self,
        *,
        repeatable: bool,
        attempts: int = 3,
        base_seconds: float = 0.05,
        cap_seconds: float = 2.0,
        on: tuple[type[Exception], ...] | None = None,
        dependency: str = "",
        budget: RetryBudget | None = None,
        longest_wait_seconds: float = 30.0,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        timer: Monotonic = monotonic,
        listen: Callable[[Attempted | RetryRefused], None] | None = None,
    ) -> None:
        """Say what may be retried.

        Three attempts ride out one lost connection and one restart; more would
        only add load to a service that is down. *on* names failures after which
        the call may be made again even if it is not *repeatable*, so each must
        mean that nothing happened; with *repeatable*, any of them may be unclear.
        Left out it is ``OSError`` of what is repeatable, and else what says that
        nothing was sent. (Those of httpx are no ``OSError``: name
        ``httpx.TransportError``.) A failure that announces a wait beyond
        *longest_wait_seconds* is not waited for.
        """
        if attempts < 1:
            raise ValueError("a call needs at least one attempt")
        if on is None:
            on = (OSError,) if repeatable else _NEVER_SENT
        unclear = (TimedOut,) if repeatable else ()
        self._on: tuple[type[Exception], ...] = (*on, *unclear, Rejected)
        self._attempts = attempts
        self._base = base_seconds
        self._cap = cap_seconds
        self._dependency = dependency
        self._budget = budget
        self._longest_wait = longest_wait_seconds
        self._sleep = sleep
        self._chance = chance
        self._timer = timer
        self._listen = listen

    async def __call__(self, call: Callable[[], Awaitable[T]], /) -> T:
        """Run *call* until it succeeds or the attempts, budget or time run out.

        What a failure announces as its wait (``retry_after_seconds``) is waited for at
        least. The last failure is raised as it came.
        """
        with self._budget or nullcontext():
            attempt, wait = 1, 0.0
            while True:
                try:
                    again = attempt > 1
                    result = await (self._again(call, wait) if again else call())
                except Withheld:
                    self._note(attempt, "withheld")
                    raise
                except Exception as failure:
                    planned = self._next(attempt, failure)
                    self._note(attempt, "failure" if planned is None else "retried")
                    if planned is None:
                        raise
                    wait, attempt = planned, attempt + 1
                else:
                    self._note(attempt, "success")
                    return result

    async def _again(self, call: Callable[[], Awaitable[T]], wait: float) -> T:
        # The budget was asked before the wait: else all who failed together would.
        try:
            await self._sleep(wait)
            return await call()
        finally:
            if self._budget is not None:
                self._budget.give_back()

    def _next(self, attempt: int, failure: Exception) -> float | None:
        """How long to wait before another attempt; None if there is to be none."""
        if attempt >= self._attempts or not isinstance(failure, self._on):
            return None
        if isinstance(failure, NotEnoughTime):
            # There will not be more of it.
            return None
        announced = getattr(failure, "retry_after_seconds", None) or 0.0
        ceiling = min(self._cap, self._base * 2.0 ** (attempt - 1))
        wait: float = announced + ceiling * self._chance()
        left = remaining(self._timer)
        if announced > self._longest_wait or (left is not None and left <= wait):
            return None
        if self._budget is not None and not self._budget.take():
            if self._listen is not None:
                self._listen(RetryRefused(self._dependency))
            return None
        return wait

    def _note(self, attempt: int, outcome: str) -> None:
        if self._listen is not None:
            self._listen(Attempted(self._dependency, attempt, outcome))
