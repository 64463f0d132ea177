"""Whatever happens in whatever order, a circuit keeps its promises.

Calls begin, end in every way there is, are lost; time passes; hints come; people
interfere. Open admits nothing, at most three probe at once, no permit is lost for good,
it does not flap, and once all is well it closes.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    precondition,
    rule,
)

from holdfast.resilience import CircuitOpen
from holdfast.resilience.circuit import Breaker, Outcome, Rules, State
from holdfast.resilience.events import CircuitMoved

RULES = Rules()
TIMEOUT = 3.0
# The longest it is open, with jitter, and the longest it waits for a probe.
RECOVERS_WITHIN = 60 * 1.2 + 2 * TIMEOUT
PASSES = (State.CLOSED, State.DISABLED, State.METRICS_ONLY)


class Circuits(RuleBasedStateMachine):
    tickets = Bundle("tickets")

    def __init__(self):
        super().__init__()
        self.now = 0.0
        self.moved_at: list[float] = []
        self.luck = 0.5
        self.out: set[int] = set()
        self.breaker = Breaker(
            "payment",
            RULES,
            timer=lambda: self.now,
            chance=lambda: self.luck,
            listen=self.hear,
        )

    def hear(self, event):
        if not isinstance(event, CircuitMoved):
            return
        self.out.clear()
        if event.reason == "operator":
            # People may flap as they like; what it does by itself is counted anew.
            self.moved_at.clear()
        else:
            self.moved_at.append(self.now)

    def admit(self):
        before, due = self.breaker.state, self.breaker.standing().open_seconds
        try:
            ticket = self.breaker.admit(TIMEOUT)
        except CircuitOpen as refused:
            assert before not in PASSES
            self.refused_for(refused.retry_after_seconds)
            return None
        assert before is not State.FORCED_OPEN
        assert before is not State.OPEN or due == 0
        if self.breaker.state is State.HALF_OPEN:
            self.out.add(ticket)
        return ticket

    @staticmethod
    def refused_for(seconds):
        assert seconds > 0

    @rule(target=tickets)
    def begins(self):
        return self.admit()

    @rule(ticket=consumes(tickets), outcome=st.sampled_from(Outcome))
    def ends(self, ticket, outcome):
        if ticket is not None:
            self.out.discard(ticket)
            self.breaker.record(ticket, outcome, self.now)

    @rule(ticket=consumes(tickets))
    def is_lost(self, ticket):
        """Nobody gives it back: its task was forgotten, or never began."""

    @rule(outcome=st.sampled_from(Outcome), times=st.integers(1, 30))
    def many(self, outcome, times):
        for _ in range(times):
            ticket = self.admit()
            if ticket is not None:
                self.out.discard(ticket)
                self.breaker.record(ticket, outcome, self.now)

    @rule(seconds=st.one_of(st.floats(0, 0.2), st.floats(0, 5), st.floats(0, 100)))
    def passes(self, seconds):
        self.now += seconds

    @rule(luck=st.floats(0, 1))
    def chances(self, luck):
        self.luck = luck

    @rule()
    def ticks(self):
        self.breaker.tick(self.now)

    @rule()
    def is_hinted(self):
        self.breaker.hint()

    @rule(state=st.sampled_from([None, State.FORCED_OPEN, State.DISABLED]))
    def is_forced(self, state):
        self.breaker.force(state)

    @precondition(lambda self: self.breaker.state is not State.FORCED_OPEN)
    @rule()
    def recovers(self):
        """From here on every call succeeds: it closes in bounded time."""
        self.breaker.force(None)
        deadline = self.now + RECOVERS_WITHIN
        while self.breaker.state is not State.CLOSED:
            assert self.now < deadline
            self.many(Outcome.SUCCESS, 5)
            if self.breaker.state is not State.CLOSED:
                self.now += 0.25

    @invariant()
    def few_probe_at_once(self):
        probing = self.breaker.standing().probing
        assert probing <= RULES.permits
        assert probing == len(self.out)

    @invariant()
    def does_not_flap(self):
        recent = [at for at in self.moved_at if at > self.now - 10]
        assert len(recent) <= 10

    @invariant()
    def what_it_counts_is_possible(self):
        standing = self.breaker.standing()
        assert 0 <= standing.failures <= standing.calls
        assert 0 <= standing.slow <= standing.calls


TestCircuits = Circuits.TestCase
TestCircuits.settings = settings(
    max_examples=150, stateful_step_count=60, deadline=None
)
