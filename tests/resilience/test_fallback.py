import pytest

from holdfast.resilience import (
    Answered,
    CircuitOpen,
    Fallback,
    LastKnown,
    NoWay,
    TimedOut,
)
from holdfast.resilience.events import FellBack


def giving(value):
    async def call():
        return value

    return call


def failing(error):
    async def call():
        raise error

    return call


class TestFallback:
    async def test_passes_an_answer_on_unmarked(self):
        answered = await Fallback("search")(giving(7), ("nothing", giving(0)))

        assert answered == Answered(7)
        assert not answered.degraded

    @pytest.mark.parametrize(
        "error", [CircuitOpen(1), TimedOut(1), ConnectionResetError()], ids=repr
    )
    async def test_answers_otherwise_and_says_so(self, error):
        heard = []
        fallback = Fallback("search", listen=heard.append)

        answered = await fallback(
            failing(error),
            ("last_known", failing(NoWay())),
            ("nothing", giving(0)),
            ("never", failing(AssertionError())),
        )

        assert answered == Answered(0, "nothing")
        assert answered.degraded
        assert heard == [FellBack("search", "nothing")]

    async def test_needs_nobody_to_listen(self):
        assert (await Fallback("x")(failing(OSError()), ("way", giving(1)))).degraded

    async def test_without_a_way_the_failure_stays_what_it_was(self):
        error = CircuitOpen(3)

        with pytest.raises(CircuitOpen) as raised:
            await Fallback("search")(failing(error), ("known", failing(NoWay())))

        assert raised.value is error

    async def test_other_failures_are_no_business_of_its(self):
        with pytest.raises(ZeroDivisionError):
            await Fallback("search")(
                failing(ZeroDivisionError()), ("nothing", giving(0))
            )


class TestLastKnown:
    @pytest.fixture
    def watch(self):
        return [0.0]

    @pytest.fixture
    def known(self, watch):
        return LastKnown(seconds=900, most=2, timer=lambda: watch[0])

    def test_recalls_the_newest(self, known):
        known.remember("tea", 1)
        known.remember("tea", 2)

        assert known.recall("tea") == 2

    def test_knows_nothing_of_what_it_was_not_told(self, known):
        with pytest.raises(NoWay):
            known.recall("tea")

    def test_forgets_what_is_too_old(self, known, watch):
        known.remember("tea", 1)
        watch[0] = 900
        assert known.recall("tea") == 1
        watch[0] = 900.1

        for _ in range(2):
            with pytest.raises(NoWay):
                known.recall("tea")

    def test_keeps_what_is_used(self, known):
        known.remember("tea", 1)
        known.remember("cup", 2)
        known.recall("tea")
        known.remember("pot", 3)

        assert (known.recall("tea"), known.recall("pot")) == (1, 3)
        with pytest.raises(NoWay):
            known.recall("cup")

    @pytest.mark.parametrize("wrong", [{"seconds": 0}, {"seconds": 1, "most": 0}])
    def test_must_be_able_to_know_something(self, wrong):
        with pytest.raises(ValueError, match="nothing would be known"):
            LastKnown(**wrong)
