import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience import (
    Deadline,
    NotEnoughTime,
    Overloaded,
    Rejected,
    Retry,
    TimedOut,
)


class Failing:
    """Fails as told, one failure a call, then succeeds."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.calls = 0

    async def __call__(self) -> str:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return "done"


class Waits(list[float]):
    """Remembers how long it was asked to sleep, and does not."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


class TestRetry:
    async def test_asks_again_after_a_failure(self, waits):
        call = Failing(OSError(), OSError())

        assert await Retry(repeatable=True, sleep=waits)(call) == "done"
        assert call.calls == 3

    async def test_raises_the_last_failure_when_attempts_are_used_up(self, waits):
        call = Failing(OSError("1"), OSError("2"), OSError("3"), OSError("4"))

        with pytest.raises(OSError, match="3"):
            await Retry(repeatable=True, sleep=waits)(call)

        assert call.calls == 3

    async def test_does_not_repeat_what_it_was_not_told_to(self, waits):
        call = Failing(ValueError())

        with pytest.raises(ValueError):  # noqa: PT011 - any
            await Retry(repeatable=True, sleep=waits)(call)

        assert call.calls == 1

    async def test_never_repeats_an_unclear_write_without_a_key(self, waits):
        call = Failing(TimedOut())

        with pytest.raises(TimedOut):
            await Retry(repeatable=False, sleep=waits)(call)

        assert call.calls == 1

    @pytest.mark.parametrize(
        "failure",
        [
            ConnectionResetError(),
            BrokenPipeError(),
            TimeoutError(),
            OSError("no route"),
        ],
        ids=lambda failure: type(failure).__name__,
    )
    async def test_never_repeats_a_write_that_may_have_arrived(self, waits, failure):
        """A connection that is cut says nothing of what came before."""
        call = Failing(failure)

        with pytest.raises(type(failure)):
            await Retry(repeatable=False, sleep=waits)(call)

        assert call.calls == 1

    @pytest.mark.parametrize(
        "failure",
        [ConnectionRefusedError(), socket.gaierror()],
        ids=lambda failure: type(failure).__name__,
    )
    async def test_repeats_any_call_that_was_never_sent(self, waits, failure):
        assert await Retry(repeatable=False, sleep=waits)(Failing(failure)) == "done"

    async def test_repeats_an_unclear_call_that_may_be_repeated(self, waits):
        call = Failing(TimedOut())

        assert await Retry(repeatable=True, sleep=waits)(call) == "done"

    async def test_repeats_what_was_turned_away_even_without_a_key(self, waits):
        call = Failing(Rejected())

        assert await Retry(repeatable=False, sleep=waits)(call) == "done"

    async def test_waits_at_least_as_long_as_announced(self, waits):
        call = Failing(Overloaded(retry_after_seconds=1.5))

        await Retry(repeatable=True, sleep=waits, chance=lambda: 0.0)(call)

        assert waits == [1.5]

    async def test_waits_longer_each_time_up_to_the_cap(self, waits):
        call = Failing(*[OSError() for _ in range(5)])

        await Retry(
            repeatable=True,
            attempts=6,
            base_seconds=1,
            cap_seconds=5,
            sleep=waits,
            chance=lambda: 1.0,
        )(call)

        assert waits == [1, 2, 4, 5, 5]

    @given(chance=st.floats(0, 1, exclude_max=True))
    async def test_waits_any_time_below_the_ceiling(self, chance):
        waits = Waits()

        await Retry(
            repeatable=True, base_seconds=0.4, sleep=waits, chance=lambda: chance
        )(Failing(OSError()))

        assert waits == [pytest.approx(0.4 * chance)]

    async def test_makes_no_retry_that_the_deadline_leaves_no_time_for(self, waits):
        now = 100.0
        call = Failing(OSError())
        retry = Retry(
            repeatable=True,
            base_seconds=2,
            sleep=waits,
            chance=lambda: 1.0,
            timer=lambda: now,
        )

        async def within():
            return await retry(call)

        with pytest.raises(OSError):  # noqa: PT011 - as it came
            await Deadline(1.5, timer=lambda: now)(within)

        assert (call.calls, waits) == (1, [])

    async def test_makes_no_retry_of_what_had_no_time(self, waits):
        call = Failing(NotEnoughTime())

        with pytest.raises(NotEnoughTime):
            await Retry(repeatable=True, sleep=waits)(call)

        assert (call.calls, waits) == (1, [])

    async def test_makes_a_retry_that_fits_the_deadline(self, waits):
        now = 100.0
        retry = Retry(
            repeatable=True, sleep=waits, chance=lambda: 1.0, timer=lambda: now
        )

        async def within():
            return await retry(Failing(OSError()))

        assert await Deadline(5, timer=lambda: now)(within) == "done"

    def test_needs_an_attempt(self):
        with pytest.raises(ValueError, match="at least one"):
            Retry(repeatable=True, attempts=0)
