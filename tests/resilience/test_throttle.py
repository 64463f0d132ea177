import random
from contextlib import suppress

import pytest

from holdfast.resilience import BulkheadFull, Rejected, Throttle, Throttled
from holdfast.resilience.events import HeldBack


class Watch:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Dependency:
    """Turns calls away as it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.turns_away = False

    async def __call__(self) -> str:
        self.asked += 1
        if self.turns_away:
            raise Rejected(1)
        return "done"


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def dependency() -> Dependency:
    return Dependency()


@pytest.fixture
def throttle(watch) -> Throttle:
    dice = random.Random(7)  # noqa: S311 - only to be the same each time
    return Throttle("payment", timer=watch, chance=dice.random)


async def ask(throttle, dependency, times):
    """How many of so many calls reached the dependency."""
    before = dependency.asked
    for _ in range(times):
        with suppress(Rejected):
            await throttle(dependency)
    return dependency.asked - before


class TestThrottle:
    async def test_holds_nothing_back_from_who_accepts(self, throttle, dependency):
        assert await ask(throttle, dependency, 1_000) == 1_000
        assert throttle.share == 0

    async def test_bears_with_a_third_that_is_turned_away(self, throttle, dependency):
        for _ in range(100):
            dependency.turns_away = False
            await ask(throttle, dependency, 2)
            dependency.turns_away = True
            await ask(throttle, dependency, 1)

        assert dependency.asked == 300

    async def test_sends_a_tenth_to_who_turns_all_away(self, throttle, dependency):
        dependency.turns_away = True
        await ask(throttle, dependency, 200)

        assert throttle.share == 0.9
        assert 50 <= await ask(throttle, dependency, 1_000) <= 150

    async def test_lets_all_through_again_when_the_window_has_passed(
        self, throttle, dependency, watch
    ):
        dependency.turns_away = True
        await ask(throttle, dependency, 200)
        dependency.turns_away = False
        watch.now += 120

        assert await ask(throttle, dependency, 100) == 100

    async def test_judges_nobody_by_nine_requests(self, throttle, dependency):
        dependency.turns_away = True

        assert await ask(throttle, dependency, 10) == 10
        assert throttle.share > 0

    async def test_requests_under_way_are_taken_for_accepted(self, throttle):
        """A burst of slow calls must not hold itself back."""
        shares = []

        async def nested(depth):
            shares.append(throttle.share)
            if depth:
                await throttle(lambda: nested(depth - 1))

        await throttle(lambda: nested(50))

        assert set(shares) == {0}

    async def test_says_who_it_spares(self, watch, dependency):
        heard = []
        throttle = Throttle(
            "payment",
            alias="money",
            timer=watch,
            chance=lambda: 0.0,
            listen=heard.append,
        )
        dependency.turns_away = True
        await ask(throttle, dependency, 10)

        with pytest.raises(Throttled) as held_back:
            await throttle(dependency)

        assert held_back.value.dependency == "money"
        assert heard == [HeldBack("payment")]

    async def test_works_with_nobody_listening(self, watch, dependency):
        throttle = Throttle("payment", timer=watch, chance=lambda: 0.0)
        dependency.turns_away = True
        await ask(throttle, dependency, 10)

        with pytest.raises(Throttled):
            await throttle(dependency)

    async def test_what_we_withhold_ourselves_is_not_the_dependencys_doing(
        self, throttle
    ):
        async def full():
            raise BulkheadFull(1, dependency="payment")

        for _ in range(100):
            with suppress(BulkheadFull):
                await throttle(full)

        assert throttle.share == 0

    @pytest.mark.parametrize("wrong", [{"k": 0.9}, {"most": 1}, {"most": 0}], ids=str)
    def test_always_lets_some_through(self, wrong):
        with pytest.raises(ValueError, match="some calls"):
            Throttle("payment", **wrong)
