"""A circuit breaker: whether to call something that has been failing.

Its state is of this process alone and no I/O is done to decide, so that the breaker
cannot fail with what it watches. Six states: three of its own (closed, open, half
open), three that a person puts it into (forced open, disabled, metrics only).

Whoever is admitted gets a ticket and gives it back with what came of the call. A ticket
of an earlier state counts for nothing: calls that began before it opened say nothing
about the time after. The tickets of a half-open circuit are few, so a lost one would
close it for good (as happened to resilience4j, issue 935): one that does not come back
within twice its time limit reopens the circuit, and the next half-open state begins
with all of them.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from math import inf

from holdfast.resilience.circuit.rules import Rules
from holdfast.resilience.circuit.window import Window
from holdfast.resilience.clock import Monotonic, monotonic
from holdfast.resilience.errors import CircuitOpen
from holdfast.resilience.events import CircuitCall, CircuitEvent, CircuitMoved

_PERCENT = 100
_UNCOUNTED = -1
# How soon to ask again when all probes are out: each takes at least a moment.
_PROBING_SECONDS = 1.0
# Beyond it the doubled time is above any bound, and below a float's.
_MOST_DOUBLINGS = 32


class State(Enum):
    """What a circuit does with calls."""

    CLOSED = "closed"
    """Lets them through and watches."""
    OPEN = "open"
    """Refuses them until its time is over."""
    HALF_OPEN = "half_open"
    """Lets a few through to see how they fare."""
    FORCED_OPEN = "forced_open"
    """Refuses them until a person says otherwise."""
    DISABLED = "disabled"
    """Lets them through and looks away."""
    METRICS_ONLY = "metrics_only"
    """Lets them through, watches, and says when it would have opened."""


FORCED = frozenset({State.FORCED_OPEN, State.DISABLED, State.METRICS_ONLY})


class Outcome(Enum):
    """What came of a call, as far as it tells anything about who was called."""

    SUCCESS = "success"
    SLOW = "slow"
    """It succeeded late, or its caller lost patience late."""
    FAILURE = "failure"
    UNREACHABLE = "unreachable"
    """A failure at once: nobody took the connection."""
    TIMED_OUT = "timed_out"
    """A failure that was slow: its whole time limit passed."""
    IGNORED = "ignored"
    """It tells nothing: never sent, or held off by who was called."""
    CANCELLED = "cancelled"
    """The caller left before the call could be called slow."""


_FAILED = frozenset({Outcome.FAILURE, Outcome.UNREACHABLE, Outcome.TIMED_OUT})
_SLOW = frozenset({Outcome.SLOW, Outcome.TIMED_OUT})
_SILENT = frozenset({Outcome.IGNORED, Outcome.CANCELLED})
# The words of the metric are fewer: what failed, failed.
_WORDS = {
    outcome: "failure" if outcome in _FAILED else outcome.value for outcome in Outcome
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a circuit stands."""

    dependency: str
    state: State
    since_seconds: float
    """How long it has been in this state."""
    calls: int
    failures: int
    slow: int
    probing: int
    """Probes under way."""
    open_seconds: float
    """How much longer it is open; 0 if it is not."""

    @property
    def failure_ratio(self) -> float:
        return self.failures / self.calls if self.calls else 0.0

    @property
    def slow_ratio(self) -> float:
        return self.slow / self.calls if self.calls else 0.0


class Breaker:
    """The circuit to one dependency; shared by all policies around calls to it."""

    def __init__(
        self,
        dependency: str,
        rules: Rules = Rules(),  # noqa: B008 - it is frozen
        *,
        alias: str | None = None,
        timer: Monotonic = monotonic,
        chance: Callable[[], float] = random.random,
        listen: Callable[[CircuitEvent], None] | None = None,
    ) -> None:
        """Begin closed. *alias* is what clients are told instead of *dependency*.

        *listen* hears of each call and each change of state, and must not raise.
        """
        self.dependency = dependency
        self.rules = rules
        self._alias = dependency if alias is None else alias
        self._timer = timer
        self._chance = chance
        self._listen = listen
        # Most calls end alike: one event for each way is made once.
        words = {*_WORDS.values(), "rejected"}
        self._calls = {word: CircuitCall(dependency, word) for word in words}
        self._window = Window(rules.window_seconds, rules.buckets)
        self._state = State.CLOSED
        self._epoch = self._serial = 0
        self._since = timer()
        self._until = 0.0
        self._closed_at = self._hinted_at = -inf
        self._doublings = 0
        self._unreachable = 0
        self._would_open = False
        self._probes: dict[int, float] = {}
        self._successes = self._failures = 0

    @property
    def state(self) -> State:
        """An open circuit whose time is over stays so until somebody asks."""
        return self._state

    def admit(self, timeout_seconds: float) -> int:
        """Let a call through that may take so long; ``CircuitOpen`` refuses it.

        Returns a ticket for ``record``.
        """
        if self._state is State.CLOSED:
            return self._epoch
        return self._admit_otherwise(timeout_seconds)

    def _admit_otherwise(self, timeout_seconds: float) -> int:
        if self._state is State.DISABLED:
            return _UNCOUNTED
        if self._state is State.METRICS_ONLY:
            return self._epoch
        now = self._timer()
        self.tick(now)
        if self._state is State.OPEN and now >= self._until:
            self._go(State.HALF_OPEN, "waited", now)
        if self._state is State.HALF_OPEN:
            if len(self._probes) >= self.rules.permits:
                raise self._refusal(_PROBING_SECONDS)
            self._serial += 1
            self._probes[self._serial] = now + timeout_seconds * self.rules.patience
            return self._serial
        raise self._refusal(min(self._until - now, self.rules.longest_open_seconds))

    def _refusal(self, seconds: float) -> CircuitOpen:
        if self._listen is not None:
            self._listen(self._calls["rejected"])
        return CircuitOpen(seconds, dependency=self._alias)

    def record(self, ticket: int, outcome: Outcome, now: float) -> None:
        """Take a ticket back with what came of the call."""
        if ticket == self._epoch:
            if outcome not in _SILENT:
                self._count(outcome, now)
        elif self._probes.pop(ticket, None) is not None:
            self._judge_probe(outcome, now)
        if self._listen is not None:
            self._listen(self._calls[_WORDS[outcome]])

    def _count(self, outcome: Outcome, now: float) -> None:
        window = self._window
        if outcome is Outcome.SUCCESS:
            self._unreachable = 0
            window.add(now)
        else:
            unreachable = outcome is Outcome.UNREACHABLE
            self._unreachable = self._unreachable + 1 if unreachable else 0
            window.add(now, failed=outcome in _FAILED, slow=outcome in _SLOW)
        if window.failures or window.slow:
            self._look(now)

    def _look(self, now: float) -> None:
        reason = self._reason()
        if self._state is State.CLOSED:
            if reason is not None:
                self._open(reason, now)
        elif (reason is not None) != self._would_open:
            self._would_open = reason is not None
            if reason is not None:
                self._tell(State.METRICS_ONLY, State.METRICS_ONLY, reason, 0.0)

    def _reason(self) -> str | None:
        """Why it should open; None if it should not."""
        rules, window = self.rules, self._window
        if self._unreachable >= rules.unreachable_in_a_row:
            return "unreachable"
        if window.calls < rules.minimum_calls:
            return None
        if window.failures * _PERCENT >= rules.failure_percent * window.calls:
            return "failure_rate"
        if window.slow * _PERCENT >= rules.slow_percent * window.calls:
            return "slow_rate"
        return None

    def _judge_probe(self, outcome: Outcome, now: float) -> None:
        if outcome is Outcome.SUCCESS:
            self._successes += 1
            if self._successes >= self.rules.successes_to_close:
                self._closed_at = now
                self._go(State.CLOSED, "recovered", now)
        elif outcome not in _SILENT:
            # A slow answer too: it would be let in again only to be slow.
            self._failures += 1
            if self._failures >= self.rules.failures_to_reopen:
                self._open("probes_failed", now)

    def _open(self, reason: str, now: float) -> None:
        rules = self.rules
        # One that closed only just now has not recovered: it goes on where it was, so
        # that something that fails under load and not under probes cannot make it flap.
        again = self._state is State.HALF_OPEN or (
            now - self._closed_at < rules.window_seconds
        )
        self._doublings = min(self._doublings + 1, _MOST_DOUBLINGS) if again else 0
        seconds = min(
            rules.open_seconds * 2.0**self._doublings, rules.longest_open_seconds
        )
        seconds *= 1 + rules.jitter * (2 * self._chance() - 1)
        self._until = now + seconds
        self._go(State.OPEN, reason, now, seconds)

    def tick(self, now: float) -> None:
        """Notice what nobody has asked about: a probe that is lost."""
        if self._probes and now >= next(iter(self._probes.values())):
            self._open("probe_lost", now)

    def hint(self) -> bool:
        """Another process found the dependency failing: look carefully from now on.

        Half open at once, unless what is seen here says otherwise. A hint is only a
        reason to look, and one in a window is enough: a stream of false ones costs a
        few probes. Returns whether it was taken.
        """
        now = self._timer()
        rules, window = self.rules, self._window
        if (
            self._state is not State.CLOSED
            or now - self._hinted_at < rules.window_seconds
        ):
            return False
        window.roll(now)
        bad = max(window.failures, window.slow)
        well = bad * 2 * _PERCENT < rules.failure_percent * window.calls
        if window.calls >= rules.minimum_calls and well:
            return False
        self._hinted_at = now
        self._go(State.HALF_OPEN, "hint", now)
        return True

    def force(self, state: State | None, *, seconds: float = inf) -> None:
        """Put it into one of the states of people, or None: back to its own, closed.

        *seconds* is how long it will be left there, which those who are refused are
        told; to end it is the caller's affair.
        """
        if state is not None and state not in FORCED:
            raise ValueError(f"nobody can put a circuit into {state.value}")
        now = self._timer()
        if state is not None:
            self._until = now + seconds
        if state is self._state or (state is None and self._state not in FORCED):
            return
        self._closed_at = -inf
        self._go(state or State.CLOSED, "operator", now)

    def standing(self) -> Standing:
        """How it stands now."""
        now = self._timer()
        self._window.roll(now)
        left = self._until - now if self._state is State.OPEN else 0.0
        return Standing(
            self.dependency,
            self._state,
            max(0.0, now - self._since),
            self._window.calls,
            self._window.failures,
            self._window.slow,
            len(self._probes),
            max(0.0, left),
        )

    def _go(
        self, state: State, reason: str, now: float, open_seconds: float = 0.0
    ) -> None:
        was, self._state = self._state, state
        # No ticket is of this number yet: all that are out are worth nothing now.
        self._serial += 1
        self._epoch = self._serial
        self._since = now
        self._window.clear()
        self._probes.clear()
        self._unreachable = self._successes = self._failures = 0
        self._would_open = False
        self._tell(was, state, reason, open_seconds)

    def _tell(self, was: State, now: State, reason: str, open_seconds: float) -> None:
        if self._listen is not None:
            moved = (was.value, now.value, reason, open_seconds)
            self._listen(CircuitMoved(self.dependency, *moved))
