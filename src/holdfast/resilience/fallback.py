"""What to answer when a dependency does not: ways out, tried in turn, and marked.

Three kinds of way out cover what a caller can do without an answer: what was known
before (``LastKnown``), an answer that is worse and says so, and doing it later. A way
is a function; each answer says which way it came by, so that nobody takes a stale price
for a fresh one.

A fallback is for reading, and for writes of which it is certain that nothing happened
or that carry a key: a call that timed out may have had its effect, and "do it later"
must then be the same call with the same key.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from holdfast.resilience.clock import Monotonic, monotonic
from holdfast.resilience.errors import Rejected, TimedOut
from holdfast.resilience.events import FellBack

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


class NoWay(Exception):
    """This way out leads nowhere: the next one is tried."""


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """An answer, and how it was come by."""

    value: T
    way: str | None = None
    """The name of the way out; None if the dependency answered."""

    @property
    def degraded(self) -> bool:
        return self.way is not None


Way: TypeAlias = tuple[str, Callable[[], Awaitable[T]]]
"""A name and what gives an answer; it raises ``NoWay`` where it has none."""


class Fallback:
    """Answers for calls that fail with one of *on*."""

    def __init__(
        self,
        dependency: str,
        *,
        on: tuple[type[Exception], ...] = (Rejected, TimedOut, OSError),
        listen: Callable[[FellBack], None] | None = None,
    ) -> None:
        self._dependency = dependency
        self._on = on
        self._listen = listen

    async def __call__(
        self, call: Callable[[], Awaitable[T]], /, *ways: Way[T]
    ) -> Answered[T]:
        """Run *call*; if it fails, the first of *ways* that has an answer.

        Where none has, the failure of the call is raised as it came.
        """
        try:
            return Answered(await call())
        except self._on:
            for name, way in ways:
                try:
                    value = await way()
                except NoWay:
                    continue
                if self._listen is not None:
                    self._listen(FellBack(self._dependency, name))
                return Answered(value, name)
            raise


class LastKnown(Generic[K, T]):
    """The last good answers, for a while: *most* of them, the least used go first."""

    def __init__(
        self, *, seconds: float, most: int = 1_024, timer: Monotonic = monotonic
    ) -> None:
        if seconds <= 0 or most < 1:
            raise ValueError("nothing would be known")
        self._seconds = seconds
        self._most = most
        self._timer = timer
        self._known: OrderedDict[K, tuple[float, T]] = OrderedDict()

    def remember(self, key: K, value: T) -> None:
        """Keep *value* as the newest of *key*."""
        self._known[key] = (self._timer(), value)
        self._known.move_to_end(key)
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def recall(self, key: K) -> T:
        """The value of *key*; ``NoWay`` if there is none, or it is too old."""
        known = self._known.get(key)
        if known is None:
            raise NoWay
        if self._timer() - known[0] > self._seconds:
            del self._known[key]
            raise NoWay
        self._known.move_to_end(key)
        return known[1]
