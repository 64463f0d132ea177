import asyncio

import pytest

from holdfast.resilience import Deadline, TimedOut, remaining


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

        assert await Deadline(5, timer=lambda: 100.0)(outer) == 5

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

    def test_needs_a_positive_budget(self):
        with pytest.raises(ValueError, match="positive"):
            Deadline(0)


class TestRemaining:
    async def test_is_never_negative(self):
        now = 100.0

        async def call():
            return remaining(lambda: now + 60)

        assert await Deadline(5, timer=lambda: now)(call) == 0
