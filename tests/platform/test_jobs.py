"""The queue: every job at least once, none lost, none tried for ever."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id
from holdfast.platform import jobs
from holdfast.platform.db import DatabaseUnavailable
from holdfast.platform.jobs import MAX_ATTEMPTS, Backlog, Job, Queue, wait_seconds

JOB = Job("greet", new_id(), "shop.opened", {"at": "eight"})


@pytest.fixture
def add(database):
    async def enqueue(*wanted):
        async with database.transaction() as tx:
            await jobs.enqueue(tx, wanted)

    return enqueue


@pytest.fixture
async def work(database_url):
    """Run a queue beside the test; each call is a worker of its own."""
    workers = []

    def start(run, *, grace_seconds=5.0, **options):
        stop = asyncio.Event()
        options = {"is_final": lambda error: False, "poll": timedelta(seconds=0.2)} | (
            options
        )
        queue = Queue(database_url, run, **options)
        task = asyncio.create_task(queue.work(stop, grace_seconds=grace_seconds))
        workers.append((stop, task))
        return stop, task

    yield start
    for stop, task in workers:
        stop.set()
        await asyncio.wait({task}, timeout=10)


class Refused(Exception):
    pass


class Recorder:
    """A run that notes each attempt, and fails as it is told."""

    def __init__(self, *failures):
        self.ran = []
        self.failures = list(failures)

    async def __call__(self, job):
        self.ran.append(job)
        if self.failures:
            raise self.failures.pop(0)


@pytest.fixture
def empty(database):
    async def look():
        return await jobs.backlog(database) == Backlog(0, 0, 0, 0.0)

    return look


@pytest.fixture
def one_held(database):
    async def look():
        return (await jobs.backlog(database)).failed == 1

    return look


class TestEnqueue:
    async def test_a_rolled_back_job_never_was(self, database):
        with suppress(Refused):
            async with database.transaction() as tx:
                await jobs.enqueue(tx, [JOB])
                raise Refused

        assert (await jobs.backlog(database)).queued == 0

    async def test_is_written_as_pgqueuer_itself_would(self, add, database):
        await add(JOB)

        row = await database.fetchrow("SELECT headers, attempts FROM pgqueuer")
        log = await database.fetchval("SELECT status FROM pgqueuer_log")
        assert tuple(row) == (None, 0)
        assert log == "queued"


class TestWork:
    async def test_does_each_job_once_and_forgets_it(self, add, work, promised, empty):
        run = Recorder()
        wanted = [Job("greet", new_id(), "shop.opened", {"n": n}) for n in range(300)]
        await add(*wanted)

        work(run)
        work(run)
        await promised(empty)

        assert sorted(job.payload["n"] for job in run.ran) == list(range(300))

    async def test_sees_a_new_job_at_once(self, add, work, promised, empty):
        run = Recorder()
        work(run, poll=timedelta(seconds=60))
        await add(JOB)
        await promised(empty, seconds=30)

        assert run.ran == [JOB]

    async def test_an_error_puts_the_job_back_to_be_tried_again(
        self, add, work, promised, empty, monkeypatch
    ):
        monkeypatch.setattr(jobs, "_LONGEST_WAIT_SECONDS", 0.01)
        run = Recorder(OSError("gone"), DatabaseUnavailable())
        await add(JOB)

        work(run)
        await promised(empty)

        assert run.ran == [JOB] * 3

    async def test_a_final_error_holds_the_job_at_once(
        self, add, work, promised, one_held, database
    ):
        run = Recorder(Refused("no such address"))
        await add(JOB)

        work(run, is_final=lambda error: isinstance(error, Refused))
        await promised(one_held)

        (held,) = await jobs.held(database, limit=10)
        assert run.ran == [JOB]
        assert held.job == JOB
        assert held.attempts == 0
        assert held.reason == "Refused: no such address"

    async def test_the_last_attempt_holds_the_job(
        self, add, work, promised, one_held, database
    ):
        run = Recorder(OSError("gone"))
        await add(JOB)
        async with database.transaction() as tx:
            await tx.execute("UPDATE pgqueuer SET attempts = $1", MAX_ATTEMPTS - 1)

        work(run)
        await promised(one_held)

        assert run.ran == [JOB]

    async def test_an_attempt_that_hangs_has_failed(
        self, add, work, promised, empty, monkeypatch
    ):
        monkeypatch.setattr(jobs, "_LONGEST_WAIT_SECONDS", 0.01)
        ran = []

        async def run(job):
            ran.append(job)
            if len(ran) == 1:
                await asyncio.Event().wait()

        await add(JOB)
        work(run, job_seconds=0.05)
        await promised(empty)

        assert ran == [JOB] * 2

    async def test_a_payload_nobody_can_read_is_held(
        self, work, promised, one_held, database
    ):
        async with database.transaction() as tx:
            await tx.execute(
                "INSERT INTO pgqueuer (priority, status, entrypoint, payload) "
                "VALUES (0, 'queued', 'holdfast', 'nonsense')"
            )

        work(Recorder())
        await promised(one_held)

        (held,) = await jobs.held(database, limit=10)
        assert held.job is None

    async def test_a_stop_lets_running_jobs_finish(self, add, work, promised, empty):
        started, finish = asyncio.Event(), asyncio.Event()
        ran = []

        async def run(job):
            started.set()
            await finish.wait()
            ran.append(job)

        await add(JOB)
        stop, working = work(run)
        await started.wait()
        stop.set()
        finish.set()
        await working

        assert ran == [JOB]
        assert await empty()

    async def test_what_outlasts_the_grace_is_put_back_for_another(
        self, add, work, promised, empty
    ):
        started = asyncio.Event()

        async def hang(job):
            started.set()
            await asyncio.Event().wait()

        await add(JOB)
        stop, working = work(hang, grace_seconds=0.05)
        await started.wait()
        stop.set()
        with capture_logs() as logs:
            await working
        run = Recorder()
        work(run)
        await promised(empty)

        assert run.ran == [JOB]
        assert logs[0]["event"] == "jobs_abandoned"

    async def test_a_lost_connection_ends_it_and_the_job_is_done_by_another(
        self, add, work, promised, empty, database
    ):
        started, release = asyncio.Event(), asyncio.Event()

        async def wait(job):
            started.set()
            await release.wait()

        await add(JOB)
        _, working = work(wait, stale_after=timedelta(seconds=0.5))
        await started.wait()
        await database.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'holdfast-jobs' AND datname = current_database()"
        )
        release.set()
        with pytest.raises(DatabaseUnavailable):
            await working
        run = Recorder()
        work(run, stale_after=timedelta(seconds=0.5))
        await promised(empty)

        assert run.ran == [JOB]

    async def test_a_failure_that_cannot_be_noted_does_not_end_the_job(
        self, add, work, promised, empty, database
    ):
        started, release = asyncio.Event(), asyncio.Event()

        async def fail(job):
            started.set()
            await release.wait()
            raise OSError("gone")

        await add(JOB)
        _, working = work(fail, stale_after=timedelta(seconds=0.5))
        await started.wait()
        await database.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'holdfast-jobs' AND datname = current_database()"
        )
        with capture_logs() as logs:
            release.set()
            with pytest.raises(DatabaseUnavailable):
                await working
        run = Recorder()
        work(run, stale_after=timedelta(seconds=0.5))
        await promised(empty)

        assert run.ran == [JOB]
        assert "job_not_put_back" in [line["event"] for line in logs]

    async def test_without_a_database_it_says_so(self, database_url):
        queue = Queue(
            database_url.rsplit("/", 1)[0] + "/nowhere", Recorder(), lambda error: False
        )

        with pytest.raises(DatabaseUnavailable):
            await queue.work(asyncio.Event(), grace_seconds=1)


@pytest.fixture
async def held_job(add, work, promised, one_held, database):
    await add(JOB)
    stop, working = work(Recorder(Refused()), is_final=lambda error: True)
    await promised(one_held)
    stop.set()
    await working
    (held,) = await jobs.held(database, limit=10)
    return held


class TestReplay:
    async def test_a_held_job_runs_again_as_if_it_were_new(
        self, work, held_job, promised, empty, database
    ):
        run = Recorder()
        work(run)

        async with database.transaction() as tx:
            missed = await jobs.replay(tx, [held_job.id + 1])
            queued = await jobs.replay(tx, [held_job.id])
        await promised(empty)

        assert missed == []
        assert queued == [held_job.id]
        assert run.ran == [JOB]

    async def test_all_of_them_at_once(self, database):
        async with database.transaction() as tx:
            await tx.execute(
                "INSERT INTO pgqueuer (id, priority, status, entrypoint) VALUES "
                "(1, 0, 'failed', 'holdfast'), (2, 0, 'failed', 'holdfast'), "
                "(3, 0, 'picked', 'holdfast')"
            )
            queued = await jobs.replay(tx)

        assert sorted(queued) == [1, 2]


class TestWaitSeconds:
    def test_doubles_with_each_attempt_up_to_an_hour(self):
        longest = [wait_seconds(n, chance=1) for n in range(MAX_ATTEMPTS)]

        assert longest[:5] == [1, 2, 4, 8, 16]
        assert longest[-1] == 3600

    def test_is_anything_below_that(self):
        assert wait_seconds(10, chance=0) == 0
        assert wait_seconds(3, chance=0.25) == 2


class TestWhatIsKeptOfAFailure:
    async def test_holds_no_address_and_no_token(
        self, add, work, one_held, promised, database
    ):
        token = tokens.new_token(tokens.EMAIL)
        await add(JOB)
        said = Refused(f"554 ada@example.com: http://shop.test/reset?token={token}")

        work(Recorder(said), is_final=lambda error: True)

        await promised(one_held)
        rows = await database.fetch("SELECT l::text AS row FROM pgqueuer_log l")
        written = str([row["row"] for row in rows])
        assert "token=hfm_..." in written
        assert token not in written
        assert "ada@" not in written
