"""One budget of time for a call and everything it calls.

An inner deadline can only shorten the budget: what is left of the outer one is
found through a context variable, so a client library deep below can pass it on
without every function in between taking it as an argument.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TypeVar

from holdfast.resilience.clock import Monotonic, monotonic
from holdfast.resilience.errors import TimedOut

T = TypeVar("T")

_DUE: ContextVar[float | None] = ContextVar("holdfast_deadline", default=None)


def remaining(timer: Monotonic = monotonic) -> float | None:
    """Seconds left of the budget, never negative; None if there is no budget."""
    due = _DUE.get()
    return None if due is None else max(0.0, due - timer())


class Deadline:
    """Give a call so many seconds, or what is left of the outer budget if less.

    Raises ``TimedOut`` when they are over; the call is cancelled then. A
    ``TimeoutError`` that the call raises by itself passes through unchanged:
    it is another's limit, not ours.
    """

    def __init__(self, seconds: float, *, timer: Monotonic = monotonic) -> None:
        if seconds <= 0:
            raise ValueError("a deadline needs a positive number of seconds")
        self._seconds = seconds
        self._timer = timer

    async def __call__(self, call: Callable[[], Awaitable[T]], /) -> T:
        """Run *call* within the budget."""
        outer = remaining(self._timer)
        seconds = self._seconds if outer is None else min(self._seconds, outer)
        token = _DUE.set(self._timer() + seconds)
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await call()
        except TimeoutError:
            if limit.expired():
                raise TimedOut(seconds) from None
            raise
        finally:
            _DUE.reset(token)
