"""A dependency that is down is not asked more often than one that is well."""

import asyncio
import random
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience import CircuitOpen, Retry, RetryBudget
from holdfast.resilience.events import Attempted, RetryRefused


class Watch:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Dead:
    """A dependency that is gone."""

    def __init__(self) -> None:
        self.attempts = 0

    async def __call__(self) -> None:
        self.attempts += 1
        raise ConnectionRefusedError


async def at_once(_: float) -> None:
    """Sleep without waiting."""


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def dead() -> Dead:
    return Dead()


class TestBudget:
    async def test_a_dead_dependency_is_asked_a_tenth_more_often(self, watch, dead):
        retry = Retry(
            repeatable=True, budget=RetryBudget(timer=watch), sleep=at_once, timer=watch
        )
        for _ in range(3_000):
            with suppress(OSError):
                await retry(dead)
            watch.now += 1 / 50

        assert dead.attempts <= 1.2 * 3_000
        assert dead.attempts >= 1.05 * 3_000

    async def test_a_quiet_dependency_may_be_asked_again(self, watch, dead):
        retry = Retry(
            repeatable=True, budget=RetryBudget(timer=watch), sleep=at_once, timer=watch
        )
        with suppress(OSError):
            await retry(dead)

        assert dead.attempts == 3

    async def test_a_thousand_that_fail_together_become_a_hundred_retries(
        self, watch, dead
    ):
        failing = asyncio.Event()

        async def call():
            await failing.wait()
            await dead()

        waiting = asyncio.Event()

        async def sleep(_):
            await waiting.wait()

        budget = RetryBudget(timer=watch)
        retry = Retry(repeatable=True, budget=budget, sleep=sleep, timer=watch)
        tasks = [asyncio.create_task(retry(call)) for _ in range(1_000)]
        await asyncio.sleep(0)
        failing.set()
        await asyncio.wait(tasks, timeout=0.01)
        waiting.set()
        await asyncio.wait(tasks)
        for task in tasks:
            assert isinstance(task.exception(), OSError)

        assert dead.attempts <= 1_103
        assert budget.tokens <= 3

    async def test_a_retry_that_is_cancelled_gives_its_turn_back(self, watch, dead):
        budget = RetryBudget(percent=0, reserve=1, timer=watch)
        asleep = asyncio.Event()

        async def sleep(_):
            asleep.set()
            await asyncio.Event().wait()

        retry = Retry(repeatable=True, budget=budget, sleep=sleep, timer=watch)
        task = asyncio.create_task(retry(dead))
        await asleep.wait()
        task.cancel()
        await asyncio.wait([task])
        assert budget.tokens == 0

        watch.now += 10
        assert budget.tokens == 1

    async def test_says_how_much_is_left_and_how_much_was_added(self, watch, dead):
        budget = RetryBudget(timer=watch)
        assert (budget.tokens, budget.amplification) == (3, 1.0)
        retry = Retry(repeatable=True, budget=budget, sleep=at_once, timer=watch)
        with suppress(OSError):
            await retry(dead)

        assert (budget.tokens, budget.amplification) == (1, 3.0)

    @given(st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=200))
    def test_never_gives_more_than_its_share_and_a_few(self, requests):
        watch, taken = Watch(), []
        budget = RetryBudget(timer=watch)
        began = []
        for gap, wants in requests:
            watch.now += gap
            with budget:
                began.append(watch.now)
                if wants and budget.take():
                    taken.append(watch.now)
                    budget.give_back()
                    # Its window is between nine and ten seconds long. Whoever comes
                    # or is forgotten later makes no retry of before too many.
                    lately = [at for at in began if at > watch.now - 10]
                    recent = [at for at in taken if at > watch.now - 9]
                    assert len(recent) <= len(lately) // 10 + 3

    @pytest.mark.parametrize("wrong", [{"percent": 101}, {"reserve": -1}], ids=str)
    def test_is_a_share_and_a_few_besides(self, wrong):
        with pytest.raises(ValueError, match="a few besides"):
            RetryBudget(**wrong)


class TestEvents:
    async def test_tell_each_attempt(self, watch, dead):
        heard = []
        retry = Retry(
            repeatable=True,
            dependency="mail",
            budget=RetryBudget(percent=0, reserve=1, timer=watch),
            sleep=at_once,
            timer=watch,
            listen=heard.append,
        )
        with suppress(OSError):
            await retry(dead)

        assert heard == [
            Attempted("mail", 1, "retried"),
            RetryRefused("mail"),
            Attempted("mail", 2, "failure"),
        ]

    async def test_tell_success(self, watch):
        heard = []

        async def call():
            return 1

        assert await Retry(repeatable=True, listen=heard.append)(call) == 1
        assert heard == [Attempted("", 1, "success")]

    async def test_tell_what_was_not_made_at_all(self):
        heard = []

        async def call():
            raise CircuitOpen(1.0, dependency="mail")

        with pytest.raises(CircuitOpen):
            await Retry(repeatable=True, listen=heard.append)(call)

        assert heard == [Attempted("", 1, "withheld")]

    async def test_need_nobody_to_hear_that_there_was_no_budget(self, watch, dead):
        none = RetryBudget(percent=0, reserve=0, timer=watch)
        with suppress(OSError):
            await Retry(repeatable=True, budget=none, timer=watch)(dead)

        assert dead.attempts == 1


class TestWaiting:
    async def test_what_was_withheld_is_not_asked_for_again(self):
        attempts = []

        async def call():
            attempts.append(1)
            raise CircuitOpen(0.0, dependency="mail")

        with pytest.raises(CircuitOpen):
            await Retry(repeatable=True, sleep=at_once)(call)

        assert len(attempts) == 1

    async def test_any_failure_may_announce_a_wait(self):
        class Busy(Exception):
            retry_after_seconds = 7.0

        waits = []

        async def sleep(seconds):
            waits.append(seconds)

        async def call():
            raise Busy

        with pytest.raises(Busy):
            await Retry(repeatable=True, on=(Busy,), sleep=sleep)(call)

        assert all(7 <= wait <= 7.1 for wait in waits)
        assert len(waits) == 2

    async def test_nobody_waits_for_an_hour_because_they_are_told_to(self):
        class Busy(Exception):
            retry_after_seconds = 3_600.0

        attempts = []

        async def call():
            attempts.append(1)
            raise Busy

        with pytest.raises(Busy):
            await Retry(repeatable=True, on=(Busy,), sleep=at_once)(call)

        assert len(attempts) == 1


class TestJitter:
    async def test_is_full_and_even(self):
        """Chi-square over ten bins; 21.67 is what chance exceeds once in a hundred."""
        dice, waits = random.Random(11), []  # noqa: S311 - only to be the same

        async def sleep(seconds):
            waits.append(seconds)

        retry = Retry(
            repeatable=True,
            attempts=2,
            base_seconds=1.0,
            chance=dice.random,
            sleep=sleep,
        )
        for _ in range(2_000):
            with suppress(OSError):
                await retry(Dead())

        bins = Counter(int(wait * 10) for wait in waits)
        assert set(bins) == set(range(10))
        assert sum((bins[n] - 200) ** 2 / 200 for n in range(10)) < 21.67
