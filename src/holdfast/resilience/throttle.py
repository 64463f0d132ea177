"""Hold calls back by ourselves while a dependency turns most of them away.

The rule is that of Google's SRE book (Handling Overload): with so many requests and so
many of them accepted in the last two minutes, a request is held back with probability
``(requests - K * accepts) / (requests + 1)``. With K = 2 that begins when more than
half are turned away, and it keeps sending about twice what gets through, so that
recovery is noticed.

A request is counted before it is sent and taken for accepted until the dependency says
otherwise. Counted when they end, a burst would go out before any of it counts (go-zero
issue 5011); taken for refused, each burst would hold itself back.
"""

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from holdfast.resilience.circuit.window import Window
from holdfast.resilience.clock import Monotonic, monotonic
from holdfast.resilience.errors import Rejected, Throttled, Withheld
from holdfast.resilience.events import HeldBack

T = TypeVar("T")

_RETRY_AFTER_SECONDS = 1.0


class Throttle:
    """Refuses calls with ``Throttled``, as many as the dependency asks for."""

    def __init__(
        self,
        dependency: str,
        *,
        alias: str | None = None,
        pushback: tuple[type[Exception], ...] = (Rejected,),
        k: float = 2.0,
        window_seconds: float = 120.0,
        buckets: int = 24,
        minimum: int = 10,
        most: float = 0.9,
        chance: Callable[[], float] = random.random,
        timer: Monotonic = monotonic,
        listen: Callable[[HeldBack], None] | None = None,
    ) -> None:
        """Watch for *pushback*: the exceptions by which a dependency turns calls away.

        Below *minimum* requests in the window nothing is held back, and never more than
        the share *most*: somebody has to find out that it is over.
        """
        if k < 1 or not 0 < most < 1:
            raise ValueError("K is at least 1, and some calls always go out")
        self._alias = dependency if alias is None else alias
        self._event = HeldBack(dependency)
        self._pushback = pushback
        self._k = k
        self._window = Window(window_seconds, buckets)
        self._minimum = minimum
        self._most = most
        self._chance = chance
        self._timer = timer
        self._listen = listen

    @property
    def share(self) -> float:
        """Which share of calls is held back now."""
        window = self._window
        window.roll(self._timer())
        requests = window.calls
        if requests < self._minimum:
            return 0.0
        accepts = max(0, requests - window.failures)
        wanted = (requests - self._k * accepts) / (requests + 1)
        return min(self._most, max(0.0, wanted))

    async def __call__(self, call: Callable[[], Awaitable[T]], /) -> T:
        """Run *call* unless it is held back."""
        share = self.share
        held_back = share > 0 and self._chance() < share
        # One that is held back is a request that was not accepted, by whomever.
        self._window.add(self._timer(), failed=held_back)
        if held_back:
            if self._listen is not None:
                self._listen(self._event)
            raise Throttled(_RETRY_AFTER_SECONDS, dependency=self._alias)
        try:
            return await call()
        except Withheld:
            # Ours, from further in: the dependency has said nothing.
            raise
        except self._pushback:
            self._window.add(self._timer(), calls=0, failed=1)
            raise
