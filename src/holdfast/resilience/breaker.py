"""Stop calling what has been failing, and find out carefully when it is well again.

This is the policy around a call; the states are ``holdfast.resilience.circuit``. One
``Breaker`` may stand behind several policies, one for each kind of call, each with the
time limit of its own kind.

What counts: an answer is a success, a late one is slow, what is named in *failures* is
a failure. As a rule that is every exception: a circuit that did not know the errors of
a client library would never open. An answer that says 500 is an answer until the call
raises it. A call that was never made, or that was held off politely (429, or 503 with
Retry-After), says nothing about health and counts for nothing: ``Throttle`` hears of
it. A caller who leaves early proves nothing either; one who leaves late has seen a slow
call, or a dependency that hangs would never be noticed by impatient callers.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from holdfast.resilience.circuit.states import Breaker, Outcome
from holdfast.resilience.clock import Monotonic, monotonic
from holdfast.resilience.errors import Rejected, TimedOut

T = TypeVar("T")

# A timer fires up to a clock tick early: this much of the limit is all of it.
_WHOLE = 0.98


class CircuitBreaker:
    """Refuses calls with ``CircuitOpen`` while the circuit is open."""

    def __init__(
        self,
        breaker: Breaker,
        *,
        timeout_seconds: float,
        failures: tuple[type[Exception], ...] = (Exception,),
        unreachable: tuple[type[Exception], ...] = (ConnectionError,),
        answers: tuple[type[Exception], ...] = (),
        ignored: tuple[type[Exception], ...] = (Rejected,),
        timer: Monotonic = monotonic,
    ) -> None:
        """Judge calls whose own time limit is *timeout_seconds*.

        Exceptions in *answers* are answers, however unwelcome; those *ignored* tell
        nothing, nor does one that is named nowhere. *unreachable* are failures of which
        a few in a row suffice. Of several that fit, the first of ``answers``,
        ``ignored``, ``unreachable`` and ``failures`` decides.
        """
        self._breaker = breaker
        self._timeout = timeout_seconds
        self._slow = timeout_seconds * breaker.rules.slow_share
        self._failures = failures
        self._unreachable = unreachable
        self._answers = answers
        self._ignored = ignored
        self._timer = timer

    async def __call__(self, call: Callable[[], Awaitable[T]], /) -> T:
        """Run *call* if the circuit lets it through, and note what comes of it."""
        breaker, timer = self._breaker, self._timer
        ticket = breaker.admit(self._timeout)
        started = timer()
        try:
            result = await call()
        except BaseException as error:
            # Also a task that is cancelled or thrown away: the ticket must come back.
            now = timer()
            breaker.record(ticket, self._judge(error, now - started), now)
            raise
        now = timer()
        slow = now - started > self._slow
        breaker.record(ticket, Outcome.SLOW if slow else Outcome.SUCCESS, now)
        return result

    def _judge(self, error: BaseException, seconds: float) -> Outcome:
        if isinstance(error, TimedOut) and seconds >= self._timeout * _WHOLE:
            return Outcome.TIMED_OUT
        if isinstance(error, TimedOut) or not isinstance(error, Exception):
            # The caller left, or their budget was shorter than the call's limit.
            early = Outcome.CANCELLED
        elif isinstance(error, self._answers):
            early = Outcome.SUCCESS
        else:
            return self._verdict(error)
        return Outcome.SLOW if seconds > self._slow else early

    def _verdict(self, error: Exception) -> Outcome:
        if isinstance(error, self._ignored):
            return Outcome.IGNORED
        if isinstance(error, self._unreachable):
            return Outcome.UNREACHABLE
        failed = isinstance(error, self._failures)
        return Outcome.FAILURE if failed else Outcome.IGNORED
