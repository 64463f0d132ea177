"""The queue against a list: nobody lost, nobody late, and the right one first."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from holdfast.resilience.concurrency import COHORTS, Entry, Queue

LIMIT = 3
P50 = 0.03


class Waiting(RuleBasedStateMachine):
    """Joins, leaves and takes at random, in virtual time."""

    def __init__(self):
        super().__init__()
        self.now = 0.0
        self.coin = 0.5
        self.queue = Queue(chance=lambda: self.coin)
        self.queue.tune(P50, 0.2)
        self.waiting: list[Entry] = []
        self.filled_at = dict.fromkeys(range(5), 0.0)
        self.counts = dict.fromkeys(("in", "served", "dropped", "left"), 0)

    def of(self, tier):
        return [entry for entry in self.waiting if entry.tier == tier]

    def gone(self, entry):
        self.waiting.remove(entry)

    @rule(seconds=st.sampled_from([0.001, 0.01, 0.05, 0.3]))
    def time_passes(self, seconds):
        self.now += seconds

    @rule(
        tier=st.integers(0, 4),
        cohort=st.integers(0, COHORTS - 1),
        patience=st.none() | st.floats(0.0, 0.5),
        coin=st.floats(0, 1, exclude_max=True),
        is_gone=st.booleans(),
    )
    def somebody_joins(self, tier, cohort, patience, coin, is_gone):
        self.coin = coin
        deadline = None if patience is None else self.now + patience
        entry = Entry(None, tier * COHORTS + cohort, self.now, deadline)
        entry.is_gone = lambda: is_gone
        before = len(self.waiting)
        if not self.of(tier):
            self.filled_at[tier] = self.now

        loser = self.queue.join(entry, LIMIT)

        self.counts["in"] += 1
        self.waiting.append(entry)
        if loser is not None:
            # Nobody that waits is lower than who went.
            assert loser.level == max(n.level for n in self.waiting)
            assert before >= 2 * LIMIT
            self.gone(loser)
            self.counts["dropped"] += 1

    @precondition(lambda self: self.waiting)
    @rule(which=st.randoms(use_true_random=False))
    def somebody_leaves(self, which):
        entry = which.choice(self.waiting)
        self.queue.leave(entry)
        self.gone(entry)
        self.counts["left"] += 1

    @rule()
    def somebody_is_taken(self):
        entry, dropped = self.queue.take(self.now)
        for lost, _ in dropped:
            self.gone(lost)
        self.counts["dropped"] += len(dropped)
        if entry is None:
            assert not self.waiting
            return
        self.counts["served"] += 1
        assert not any(self.of(tier) for tier in range(entry.tier))
        assert entry.deadline is None or self.now + P50 <= entry.deadline
        assert not entry.is_gone()
        tier = self.of(entry.tier)
        standing = self.now - self.filled_at[entry.tier] > 0.2
        # Those in front that were unfit are gone; the rest are in order of arrival.
        assert entry is (tier[-1] if standing else tier[0])
        self.gone(entry)

    @rule()
    def everybody_is_looked_at(self):
        for lost, _ in self.queue.expire(self.now):
            self.gone(lost)
            self.counts["dropped"] += 1
        for entry in self.waiting:
            assert entry.deadline is None or self.now + P50 <= entry.deadline

    @invariant()
    def nobody_is_lost(self):
        out = self.counts["served"] + self.counts["dropped"] + self.counts["left"]
        assert self.counts["in"] == out + len(self.queue)
        assert len(self.queue) == len(self.waiting)
        assert all(entry.is_waiting for entry in self.waiting)
        for tier in range(5):
            assert self.queue.depth(tier) == len(self.of(tier))

    @invariant()
    def never_more_than_three_times_the_limit_wait(self):
        assert len(self.queue) <= 3 * LIMIT


TestQueue = Waiting.TestCase
TestQueue.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
