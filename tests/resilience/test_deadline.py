import asyncio

import pytest

from holdfast.resilience import Budget, Deadline, NotEnoughTime, TimedOut, remaining
from holdfast.resilience.deadline import (
    apart,
    begin,
    current,
    finish,
    need,
    note_effect,
    spendable,
)


@pytest.fixture
def budget():
    """A budget that ends at 105, of which this test is the work."""
    budget = Budget(105.0)
    token = begin(budget)
    yield budget
    finish(budget, token)


def at(now):
    return lambda: now


class TestDeadline:
    async def test_gives_what_the_call_returns(self):
        async def call():
            return 7

        assert await Deadline(1)(call) == 7

    async def test_ends_a_call_that_takes_longer_as_unknown(self):
        cancelled = asyncio.Event()

        async def hang():
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

        with pytest.raises(TimedOut) as raised:
            await Deadline(0.01)(hang)

        assert cancelled.is_set()
        assert raised.value.after_seconds == pytest.approx(0.01, abs=0.01)

    async def test_an_inner_one_cannot_lengthen_the_budget(self):
        async def inner():
            return remaining(lambda: 100.0)

        async def outer():
            return await Deadline(60, timer=lambda: 100.0)(inner)

        # Less what it takes to tell of the answer.
        assert await Deadline(5, timer=lambda: 100.0)(outer) == 4.75

    async def test_an_inner_one_can_shorten_the_budget(self):
        async def inner():
            return remaining(lambda: 100.0)

        async def outer():
            return await Deadline(2, timer=lambda: 100.0)(inner)

        assert await Deadline(5, timer=lambda: 100.0)(outer) == 2

    async def test_leaves_no_budget_behind(self):
        async def call():
            return None

        await Deadline(1)(call)

        assert remaining() is None

    async def test_does_not_claim_anothers_timeout(self):
        async def call():
            raise TimeoutError("of the driver")

        with pytest.raises(TimeoutError, match="of the driver"):
            await Deadline(1)(call)

    async def test_makes_no_call_that_nothing_is_left_for(self, budget):
        async def call():
            raise AssertionError("it was made")

        with pytest.raises(NotEnoughTime) as refused:
            await Deadline(1, stage="payment", timer=at(104.995))(call)

        assert refused.value.stage == "payment"
        assert refused.value.outcome == "nothing-happened"

    async def test_says_where_the_work_is_meanwhile(self, budget):
        async def call():
            return budget.stage

        assert await Deadline(1, stage="payment", timer=at(100.0))(call) == "payment"
        assert budget.stage == "handler"

    async def test_without_a_stage_changes_none(self, budget):
        async def call():
            return budget.stage

        assert await Deadline(1, timer=at(100.0))(call) == "handler"

    def test_needs_a_positive_budget(self):
        with pytest.raises(ValueError, match="positive"):
            Deadline(0)


class TestRemaining:
    async def test_is_never_negative(self):
        now = 100.0

        async def call():
            return remaining(lambda: now + 60)

        assert await Deadline(5, timer=lambda: now)(call) == 0


class TestSpendable:
    @pytest.mark.parametrize(
        ("now", "seconds"), [(95.0, 3.0), (103.0, 1.9), (104.9, 0.09), (105.5, -0.01)]
    )
    def test_keeps_something_back(self, budget, now, seconds):
        assert spendable(3.0, timer=at(now)) == pytest.approx(seconds)

    def test_is_all_of_it_without_a_budget(self):
        assert spendable(3.0) == 3


class TestNeed:
    def test_goes_on_with_enough(self, budget):
        need(4.0, "payment", timer=at(101.0))

    def test_refuses_what_cannot_be_finished(self, budget):
        with pytest.raises(NotEnoughTime):
            need(4.0, "payment", timer=at(101.5))

    def test_asks_nothing_without_a_budget(self):
        need(1e9, "payment")


class TestBudget:
    def test_is_found_by_whoever_works_on_it(self, budget):
        assert current() is budget
        assert remaining(at(101.0)) == 4

    def test_may_be_cut_before_anything_was_done(self, budget):
        assert budget.may_be_cut

    def test_may_not_be_cut_while_something_is_being_done(self, budget):
        budget.hold()

        assert budget.is_held
        assert not budget.may_be_cut

    @pytest.mark.parametrize("lasting", [True, False])
    def test_may_be_cut_again_when_nothing_came_of_it(self, budget, lasting):
        budget.hold()
        budget.let_go(lasting=lasting)

        assert budget.may_be_cut is not lasting

    def test_may_not_be_cut_after_something_was_done_outside(self, budget):
        note_effect()

        assert not budget.may_be_cut

    def test_nothing_is_noted_without_one(self):
        note_effect()

        assert current() is None

    async def test_is_none_of_those_who_go_on_after_its_end(self):
        budget = Budget(105.0)
        token = begin(budget)
        may_ask = asyncio.Event()

        async def ask():
            await may_ask.wait()
            return current(), remaining()

        straggler = asyncio.create_task(ask())
        finish(budget, token)
        may_ask.set()

        assert await straggler == (None, None)

    async def test_is_none_of_those_who_stand_apart(self, budget):
        async def within():
            async def ask():
                return current(), remaining()

            task = asyncio.get_running_loop().create_task(ask(), context=apart())
            return await task

        assert await Deadline(1, timer=at(100.0))(within) == (None, None)
