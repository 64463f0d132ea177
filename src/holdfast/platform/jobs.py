"""Work to be done after a commit: kept in PostgreSQL, done at least once.

The only file that touches pgqueuer, the queue. A job is enqueued inside the
caller's transaction, so it exists if and only if that commits. A worker picks jobs
in batches and says it is alive every few seconds; jobs of a worker that went
silent are picked again by another. So a job may run twice, and must not mind.

What goes wrong decides what happens next:

- *An error* puts the job back, to be tried again after a random wait of up to 1, 2,
  4, ... seconds, an hour at most (full jitter). After ``MAX_ATTEMPTS``, or at once
  if the error is final, it is held as failed until somebody replays it.
- *A death of the process* leaves no error behind. The queue does not count these,
  so we do: a job that was being run when its worker died is a suspect, and
  suspects run one at a time, each start counted before it happens. After
  ``MAX_SOLO_STARTS`` without an end the job is held too. One poisonous job can
  thus stop a worker a few times, but not for ever, and the jobs that merely ran
  beside it are never held for its sake.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import SystemRandom
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain import models
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import JOB_STATUS, Channel, JobId
from pgqueuer.queries import Queries

from holdfast.kernel.email import fit_for_a_log
from holdfast.platform import sql
from holdfast.platform.db import Connection, DatabaseUnavailable, Transaction

_SQL = sql.load("holdfast.platform")
_REPICKED = _SQL["repicked"]
_COUNT_SOLO_START = _SQL["count_solo_start"]
_CLEAR_SOLO_STARTS = _SQL["clear_solo_starts"]
_HELD = _SQL["held"]
_REPLAY = _SQL["replay"]
_COUNT_JOBS = _SQL["count_jobs"]
_FORGET_LOG = _SQL["forget_log"]

MAX_ATTEMPTS = 24
"""Attempts before a job is held: with the waits below, about six hours."""

MAX_SOLO_STARTS = 3
_LONGEST_WAIT_SECONDS = 3600.0
_LOG_KEPT = timedelta(days=7)
# One pgqueuer entrypoint for everything: what a job does is in its payload, so a
# job of a newer release is seen (and given back, aloud) instead of left lying.
_ENTRYPOINT = "holdfast"
_chance = SystemRandom()
_log = structlog.get_logger()


@functools.cache
def _settings() -> DBSettings:
    # Every name is given here because pgqueuer would look each up in the
    # environment, under names as common as CHANNEL or FUNCTION.
    return DBSettings(
        prefix="",
        db_schema=None,
        channel=Channel("ch_pgqueuer"),
        function="fn_pgqueuer_changed",
        statistics_table="pgqueuer_statistics",
        queue_status_type="pgqueuer_status",
        queue_table="pgqueuer",
        queue_table_log="pgqueuer_log",
        trigger="tg_pgqueuer_changed",
        schedules_table="pgqueuer_schedules",
        durability=Durability.durable,
        widen_id=True,
    )


class Job(msgspec.Struct, frozen=True):
    """One thing to do because of one event."""

    task: str
    event_id: UUID
    event_type: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class HeldJob:
    """A job that was given up, and why."""

    id: int
    job: Job | None
    attempts: int
    created_at: datetime
    held_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much there is to do."""

    queued: int
    running: int
    failed: int
    oldest_seconds: float


class Poisonous(Exception):
    """The worker died each time it ran this job."""


Run = Callable[[Job], Awaitable[None]]


async def enqueue(tx: Transaction, jobs: Sequence[Job]) -> None:
    """Add jobs; they exist once *tx* commits."""
    count = len(jobs)
    # pgqueuer's own ``enqueue`` would need a driver, and would hand over headers as
    # JSON text, which the connections of ``Database`` would encode once more.
    await tx.fetch(
        QueryQueueBuilder(_settings()).build_enqueue_query("raise"),
        [0] * count,
        [_ENTRYPOINT] * count,
        [msgspec.json.encode(job) for job in jobs],
        [timedelta(0)] * count,
        [None] * count,
        [None] * count,
    )


async def held(connection: Connection, *, limit: int) -> list[HeldJob]:
    """Jobs that were given up, latest first."""
    return [_held(row) for row in await connection.fetch(_HELD, limit)]


async def replay(tx: Transaction, ids: Sequence[int] | None = None) -> list[int]:
    """Queue held jobs again, all of them without *ids*; returns which."""
    return [row["job_id"] for row in await tx.fetch(_REPLAY, ids)]


async def backlog(connection: Connection) -> Backlog:
    row = await connection.fetchrow(_COUNT_JOBS)
    assert row is not None  # noqa: S101 - an aggregate always has one row
    return Backlog(row["queued"], row["running"], row["failed"], row["oldest_seconds"])


async def forget_log(tx: Transaction, *, now: datetime, limit: int = 10_000) -> int:
    """Drop old entries of the job log; returns how many."""
    return len(await tx.fetch(_FORGET_LOG, now - _LOG_KEPT, limit))


def wait_seconds(attempts: int, *, chance: float) -> float:
    """How long to wait after so many attempts; *chance* is from 0 to 1."""
    longest: float = min(_LONGEST_WAIT_SECONDS, 2.0**attempts)
    return chance * longest


@dataclass
class Queue:
    """The jobs as one worker process sees them.

    *stale_after* is how long a worker may be silent before its jobs are picked by
    another: short enough to recover quickly, long enough for a busy event loop.
    """

    url: str
    run: Run
    is_final: Callable[[Exception], bool]
    stale_after: timedelta = timedelta(seconds=10)
    # How many jobs run at once, and how many are picked in one statement.
    concurrency: int = 100
    batch: int = 50
    # An attempt that takes longer has failed.
    job_seconds: float = 60.0
    # Without notifications, new jobs are seen after this long.
    poll: timedelta = timedelta(seconds=5)
    _alone: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def work(
        self,
        stop: asyncio.Event,
        *,
        grace_seconds: float,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        """Do jobs until *stop*, then finish those being run.

        *alive* is called each time the queue was looked at. What is not done
        within the grace is put back for another worker. Raises
        ``DatabaseUnavailable`` when the connection is lost; the jobs being run
        then are picked again once they are stale.
        """
        try:
            connection = await asyncpg.connect(
                self.url,
                timeout=5,
                command_timeout=15,
                server_settings={
                    "application_name": "holdfast-jobs",
                    "statement_timeout": "10000",
                    "lock_timeout": "3000",
                    "jit": "off",
                },
            )
            try:
                await self._work(connection, stop, grace_seconds, alive)
            finally:
                with suppress(TimeoutError):
                    await connection.close(timeout=2)
        except (
            OSError,
            TimeoutError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            # The driver lost its place when the connection died under it.
            asyncpg.InternalClientError,
        ) as error:
            raise DatabaseUnavailable from error

    async def _work(
        self,
        connection: Any,
        stop: asyncio.Event,
        grace_seconds: float,
        alive: Callable[[], None],
    ) -> None:
        queries = _Statements(AsyncpgDriver(connection), alive)
        manager = QueueManager(queries, channel=queries.settings.channel)
        connection.add_termination_listener(lambda _: manager.shutdown.set())

        async def carry_out(picked: models.Job) -> None:
            await self._carry_out(picked, queries)

        manager.entrypoint(_ENTRYPOINT, on_failure="hold")(carry_out)
        working = asyncio.create_task(
            manager.run(
                dequeue_timeout=self.poll,
                batch_size=self.batch,
                max_concurrent_tasks=max(self.concurrency, 2 * self.batch),
                shutdown_on_listener_failure=True,
                heartbeat_timeout=self.stale_after,
                # Folding the log into statistics rewrites every row of it, and
                # nobody reads those: the worker's own metrics say the same.
                log_aggregation_interval=timedelta(0),
            )
        )
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({working, stopping}, return_when="FIRST_COMPLETED")
            manager.shutdown.set()
            await asyncio.wait({working}, timeout=grace_seconds)
            if not working.done():
                _log.warning("jobs_abandoned", grace_seconds=grace_seconds)
        finally:
            stopping.cancel()
            working.cancel()
            await asyncio.wait({working}, timeout=5)
        if working.done() and not working.cancelled():
            working.result()
        if not stop.is_set():
            raise DatabaseUnavailable

    async def _carry_out(self, picked: models.Job, queries: "_Statements") -> None:
        if picked.id not in queries.suspects:
            await self._attempt(picked)
            return
        async with self._alone:
            queries.suspects.discard(picked.id)
            starts = await queries.count_solo_start(picked.id)
            if starts > MAX_SOLO_STARTS:
                raise Poisonous(
                    f"The worker died {starts} times while this job was running."
                )
            try:
                await self._attempt(picked)
            finally:
                # It did not kill us. That is noted before the next suspect starts,
                # as the outcome itself is written a moment later, in a batch.
                await queries.clear_solo_starts(picked.id)

    async def _attempt(self, picked: models.Job) -> None:
        job = msgspec.json.decode(picked.payload or b"", type=Job)
        try:
            async with asyncio.timeout(self.job_seconds):
                await self.run(job)
        except Exception as error:
            if picked.attempts + 1 >= MAX_ATTEMPTS or self.is_final(error):
                raise
            wait = wait_seconds(picked.attempts, chance=_chance.random())
            said = str(error) or type(error).__name__
            raise RetryRequested(timedelta(seconds=wait), said) from error


class _Statements(Queries):
    """pgqueuer's statements, with what they leave out."""

    def __init__(self, driver: AsyncpgDriver, alive: Callable[[], None]) -> None:
        self._alive = alive
        self.settings = _settings()
        self.suspects: set[JobId] = set()
        super().__init__(
            driver,
            QueryBuilderEnvironment(self.settings),
            QueryQueueBuilder(self.settings),
            QuerySchedulerBuilder(self.settings),
        )

    async def dequeue(self, *args: Any, **named: Any) -> list[models.Job]:
        """Pick jobs, noticing those that somebody died of."""
        picked = await super().dequeue(*args, **named)
        self._alive()
        if picked:
            rows = await self.driver.fetch(_REPICKED, [job.id for job in picked])
            self.suspects.update(JobId(_whole(row["job_id"])) for row in rows)
        return picked

    async def count_solo_start(self, job_id: JobId) -> int:
        rows = await self.driver.fetch(_COUNT_SOLO_START, job_id)
        return _whole(rows[0]["solo_starts"])

    async def clear_solo_starts(self, job_id: JobId) -> None:
        await self.driver.execute(_CLEAR_SOLO_STARTS, job_id)

    async def retry_job(
        self,
        job: models.Job,
        delay: timedelta,
        traceback_record: models.TracebackRecord | None,
    ) -> None:
        """Put a job back; if that fails it is left to become stale.

        pgqueuer would take a failure here for the end of the job.
        """
        try:
            await super().retry_job(job, delay, _kept(traceback_record))
        except Exception as error:  # noqa: BLE001 - whatever it is, the job stays
            _log.warning("job_not_put_back", job_id=job.id, error=repr(error))

    async def log_jobs(
        self,
        job_status: list[tuple[models.Job, JOB_STATUS, models.TracebackRecord | None]],
    ) -> None:
        """Write down how jobs ended; those cut short by a stop are put back.

        pgqueuer calls them canceled, and would drop them.
        """
        ended = [
            (entry[0], entry[1], _kept(entry[2]))
            for entry in job_status
            if entry[1] != "canceled"
        ]
        if ended:
            await super().log_jobs([*ended])
        for job, status, _ in job_status:
            if status == "canceled":
                await self.retry_job(job, timedelta(0), None)


def _kept(record: models.TracebackRecord | None) -> models.TracebackRecord | None:
    # The causes of an error are in there too, with whatever a mail server said.
    if record is None:
        return None
    return record.model_copy(
        update={
            "exception_message": fit_for_a_log(record.exception_message),
            "traceback": fit_for_a_log(record.traceback),
        }
    )


def _whole(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101 - the column's type
    return value


def _held(row: Any) -> HeldJob:
    try:
        job = msgspec.json.decode(row["payload"] or b"", type=Job)
    except msgspec.DecodeError:
        job = None
    said = ": ".join(filter(None, (row["exception_type"], row["reason"])))
    return HeldJob(
        row["id"], job, row["attempts"], row["created"], row["updated"], said
    )
