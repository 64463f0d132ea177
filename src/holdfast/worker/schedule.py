"""What happens by the clock: each turn of a timer is taken by one worker.

A turn is claimed by moving the timer's next time on, in one statement, before the
work: of several workers one gets it, and if that one dies the next turn comes as
if nothing were. Turns may overlap when one takes longer than its interval, so what
a timer runs must bear company; all of these do.

The queue's own scheduler is not used: it is a second late each time, and a turn
whose worker was killed keeps its timer from running for half a minute.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from holdfast.domain import accounts, drops, identity, imports, notifications, oauth
from holdfast.kernel.clock import Clock
from holdfast.platform import idempotency, jobs, outbox, turns
from holdfast.platform.db import Database
from holdfast.worker.metrics import Metrics
from holdfast.worker.recurring import Recurring
from holdfast.workflows import account_mail, personal_data

Settle = Callable[[int], Awaitable[int]]
"""Settle up to so many overdue orders; returns how many were settled."""

Reseal = Callable[[], Awaitable[int]]
"""Seal anew what is sealed under an older key; returns how many rows."""

Forget = Callable[..., Awaitable[int]]
"""Forget up to *limit* rows that are too old *now*; returns how many."""

SETTLE_EVERY = timedelta(seconds=5)
SETTLE_AT_ONCE = 100
SETTLE_SECONDS = 60.0
RESEAL_EVERY = timedelta(seconds=15)
RESEAL_SECONDS = 120.0
TIDY_EVERY = timedelta(minutes=3)
TIDY_AT_ONCE = 5_000
MEASURE_EVERY = timedelta(seconds=15)
_log = structlog.get_logger()


@dataclass(frozen=True)
class Timer:
    """Something to do every so often; *shared* if one worker of all is enough."""

    name: str
    every: timedelta
    run: Callable[[], Awaitable[None]]
    shared: bool = True
    dispensable: bool = False


@dataclass(frozen=True)
class Timekeeper:
    """Runs timers when their turn has come."""

    db: Database
    clock: Clock
    metrics: Metrics

    def recurring(self, timer: Timer) -> Recurring:
        async def step() -> float:
            await self.turn(timer)
            return timer.every.total_seconds()

        return Recurring(timer.name, step, dispensable=timer.dispensable)

    async def turn(self, timer: Timer) -> bool:
        """Run the timer if this turn is ours; returns whether it was."""
        now = self.clock()
        if timer.shared:
            # A little early, because the next look comes an interval after this one
            # ended: due at just that time, every other look might be too soon.
            due = now + timer.every * 0.8
            async with self.db.transaction() as tx:
                if not await turns.claim(tx, timer.name, now=now, due=due):
                    return False
        self.metrics.timer_runs.labels(timer.name).inc()
        await timer.run()
        return True


def timers(
    db: Database,
    *,
    settle: Settle | None,
    reseal: Reseal | None = None,
    clock: Clock,
    metrics: Metrics,
) -> tuple[Timer, ...]:
    """Every timer of the worker."""

    async def settle_overdue() -> None:
        if settle is None:
            return
        # A provider that hangs must not hold the timer for all its orders in turn;
        # those not reached are overdue at the next turn too.
        async with asyncio.timeout(SETTLE_SECONDS):
            settled = await settle(SETTLE_AT_ONCE)
        if settled:
            metrics.settled.inc(settled)
            _log.info("orders_settled", count=settled)

    def tidying(forget: Forget) -> Callable[[], Awaitable[None]]:
        return partial(_tidy, db, forget, clock)

    async def measure() -> None:
        waiting, oldest_seconds = await outbox.count_waiting(db)
        metrics.outbox_waiting.set(waiting)
        metrics.outbox_oldest_seconds.set(oldest_seconds)
        backlog = await jobs.backlog(db)
        metrics.queue_jobs.labels("queued").set(backlog.queued)
        metrics.queue_jobs.labels("running").set(backlog.running)
        metrics.queue_jobs.labels("failed").set(backlog.failed)
        metrics.queue_oldest_seconds.set(backlog.oldest_seconds)
        metrics.idempotency_rows.set(await idempotency.rows(db))

    return (
        Timer("settle_overdue_orders", SETTLE_EVERY, settle_overdue),
        Timer("reseal", RESEAL_EVERY, partial(_seal_anew, reseal)),
        Timer("forget_idempotency_keys", TIDY_EVERY, tidying(idempotency.forget)),
        Timer("forget_job_log", TIDY_EVERY, tidying(jobs.forget_log)),
        Timer("forget_account_requests", TIDY_EVERY, tidying(account_mail.forget)),
        Timer("forget_failures", TIDY_EVERY, tidying(accounts.forget_failures)),
        Timer("forget_places", TIDY_EVERY, tidying(accounts.forget_places)),
        Timer("forget_sessions", TIDY_EVERY, tidying(accounts.forget_sessions)),
        Timer("forget_the_erased", TIDY_EVERY, tidying(personal_data.forget_late)),
        Timer("forget_tickets", TIDY_EVERY, tidying(drops.forget_tickets)),
        Timer("forget_codes", TIDY_EVERY, tidying(oauth.forget_codes)),
        Timer(
            "forget_refresh_tokens", TIDY_EVERY, tidying(oauth.forget_refresh_tokens)
        ),
        Timer("forget_security_events", TIDY_EVERY, tidying(identity.forget_events)),
        Timer("forget_emails", TIDY_EVERY, tidying(notifications.forget_old)),
        Timer("forget_imports", TIDY_EVERY, tidying(imports.forget)),
        # The outbox is kept whole: it is the record of what happened.
        Timer("measure", MEASURE_EVERY, measure, shared=False),
    )


async def _tidy(db: Database, forget: Forget, clock: Clock) -> None:
    forgotten = TIDY_AT_ONCE
    while forgotten == TIDY_AT_ONCE:
        async with db.transaction() as tx:
            forgotten = await forget(tx, now=clock(), limit=TIDY_AT_ONCE)


async def _seal_anew(reseal: Reseal | None) -> None:
    if reseal is None:
        return
    # What is not reached is still there at the next turn.
    async with asyncio.timeout(RESEAL_SECONDS):
        resealed = await reseal()
    if resealed:
        _log.info("resealed", rows=resealed)
