"""The store in memory against a model of it that is too simple to be wrong."""

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
)

from holdfast.resilience.errors import Overloaded
from holdfast.resilience.idempotency import Decision, Identity, Kept, MemoryStore

KEPT, LEASE, MOST = 100.0, 30.0, 3
CALLERS, ROUTES, KEYS = ["ann", "bob"], ["POST /a", "POST /b"], ["1"]
PRINTS = [b"one", b"two"]


class Watch:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def run(coroutine):
    """Run what never really waits."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waited")


class Store(RuleBasedStateMachine):
    """Requests that claim, answer, give up, die and come back, in any order."""

    holders = Bundle("holders")

    def __init__(self):
        super().__init__()
        self.watch = Watch()
        self.store = MemoryStore(kept_seconds=KEPT, most=MOST, timer=self.watch)
        self.model = {}  # identity: [fingerprint, lease, holder, answer, answered at]
        self.executing = set()  # who was told to carry a request out, and has not ended
        self.answers = 0

    def _expire(self):
        gone = [
            identity
            for identity, entry in self.model.items()
            if entry[3] is not None and entry[4] + KEPT <= self.watch.now
        ]
        for identity in gone:
            del self.model[identity]

    def _has_room(self):
        if len(self.model) < MOST:
            return True
        answered = [i for i, e in self.model.items() if e[3] is not None]
        if answered:
            # The oldest answer goes first; the model is in the order of claims.
            oldest = min(answered, key=lambda i: (self.model[i][4], self.model[i][5]))
            del self.model[oldest]
            return True
        lapsed = [i for i, e in self.model.items() if e[1] < self.watch.now]
        for identity in lapsed:
            del self.model[identity]
        return bool(lapsed)

    @rule(
        target=holders,
        caller=st.sampled_from(CALLERS),
        route=st.sampled_from(ROUTES),
        key=st.sampled_from(KEYS),
        asked=st.sampled_from(PRINTS),
    )
    def claim(self, caller, route, key, asked):
        identity = Identity(caller, route, key)
        self._expire()
        known = self.model.get(identity)
        if known is None and not self._has_room():
            with pytest.raises(Overloaded):
                run(self.store.claim(identity, asked, lease_seconds=LEASE))
            return multiple()
        said = run(self.store.claim(identity, asked, lease_seconds=LEASE))
        if known is not None and known[0] != asked:
            assert said.decision is Decision.MISMATCH
        elif known is not None and known[3] is not None:
            assert (said.decision, said.answer) == (Decision.REPLAY, known[3])
        elif known is not None and known[1] >= self.watch.now:
            assert said.decision is Decision.WAIT
        else:
            new = Decision.EXECUTE if known is None else Decision.TAKE_OVER
            assert said.decision is new
            lease = self.watch.now + LEASE
            self.model[identity] = [asked, lease, said.holder, None, 0.0, 0]
            return (identity, said.holder)
        return multiple()

    @rule(holder=consumes(holders), size=st.integers(0, 3))
    def answer(self, holder, size):
        identity, word = holder
        known = self.model.get(identity)
        mine = known is not None and known[2] == word and known[3] is None
        said = Kept(201, (), b"x" * size)
        assert run(self.store.answer(identity, word, said)) is mine
        if mine:
            self.answers += 1
            known[3:] = [said, self.watch.now, self.answers]

    @rule(holder=consumes(holders))
    def release(self, holder):
        identity, word = holder
        run(self.store.release(identity, word))
        known = self.model.get(identity)
        if known is not None and known[2] == word and known[3] is None:
            del self.model[identity]

    @rule(holder=consumes(holders))
    def die(self, holder):
        """Whoever held it never says anything again."""

    @rule(seconds=st.sampled_from([1.0, LEASE, LEASE + 1, KEPT]))
    def wait(self, seconds):
        self.watch.now += seconds

    @invariant()
    def never_grows_beyond_its_bound(self):
        assert len(self.store) <= MOST

    @invariant()
    def has_one_holder_for_a_key_at_most(self):
        words = [entry[2] for entry in self.model.values()]
        assert len(words) == len(set(words))


TestStore = Store.TestCase
TestStore.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


class TestMemoryStore:
    async def test_who_was_taken_for_dead_neither_answers_nor_releases(self):
        watch = Watch()
        store = MemoryStore(timer=watch)
        identity = Identity("ann", "POST /", "1")
        first = await store.claim(identity, b"one", lease_seconds=30)
        watch.now = 31
        second = await store.claim(identity, b"one", lease_seconds=30)

        await store.release(identity, first.holder)
        assert not await store.answer(identity, first.holder, Kept(500))

        waiting = await store.claim(identity, b"one", lease_seconds=30)
        assert waiting.decision is Decision.WAIT
        assert await store.answer(identity, second.holder, Kept(201))

    async def test_knows_by_itself_what_time_it_is(self):
        store = MemoryStore()
        identity = Identity("ann", "POST /", "1")

        async with asyncio.TaskGroup() as group:
            claims = [
                group.create_task(store.claim(identity, b"one", lease_seconds=30))
                for _ in range(5)
            ]

        decisions = [task.result().decision for task in claims]
        assert decisions.count(Decision.EXECUTE) == 1
        assert decisions.count(Decision.WAIT) == 4
