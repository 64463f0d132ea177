import asyncio
import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from holdfast.resilience import Overloaded
from holdfast.resilience.concurrency import (
    COHORTS,
    Fixed,
    Limiter,
    Outcome,
    Queue,
    Reason,
    limiter,
    retry_after,
)
from holdfast.resilience.events import LimiterCall, QueueWait

BROWSE = 2 * COHORTS


async def turn():
    """Let everybody run who can."""
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.fixture
def one(timer):
    """A limiter that lets in one."""
    return Limiter("shop", Fixed(1), timer=timer, queue=Queue(chance=lambda: 1.0))


class TestAcquire:
    async def test_is_at_once_while_there_are_permits(self, one):
        permit = await one.acquire()

        assert one.inflight == 1
        permit.release()
        assert one.inflight == 0

    async def test_waits_its_turn(self, one):
        first = await one.acquire()
        second = asyncio.create_task(one.acquire(BROWSE))
        third = asyncio.create_task(one.acquire(0))
        await turn()
        assert one.waiting == 2

        first.release()
        await turn()
        assert third.done()
        assert not second.done()
        (await third).release()

        (await second).release()
        assert (one.inflight, one.waiting) == (0, 0)

    @pytest.mark.parametrize(
        ("tier", "least", "most"),
        [(0, 1, 2), (1, 1, 2), (2, 2, 8), (3, 8, 30), (4, 30, 60)],
    )
    async def test_says_when_to_come_back_by_tier(self, one, tier, least, most):
        await one.acquire()
        waiting = [asyncio.create_task(one.acquire(0)) for _ in range(3)]
        await turn()

        said = set()
        for _ in range(30):
            with pytest.raises(Overloaded) as raised:
                await one.acquire(tier * COHORTS + 127)
            said.add(raised.value.retry_after_seconds)
            assert raised.value.__notes__ == [Reason.FULL]

        assert all(least <= seconds <= most for seconds in said)
        assert len(said) > 20
        assert max(said) - min(said) > (most - least) / 3
        for task in waiting:
            task.cancel()

    def test_exempt_and_unknown_tiers_have_a_wait_too(self):
        assert retry_after(-1, lambda: 0.5) == 1.5
        assert retry_after(9, lambda: 0.5) == 45.0

    async def test_turns_away_who_cannot_be_served_in_time(self, one, timer):
        first = await one.acquire()
        late = asyncio.create_task(one.acquire(deadline=0.5))
        await turn()
        timer.now = 0.6

        first.release()

        with pytest.raises(Overloaded) as raised:
            await late
        assert raised.value.__notes__ == [Reason.DEADLINE]
        assert one.inflight == 0

    async def test_does_not_serve_whose_caller_has_left(self, one):
        gone = False
        first = await one.acquire()
        task = asyncio.create_task(one.acquire(is_gone=lambda: gone))
        await turn()
        gone = True

        first.release()

        with pytest.raises(Overloaded):
            await task
        assert one.inflight == 0


class TestSweep:
    async def test_looks_at_who_waits_though_nothing_ends(
        self, one, timer, monkeypatch
    ):
        monkeypatch.setattr(limiter, "SWEEP_SECONDS", 0.001)
        await one.acquire()
        late = asyncio.create_task(one.acquire(deadline=0.5))
        patient = asyncio.create_task(one.acquire(deadline=9.0))
        await turn()
        timer.now = 0.6

        with pytest.raises(Overloaded):
            async with asyncio.timeout(60):
                await late
        assert one.waiting == 1
        assert one._sweeper is not None
        patient.cancel()

    async def test_ends_when_nobody_waits(self, one, monkeypatch, promised):
        monkeypatch.setattr(limiter, "SWEEP_SECONDS", 0.001)
        await one.acquire()
        task = asyncio.create_task(one.acquire())
        await turn()
        task.cancel()

        async def has_ended():
            return one._sweeper is None

        await promised(has_ended)


class TestCancellation:
    async def test_while_waiting_gives_up_the_place(self, one):
        permit = await one.acquire()
        task = asyncio.create_task(one.acquire())
        await turn()

        task.cancel()
        await turn()

        assert one.waiting == 0
        permit.release()
        assert one.inflight == 0

    async def test_after_the_grant_gives_the_permit_back(self, one):
        permit = await one.acquire()
        first = asyncio.create_task(one.acquire())
        second = asyncio.create_task(one.acquire())
        await turn()

        permit.release()
        first.cancel()
        await turn()

        assert first.cancelled()
        assert (await second).tier == 0
        assert one.inflight == 1

    async def test_before_the_grant_leaves_the_permit_to_the_next(self, one):
        permit = await one.acquire()
        first = asyncio.create_task(one.acquire())
        second = asyncio.create_task(one.acquire())
        await turn()

        # Cancelled, but not yet run: its place is still in the queue.
        first.cancel()
        permit.release()
        await turn()

        assert second.done()
        assert (one.inflight, one.waiting) == (1, 0)

    async def test_of_who_was_just_turned_away_changes_nothing(self, one):
        await one.acquire()
        tasks = [asyncio.create_task(one.acquire(BROWSE)) for _ in range(3)]
        await turn()
        better = asyncio.create_task(one.acquire(0))
        await asyncio.sleep(0)

        tasks[0].cancel()
        await turn()

        assert tasks[0].cancelled()
        assert one.waiting == 3
        for task in (*tasks, better):
            task.cancel()
        await turn()

    async def test_of_who_is_displaced_meanwhile_is_no_error(self, one):
        await one.acquire()
        tasks = [asyncio.create_task(one.acquire(BROWSE)) for _ in range(3)]
        await turn()

        tasks[0].cancel()
        better = asyncio.create_task(one.acquire(0))
        await turn()

        assert one.waiting == 3
        for task in (*tasks, better):
            task.cancel()
        await turn()

    @pytest.mark.parametrize(
        "times", [500, pytest.param(10_000, marks=pytest.mark.long)]
    )
    async def test_at_any_instant_leaks_no_permit(self, times):
        dice = random.Random(times)  # noqa: S311 - the same each time
        events, pending, most = [], [], 0
        it = Limiter("shop", Fixed(5), shares={0: 0.4}, listen=events.append)

        async def call():
            nonlocal most
            with await it.acquire(dice.randrange(5 * COHORTS)):
                most = max(most, it.inflight)
                for _ in range(dice.randrange(12)):
                    await asyncio.sleep(0)

        for _ in range(times):
            pending += [asyncio.create_task(call()) for _ in range(dice.randrange(4))]
            for _ in range(dice.randrange(3)):
                await asyncio.sleep(0)
            if pending:
                pending.pop(dice.randrange(len(pending))).cancel()
            pending = [task for task in pending if not task.done()]
        for task in pending:
            task.cancel()
        await turn()

        assert (it.inflight, it.waiting) == (0, 0)
        assert 5 < most <= 5 + 2
        ended = {n.outcome for n in events if isinstance(n, LimiterCall)}
        assert ended == {"success", "ignored", "rejected"}
        waits = {n.outcome for n in events if isinstance(n, QueueWait)}
        assert waits >= {"served", "disconnect", "cancelled", "full"}


class Callers(RuleBasedStateMachine):
    """Tasks that acquire, end and are cancelled, each step at an instant of its own."""

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.events = []
        self.now = 0.0
        self.size = 3
        self.it = Limiter(
            "shop", Fixed(3), listen=self.events.append, timer=lambda: self.now
        )
        self.tasks = []
        self.held = []

    def teardown(self):
        for task in self.tasks:
            task.cancel()
        self.step(5)
        for permit in self.held:
            permit.release()
        self.step(5)
        assert (self.it.inflight, self.it.waiting) == (0, 0)
        self.loop.close()

    def step(self, times):
        for _ in range(times):
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()
        for task in [n for n in self.tasks if n.done()]:
            self.tasks.remove(task)
            if not task.cancelled() and task.exception() is None:
                # Each permit was granted below the limit as it was then.
                self.held.append(task.result())

    @rule(tier=st.integers(0, 4), turns=st.integers(0, 2))
    def somebody_comes(self, tier, turns):
        deadline = self.now + 1.0
        self.tasks.append(
            self.loop.create_task(self.it.acquire(tier * COHORTS, deadline=deadline))
        )
        self.step(turns)

    @precondition(lambda self: self.held)
    @rule(outcome=st.sampled_from(Outcome), turns=st.integers(0, 2))
    def somebody_ends(self, outcome, turns):
        self.held.pop(0).release(outcome)
        self.step(turns)

    @precondition(lambda self: self.tasks)
    @rule(which=st.randoms(use_true_random=False), turns=st.integers(0, 2))
    def somebody_is_cancelled(self, which, turns):
        which.choice(self.tasks).cancel()
        self.step(turns)

    @rule(seconds=st.sampled_from([0.01, 0.2, 1.5]), turns=st.integers(0, 2))
    def time_passes(self, seconds, turns):
        self.now += seconds
        self.it.sweep()
        self.step(turns)

    @rule(size=st.integers(1, 6))
    def the_limit_changes(self, size):
        self.size = size
        self.it.use(Fixed(size))

    @invariant()
    def nobody_waits_beside_a_free_permit(self):
        if self.it.waiting:
            assert self.it.inflight >= self.it.limit

    @invariant()
    def no_more_are_under_way_than_ever_were_allowed(self):
        assert len(self.held) <= self.it.inflight <= 6
        if self.it.inflight > self.size:
            assert self.it.try_acquire() is None


TestCallers = Callers.TestCase
TestCallers.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
