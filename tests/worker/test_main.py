"""The worker as a whole: orders become e-mails, whatever happens to the database."""

import asyncio
import re
from datetime import timedelta

import httpx
import pytest
from structlog.testing import capture_logs

from holdfast.domain import notifications
from holdfast.kernel.clock import system_clock
from holdfast.kernel.ids import new_id
from holdfast.platform import jobs
from holdfast.platform.db import Database
from holdfast.platform.embedded import PostgresServer
from holdfast.platform.jobs import MAX_ATTEMPTS, Job
from holdfast.platform.migrate import migrate
from holdfast.worker.handlers import Reach
from holdfast.worker.main import Worker


@pytest.fixture
async def start(database, vault, database_url):
    """Run a worker beside the test; returns what stops it and its task."""
    running = []

    def run(health_port=None, **options):
        stop = asyncio.Event()
        worker = Worker(
            database_url,
            Reach(database, vault, None, system_clock),
            stale_after=timedelta(seconds=0.5),
            **options,
        )
        task = asyncio.create_task(worker.run(stop, health_port=health_port))
        running.append((stop, task))
        return stop, task

    yield run
    for stop, task in running:
        stop.set()
        await asyncio.wait({task}, timeout=20)


@pytest.fixture
def all_told(database):
    """Every paid order has its e-mail, and no job is left."""

    async def look():
        waiting = await database.fetchval(
            "SELECT count(*) FROM outbox AS event LEFT JOIN emails "
            "ON event_id = event.id WHERE event_id IS NULL"
        )
        left = await jobs.backlog(database)
        return (waiting, left.queued + left.running + left.failed) == (0, 0)

    return look


class TestRun:
    async def test_every_paid_order_is_told_to_its_buyer_once(
        self, start, buy, database, vault, promised, all_told
    ):
        start()
        start()
        bought = [await buy(email=f"buyer-{n}@example.com") for n in range(40)]

        await promised(all_told)

        emails = await notifications.latest(database, vault, limit=50)
        assert sorted(email.recipient for email in emails) == sorted(
            one.order.email for one in bought
        )

    async def test_stops_soon_when_idle(self, start):
        stop, task = start()
        await asyncio.sleep(0)
        stop.set()

        async with asyncio.timeout(20):
            await task

    async def test_an_activity_that_does_not_stop_is_left_behind(
        self, start, monkeypatch
    ):
        monkeypatch.setattr("holdfast.worker.main._PUT_BACK_SECONDS", 0.05)
        asked = asyncio.Event()

        async def settle(limit):
            asked.set()
            await asyncio.Event().wait()

        stop, task = start(settle=settle, grace_seconds=0.05)
        await asked.wait()
        with capture_logs() as logs:
            stop.set()
            async with asyncio.timeout(60):
                await task

        assert {
            "event": "activity_abandoned",
            "activity": "settle_overdue_orders",
            "log_level": "warning",
        } in logs

    async def test_says_where_its_health_is(self, start, promised):
        with capture_logs() as logs:
            start(health_port=0)

            async def told():
                return [n for n in logs if n["event"] == "worker_started"]

            await promised(told)
        (line,) = await told()
        async with httpx.AsyncClient() as client:
            url = f"http://127.0.0.1:{line['health_port']}"
            answer = await client.get(url + "/metrics")

        assert re.search(
            r"^holdfast_worker_jobs_total|^# HELP", answer.text, re.MULTILINE
        )


class TestTwoReleases:
    """An upgrade: workers of the last release and of the next share one queue."""

    @pytest.fixture
    async def packed(self, database):
        """What the next release has packed, and its task; one job for it waits."""
        done = []

        async def pack(job, reach):
            done.append(job)

        async with database.transaction() as tx:
            await jobs.enqueue(tx, [Job("pack", new_id(), "shop.moved", {})])
        return done, {"pack": pack}

    async def test_what_the_old_one_does_not_know_the_new_one_does(
        self, start, database, promised, packed
    ):
        done, tasks = packed
        start()

        async def given_back():
            return await database.fetchval("SELECT attempts FROM pgqueuer")

        await promised(given_back)
        start(tasks=tasks)

        async def empty():
            return done and (await jobs.backlog(database)).queued == 0

        await promised(empty)
        assert len(done) == 1

    async def test_what_nobody_ever_knew_is_held_and_can_be_replayed(
        self, start, database, promised, packed
    ):
        done, tasks = packed
        async with database.transaction() as tx:
            await tx.execute("UPDATE pgqueuer SET attempts = $1", MAX_ATTEMPTS - 1)
        stop, old = start()

        async def one_held():
            return await jobs.held(database, limit=1)

        await promised(one_held)
        ((held,),) = (await one_held(),)
        stop.set()
        await old
        async with database.transaction() as tx:
            await jobs.replay(tx)
        start(tasks=tasks)

        async def packing():
            return done

        await promised(packing)
        assert held.reason == "TaskUnknown: pack"


class TestDatabaseRestart:
    # A server of its own: the shared one may lose commits when it is killed.
    @pytest.fixture
    def postgres(self, tmp_path):
        with PostgresServer(tmp_path / "postgres") as server:
            yield server

    @pytest.fixture
    async def database_url(self, postgres):
        db = await Database.connect(postgres.url, size=1)
        await migrate(db)
        await db.close()
        return postgres.url

    @pytest.mark.slow
    async def test_nothing_is_lost_or_doubled_and_it_goes_on(
        self, start, buy, database, postgres, promised, all_told
    ):
        with capture_logs() as logs:
            _, task = start()
            for _ in range(30):
                await buy()
            # As by kill -9: no shutdown, and recovery at the start.
            postgres.child.kill()
            postgres.start()

            await promised(all_told)
            await buy()
            await promised(all_told)

        emails = await database.fetch("SELECT event_id FROM emails")
        failing = [line["activity"] for line in logs if line["event"] == "failing"]
        assert len(emails) == 31
        assert not task.done()
        # Each activity says so once, however often it tried meanwhile.
        assert "jobs" in failing
        assert len(failing) <= 2 * len(set(failing))
