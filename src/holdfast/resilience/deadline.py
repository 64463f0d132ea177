"""One budget of time for a call and everything it calls.

There are two kinds. A ``Deadline`` is a policy around one call. A ``Budget`` belongs to
a whole request and knows more: at what stage the work is, and whether it has had an
effect that must not be cut in two. Both are found through a context variable, so a
client library deep below asks ``remaining()`` and nobody in between passes it on. An
inner limit can only shorten the outer one.

Whoever calls another service keeps something back: an answer that comes at the last
moment is of no use to who has no time left to tell of it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context, ContextVar, Token, copy_context
from typing import TypeVar

from holdfast.resilience.clock import Monotonic, monotonic
from holdfast.resilience.errors import NotEnoughTime, TimedOut

T = TypeVar("T")

_RESERVE_SHARE = 0.05
_RESERVE_SECONDS = 0.010

__all__ = [
    "Budget",
    "Deadline",
    "apart",
    "begin",
    "current",
    "end",
    "finish",
    "need",
    "note_effect",
    "remaining",
    "spendable",
]

_DUE: ContextVar[float | None] = ContextVar("holdfast_deadline", default=None)
_BUDGET: ContextVar["Budget | None"] = ContextVar("holdfast_budget", default=None)


class Budget:
    """The time of one piece of work, and how far the work has come.

    It says whether the work may be cancelled when time is over: not while an effect is
    being made, and not after one was made. The one who owns it ends it; the work only
    says where it is.
    """

    # What nearly always stays as it is belongs to the class: there is a budget for
    # every request, and making one should take less than a microsecond.
    stage = "handler"
    """Where the work is, in a word: what a client is told, and a metric's label."""
    is_lasting = False
    """Something was done, or may have been, that outlives a cancellation."""
    is_closed = False
    """The work is over. What it left running has no budget any more."""
    _held = 0

    def __init__(self, due: float) -> None:
        self.due = due

    @property
    def may_be_cut(self) -> bool:
        """Whether a cancellation now leaves nothing behind."""
        return not (self.is_lasting or self._held)

    @property
    def is_held(self) -> bool:
        """Whether an effect is being made at this moment."""
        return self._held > 0

    @property
    def outcome(self) -> str:
        """What is true if the work ends now, undone: nothing-happened or unknown."""
        return "nothing-happened" if self.may_be_cut else "unknown"

    def hold(self) -> None:
        """Say that from here on a cancellation would leave the outcome unknown."""
        self._held += 1

    def let_go(self, *, lasting: bool) -> None:
        """Say that it is known again, and whether something lasting came of it."""
        self._held -= 1
        self.is_lasting = self.is_lasting or lasting


def current() -> Budget | None:
    """The budget of the request that this code runs for, if there is one."""
    budget = _BUDGET.get()
    return None if budget is None or budget.is_closed else budget


begin: Callable[[Budget], Token[Budget | None]] = _BUDGET.set
"""Make a budget that of the code that follows and of all it calls."""

end: Callable[[Token[Budget | None]], None] = _BUDGET.reset
"""End what ``begin`` began, of a budget that is closed."""


def finish(budget: Budget, token: Token[Budget | None]) -> None:
    """Close *budget*, and end what ``begin`` began."""
    budget.is_closed = True
    _BUDGET.reset(token)


def apart() -> Context:
    """A context without a budget, for a task that serves others too, or later.

    A task inherits the context of whoever happened to start it; a batch that many wait
    for must not end with the first one's patience.
    """
    context = copy_context()
    context.run(_BUDGET.set, None)
    context.run(_DUE.set, None)
    return context


def remaining(timer: Monotonic = monotonic) -> float | None:
    """Seconds left of the budget, never negative; None if there is no budget."""
    due = _DUE.get()
    budget = _BUDGET.get()
    if budget is not None and not budget.is_closed:
        due = budget.due if due is None else min(due, budget.due)
    return None if due is None else max(0.0, due - timer())


def need(seconds: float, stage: str, *, timer: Monotonic = monotonic) -> None:
    """Go on only if so much time is left; ``NotEnoughTime`` says that nothing happened.

    Called before the first effect: work that cannot finish is not started.
    """
    left = remaining(timer)
    if left is not None and left < seconds:
        raise NotEnoughTime(stage=stage)


def note_effect() -> None:
    """Say that something outside may be changed from here on: no cut any more."""
    budget = _BUDGET.get()
    if budget is not None:
        budget.is_lasting = True


def spendable(seconds: float, *, timer: Monotonic = monotonic) -> float:
    """How long a call to another may take: *seconds*, or what is left less a reserve.

    The reserve is 5 % and at least 10 ms. Not positive if there is too little left.
    """
    left = remaining(timer)
    if left is None:
        return seconds
    return min(seconds, left - max(_RESERVE_SECONDS, _RESERVE_SHARE * left))


class Deadline:
    """Give a call so many seconds, or what is left of the outer budget if less.

    Raises ``TimedOut`` when they are over; the call is cancelled then. A call for which
    nothing is left is not made: ``NotEnoughTime``. A ``TimeoutError`` that the call
    raises by itself passes through unchanged: it is another's limit, not ours.
    """

    def __init__(
        self, seconds: float, *, stage: str | None = None, timer: Monotonic = monotonic
    ) -> None:
        """Limit calls to *seconds*; *stage* is what the budget says meanwhile."""
        if seconds <= 0:
            raise ValueError("a deadline needs a positive number of seconds")
        self._seconds = seconds
        self._stage = stage
        self._timer = timer

    async def __call__(self, call: Callable[[], Awaitable[T]], /) -> T:
        """Run *call* within the budget."""
        seconds = spendable(self._seconds, timer=self._timer)
        if seconds <= 0:
            raise NotEnoughTime(stage=self._stage or "outbound")
        token = _DUE.set(self._timer() + seconds)
        limit = asyncio.timeout(seconds)
        budget = _BUDGET.get() if self._stage is not None else None
        before = None if budget is None else budget.stage
        if budget is not None and self._stage is not None:
            budget.stage = self._stage
        try:
            async with limit:
                return await call()
        except TimeoutError:
            if limit.expired():
                raise TimedOut(seconds) from None
            raise
        finally:
            if budget is not None and before is not None:
                budget.stage = before
            _DUE.reset(token)
