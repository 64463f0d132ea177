"""An activity goes on, whatever its steps do."""

import asyncio

import pytest
from structlog.testing import capture_logs

from holdfast.platform.db import DatabaseUnavailable
from holdfast.worker.recurring import Recurring, rest


@pytest.fixture
def stop():
    return asyncio.Event()


class TestRun:
    async def test_repeats_until_told_to_stop(self, stop):
        done = []

        async def step() -> float:
            done.append(1)
            if len(done) == 3:
                stop.set()
            return 0

        await Recurring("count", step).run(stop)

        assert len(done) == 3

    async def test_a_stop_ends_the_wait_between_steps(self, stop):
        async def step() -> float:
            asyncio.get_running_loop().call_soon(stop.set)
            return 3600

        async with asyncio.timeout(20):
            await Recurring("doze", step).run(stop)

    async def test_a_failing_step_is_tried_again_and_told_of_once(self, stop):
        tries = []

        async def step() -> float:
            tries.append(1)
            if len(tries) < 3:
                raise RuntimeError("not yet")
            stop.set()
            return 0

        with capture_logs() as logs:
            await Recurring("stubborn", step).run(stop)

        assert [(line["event"], line["log_level"]) for line in logs] == [
            ("failing", "warning"),
            ("recovered", "info"),
        ]
        assert logs[0]["exc_info"] is True
        assert logs[1]["failures"] == 2

    async def test_an_absent_database_is_told_of_without_a_traceback(self, stop):
        async def step() -> float:
            stop.set()
            raise DatabaseUnavailable

        with capture_logs() as logs:
            await Recurring("lonely", step).run(stop)

        assert logs[0]["exc_info"] is False

    async def test_says_whether_it_works_and_when_it_last_came_round(self, stop):
        async def step() -> float:
            stop.set()
            raise DatabaseUnavailable

        activity = Recurring("lonely", step, timer=lambda: 42.0)
        await activity.run(stop)

        assert not activity.works
        assert activity.turned_at == 42.0
        activity.progress()
        assert activity.works

    async def test_waits_longer_after_each_failure_within_bounds(self, stop):
        async def step() -> float:
            raise DatabaseUnavailable

        activity = Recurring("away", step)
        waits = [await activity._once() for _ in range(40)]

        assert 0.1 <= waits[0] <= 0.2
        assert all(2.5 <= wait <= 5 for wait in waits[10:])


class TestRest:
    async def test_ends_after_its_time(self, stop):
        await rest(stop, 0.001)

        assert not stop.is_set()
