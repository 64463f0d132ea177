import asyncio
import random
from contextlib import suppress

import pytest

from holdfast.resilience import Bulkhead, BulkheadFull, Deadline, TimedOut
from holdfast.resilience.events import BulkheadRefused


class Calls:
    """Calls that last until they are let go, and how many there are at once."""

    def __init__(self) -> None:
        self.running = self.most = 0
        self.go = asyncio.Event()

    async def __call__(self) -> str:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.go.wait()
        finally:
            self.running -= 1
        return "done"


@pytest.fixture
def calls() -> Calls:
    return Calls()


async def begun(*work):
    tasks = [asyncio.ensure_future(one) for one in work]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


class TestBulkhead:
    async def test_lets_so_many_through_and_refuses_the_next(self, calls):
        heard = []
        bulkhead = Bulkhead("carrier", concurrent=2, alias="x", listen=heard.append)
        tasks = await begun(bulkhead(calls), bulkhead(calls))

        with pytest.raises(BulkheadFull) as refused:
            await bulkhead(calls)

        assert refused.value.dependency == "x"
        assert refused.value.retry_after_seconds == 1
        assert heard == [BulkheadRefused("carrier")]
        assert (bulkhead.in_use, calls.most) == (2, 2)
        calls.go.set()
        assert [await task for task in tasks] == ["done", "done"]
        assert bulkhead.in_use == 0

    async def test_those_who_may_wait_get_the_place_of_another(self, calls):
        bulkhead = Bulkhead("carrier", concurrent=1, waiting=1, wait_seconds=60)
        tasks = await begun(bulkhead(calls), bulkhead(calls))
        assert (bulkhead.waiting, calls.running) == (1, 1)
        with pytest.raises(BulkheadFull):
            await bulkhead(calls)

        calls.go.set()

        assert [await task for task in tasks] == ["done", "done"]
        assert calls.most == 1
        assert (bulkhead.in_use, bulkhead.waiting) == (0, 0)

    async def test_nobody_waits_longer_than_that(self, calls):
        bulkhead = Bulkhead("carrier", concurrent=1, waiting=5, wait_seconds=0.01)
        tasks = await begun(bulkhead(calls))

        with pytest.raises(BulkheadFull):
            await bulkhead(calls)

        assert bulkhead.waiting == 0
        calls.go.set()
        await tasks[0]

    async def test_nobody_waits_beyond_their_deadline(self, calls):
        bulkhead = Bulkhead("carrier", concurrent=1, waiting=5, wait_seconds=60)
        tasks = await begun(bulkhead(calls))

        with pytest.raises((BulkheadFull, TimedOut)):
            await Deadline(0.01)(lambda: bulkhead(calls))

        assert bulkhead.waiting == 0
        calls.go.set()
        await tasks[0]

    async def test_who_has_no_time_left_does_not_wait(self, calls, monkeypatch):
        bulkhead = Bulkhead("carrier", concurrent=1, waiting=5, wait_seconds=60)
        tasks = await begun(bulkhead(calls))
        monkeypatch.setattr("holdfast.resilience.bulkhead.remaining", lambda: 0.0)

        with pytest.raises(BulkheadFull):
            await bulkhead(calls)

        calls.go.set()
        await tasks[0]

    async def test_who_leaves_while_waiting_is_passed_over(self, calls):
        bulkhead = Bulkhead("carrier", concurrent=1, waiting=2, wait_seconds=60)
        first, second, third = await begun(*(bulkhead(calls) for _ in range(3)))
        calls.go.set()
        second.cancel()

        assert [await first, await third] == ["done", "done"]
        await asyncio.wait([second])
        assert (bulkhead.in_use, bulkhead.waiting) == (0, 0)

    async def test_a_failure_gives_its_place_back(self):
        async def fail():
            raise OSError

        bulkhead = Bulkhead("carrier", concurrent=1)
        with suppress(OSError):
            await bulkhead(fail)

        assert bulkhead.in_use == 0

    async def test_who_is_given_a_place_and_leaves_passes_it_on(self, calls):
        bulkhead = Bulkhead("carrier", concurrent=1, waiting=2, wait_seconds=60)
        first, second, third = await begun(*(bulkhead(calls) for _ in range(3)))
        first.cancel()
        await asyncio.sleep(0)
        # The place is the second's by now, who has not run yet.
        second.cancel()
        await asyncio.wait([first, second])
        assert second.cancelled()
        calls.go.set()

        assert await third == "done"
        assert bulkhead.in_use == 0

    async def test_a_thousand_cancelled_at_any_moment_leave_no_place_taken(self):
        dice = random.Random(5)  # noqa: S311 - a dice
        bulkhead = Bulkhead("carrier", concurrent=3, waiting=10, wait_seconds=60)

        async def call():
            for _ in range(dice.randrange(4)):
                await asyncio.sleep(0)

        tasks = []
        for _ in range(1_000):
            tasks.append(asyncio.create_task(bulkhead(call)))
            await asyncio.sleep(0)
            dice.choice(tasks[-12:]).cancel()
            assert bulkhead.in_use <= 3
        await asyncio.wait(tasks)
        ends = {
            "cancelled" if task.cancelled() else type(task.exception()).__name__
            for task in tasks
        }

        assert ends <= {"cancelled", "NoneType", "BulkheadFull"}
        assert (bulkhead.in_use, bulkhead.waiting) == (0, 0)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"concurrent": 0},
            {"concurrent": 1, "waiting": -1},
            {"concurrent": 1, "wait_seconds": 0},
        ],
        ids=str,
    )
    def test_must_have_room(self, wrong):
        with pytest.raises(ValueError, match="room"):
            Bulkhead("carrier", **wrong)
