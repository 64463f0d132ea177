"""A variant that many want becomes hot, and cools down when they have gone."""

from uuid import UUID

import pytest

from holdfast.domain.inventory.heat import (
    HOT_RATE,
    HOT_WAIT_SECONDS,
    QUIET_SECONDS,
    Heat,
)

TEA, CUP = UUID(int=1), UUID(int=2)
MANY = int(HOT_RATE) + 1


class Stopwatch:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def heat(watch) -> Heat:
    return Heat(timer=watch)


@pytest.fixture
def ask(heat, watch):
    """Ask so often in so many seconds; returns what the last was told."""

    def repeat(times, *variants, seconds=0.5):
        said = [_ask(variants, seconds / times) for _ in range(times)]
        return said[-1]

    def _ask(variants, pause):
        watch.now += pause
        return heat.ask(variants)

    return repeat


class TestRate:
    def test_fifty_a_second_are_not_many_and_one_more_is(self, ask, heat):
        assert not ask(int(HOT_RATE), TEA)
        assert ask(1, TEA, seconds=0.0)
        assert heat.hot == 1

    def test_as_many_in_more_than_a_second_are_not(self, ask):
        assert not ask(10 * MANY, TEA, seconds=25.0)

    def test_is_the_variants_own(self, ask, heat):
        ask(MANY, TEA)

        assert heat.is_hot([TEA])
        assert not heat.is_hot([CUP])

    def test_a_cart_is_hot_if_one_of_its_lines_is(self, ask):
        ask(MANY, TEA)

        assert ask(1, CUP, TEA)

    def test_cools_down_when_few_came_for_a_while(self, ask, heat, watch):
        ask(MANY, TEA)

        watch.now += QUIET_SECONDS - 1
        assert ask(1, TEA, seconds=0.0)
        watch.now += 1.1

        assert not ask(1, TEA, seconds=0.0)
        assert heat.hot == 0

    def test_that_anything_is_hot_is_known_as_long(self, ask, heat, watch):
        assert not heat.any_hot

        ask(MANY, TEA)
        assert heat.any_hot
        watch.now += QUIET_SECONDS + 0.1

        assert not heat.any_hot

    def test_stays_hot_while_a_fifth_of_them_comes(self, ask):
        ask(MANY, TEA)

        assert ask(int(HOT_RATE / 5 + 5) * 30, TEA, seconds=30.0)


class TestWaits:
    def test_long_waits_for_its_lock_make_it_hot(self, heat):
        for _ in range(10):
            heat.waited([TEA], HOT_WAIT_SECONDS * 2)

        assert heat.is_hot([TEA])

    def test_short_ones_do_not(self, heat):
        for _ in range(20):
            heat.waited([TEA], HOT_WAIT_SECONDS)

        assert not heat.is_hot([TEA])

    def test_one_in_twenty_does_not(self, heat):
        for number in range(20):
            heat.waited([TEA], 1.0 if number == 3 else 0.0)

        assert not heat.is_hot([TEA])

    def test_those_of_long_ago_do_not(self, heat, watch):
        for _ in range(20):
            heat.waited([TEA], HOT_WAIT_SECONDS * 2)
            watch.now += QUIET_SECONDS

        assert not heat.is_hot([TEA])


class TestMemory:
    def test_is_bounded_and_forgets_who_was_not_asked_for(self, watch):
        heat = Heat(most=3, timer=watch)
        for _ in range(MANY):
            heat.ask([TEA])

        for number in range(100):
            heat.ask([UUID(int=1_000 + number)])
            heat.ask([TEA])

        assert len(heat) == 3
        assert heat.is_hot([TEA])
