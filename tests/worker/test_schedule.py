"""Timers: every turn once, however many workers there are."""

import asyncio
from datetime import timedelta

import pytest

from holdfast.kernel.ids import new_id
from holdfast.platform import outbox
from holdfast.platform.idempotency import Claim, claim, find
from holdfast.worker import schedule
from holdfast.worker.metrics import Metrics
from holdfast.worker.schedule import Timekeeper, Timer, timers


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def keeper(database, clock, metrics):
    return Timekeeper(database, clock, metrics)


@pytest.fixture
def runs():
    return []


@pytest.fixture
def timer(runs):
    async def run():
        runs.append(1)

    return Timer("tick", timedelta(seconds=5), run)


class TestTurn:
    async def test_one_of_many_workers_runs_it(self, keeper, timer, runs):
        async with asyncio.TaskGroup() as group:
            turns = [group.create_task(keeper.turn(timer)) for _ in range(10)]

        assert len(runs) == 1
        assert sorted(turn.result() for turn in turns) == [False] * 9 + [True]

    async def test_it_comes_again_after_its_interval(self, keeper, timer, runs, clock):
        await keeper.turn(timer)
        clock.advance(seconds=3)
        early = await keeper.turn(timer)
        clock.advance(seconds=2)
        late = await keeper.turn(timer)

        assert (early, late) == (False, True)
        assert len(runs) == 2

    async def test_a_failed_turn_does_not_stop_the_next(self, keeper, clock, runs):
        async def run():
            runs.append(1)
            raise RuntimeError("out of ink")

        timer = Timer("print", timedelta(seconds=5), run)
        with pytest.raises(RuntimeError):
            await keeper.turn(timer)
        clock.advance(seconds=5)
        with pytest.raises(RuntimeError):
            await keeper.turn(timer)

        assert len(runs) == 2

    async def test_what_is_not_shared_runs_on_each_worker(self, keeper, runs, timer):
        own = Timer(timer.name, timer.every, timer.run, shared=False)

        assert await keeper.turn(own)
        assert await keeper.turn(own)

    async def test_as_an_activity_it_waits_an_interval(self, keeper, timer):
        assert await keeper.recurring(timer).step() == 5.0


@pytest.fixture
def by_name(database, clock, metrics):
    def build(settle=None):
        made = timers(database, settle=settle, clock=clock, metrics=metrics)
        return {timer.name: timer for timer in made}

    return build


class TestTimers:
    async def test_settling_is_given_a_limit_and_counted(self, by_name, metrics):
        asked = []

        async def settle(limit):
            asked.append(limit)
            return 3

        await by_name(settle)["settle_overdue_orders"].run()

        assert asked == [schedule.SETTLE_AT_ONCE]
        name = "holdfast_worker_orders_settled_total"
        assert metrics.registry.get_sample_value(name) == 3

    async def test_a_turn_without_overdue_orders_counts_none(self, by_name, metrics):
        async def settle(limit):
            return 0

        await by_name(settle)["settle_overdue_orders"].run()

        name = "holdfast_worker_orders_settled_total"
        assert metrics.registry.get_sample_value(name) == 0

    async def test_without_a_provider_nothing_is_settled(self, by_name, metrics):
        await by_name()["settle_overdue_orders"].run()

        name = "holdfast_worker_orders_settled_total"
        assert metrics.registry.get_sample_value(name) == 0

    async def test_a_provider_that_hangs_does_not_hold_the_timer(
        self, by_name, monkeypatch
    ):
        monkeypatch.setattr(schedule, "SETTLE_SECONDS", 0.01)

        async def settle(limit):
            await asyncio.Event().wait()

        with pytest.raises(TimeoutError):
            await by_name(settle)["settle_overdue_orders"].run()

    async def test_old_idempotency_keys_are_forgotten_and_young_ones_kept(
        self, by_name, database, vault, clock, monkeypatch
    ):
        monkeypatch.setattr(schedule, "TIDY_AT_ONCE", 2)
        old = [Claim("guest", "POST /x", f"old-{n}", b"") for n in range(5)]
        young = Claim("guest", "POST /x", "young", b"")
        async with database.transaction() as tx:
            for wanted in old:
                await claim(tx, wanted, subject=new_id(), at=clock())
            clock.advance(hours=25)
            await claim(tx, young, subject=new_id(), at=clock())

        await by_name()["forget_idempotency_keys"].run()

        kept = await database.fetch("SELECT key FROM idempotency_keys")
        assert [row["key"] for row in kept] == ["young"]
        assert await find(database, vault, young) is None

    async def test_the_job_log_is_kept_a_week_and_longer_for_living_jobs(
        self, by_name, database, clock, monkeypatch
    ):
        monkeypatch.setattr(schedule, "TIDY_AT_ONCE", 2)
        async with database.transaction() as tx:
            await tx.execute(
                "INSERT INTO pgqueuer (id, priority, status, entrypoint) "
                "VALUES (1, 0, 'failed', 'holdfast')"
            )
            await tx.executemany(
                "INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint, "
                "created) VALUES ($1, 'queued', 0, 'holdfast', $2)",
                [
                    (1, clock() - timedelta(days=8)),
                    (2, clock() - timedelta(days=6)),
                    *((n, clock() - timedelta(days=8)) for n in range(3, 8)),
                ],
            )

        await by_name()["forget_job_log"].run()

        left = await database.fetch("SELECT job_id FROM pgqueuer_log ORDER BY job_id")
        assert [row["job_id"] for row in left] == [1, 2]

    async def test_measuring_shows_what_waits(self, by_name, database, clock, metrics):
        async with database.transaction() as tx:
            await outbox.publish(tx, [outbox.event("shop.opened")], at=clock())
            await tx.execute(
                "INSERT INTO pgqueuer (priority, status, entrypoint) VALUES "
                "(0, 'failed', 'holdfast'), (0, 'queued', 'holdfast')"
            )

        await by_name()["measure"].run()

        read = metrics.registry.get_sample_value
        assert read("holdfast_outbox_waiting") == 1
        assert read("holdfast_queue_jobs", {"state": "failed"}) == 1
        assert read("holdfast_queue_jobs", {"state": "queued"}) == 1
        assert read("holdfast_queue_jobs", {"state": "running"}) == 0
        assert read("holdfast_idempotency_rows") == 0
