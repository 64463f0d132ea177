"""How hard a process is pressed that has much to do."""

import asyncio

import pytest
from loading import Loaded

from holdfast.resilience.concurrency import Limiter
from holdfast.resilience.load import signals


@pytest.fixture
def loaded() -> Loaded:
    return Loaded()


async def filled(limiter: Limiter, waiting: int) -> list[asyncio.Task[object]]:
    """Take every place, and let so many wait for one."""
    tasks: list[asyncio.Task[object]] = [
        asyncio.create_task(limiter.acquire()) for _ in range(limiter.limit + waiting)
    ]
    await asyncio.sleep(0)
    return tasks


class TestBusy:
    def test_leaves_out_extras_and_is_no_flood(self, loaded):
        loaded.look(100, busy=1.0)

        assert loaded.load.guard.monitor.pressure == signals.BUSY
        assert loaded.load.level == 2

    def test_is_a_flood_once_requests_are_late(self, loaded):
        loaded.look(100, busy=1.0, late=0.06)

        assert loaded.load.level == 4


class TestPlaces:
    @pytest.mark.parametrize(("share", "pressure"), [(0, 0), (0.5, 0.5), (1, 1)])
    async def test_press_only_by_who_waits_for_one(self, loaded, share, pressure):
        limiter = loaded.load.limiters["read"]
        tasks = await filled(limiter, int(limiter.limit * share))

        loaded.look()

        reading = loaded.load.guard.monitor.readings["inflight"]
        for task in tasks:
            task.cancel()
        assert reading.pressure == pytest.approx(pressure, abs=0.05)
