"""The worker process: relay, queue and timers side by side until told to stop.

Any number of workers may run; they share nothing but the database. Each activity
lives through a database restart by itself. Told to stop, the worker picks nothing
new, finishes the jobs it is at within the grace, and puts the rest back.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from holdfast.platform.jobs import Queue
from holdfast.worker.cart_timers import cart_timers
from holdfast.worker.catalog_timers import catalog_timers
from holdfast.worker.handlers import (
    TASKS,
    TASKS_BY_EVENT,
    Handler,
    Reach,
    Task,
    is_final,
)
from holdfast.worker.health import Health
from holdfast.worker.importing import Importing
from holdfast.worker.media_timers import media_work
from holdfast.worker.metrics import Metrics
from holdfast.worker.payment_timers import payment_timers
from holdfast.worker.recurring import Recurring
from holdfast.worker.relay import Relay
from holdfast.worker.schedule import Reseal, Settle, Timekeeper, timers
from holdfast.worker.shipping_timers import shipping_timers
from holdfast.worker.stock_timers import stock_timers
from holdfast.worker.token_timers import token_timers

_PUT_BACK_SECONDS = 8.0
_log = structlog.get_logger()


@dataclass
class Worker:
    """One worker process, put together from what it works with."""

    database_url: str
    reach: Reach
    settle: Settle | None = None
    reseal: Reseal | None = None
    grace_seconds: float = 15.0
    stale_after: timedelta = timedelta(seconds=10)
    tasks: Mapping[str, Task] = field(default_factory=lambda: TASKS)
    tasks_by_event: Mapping[str, Sequence[str]] = field(
        default_factory=lambda: TASKS_BY_EVENT
    )
    metrics: Metrics = field(default_factory=Metrics)

    async def run(
        self,
        stop: asyncio.Event,
        *,
        health_host: str = "127.0.0.1",
        health_port: int | None = None,
    ) -> None:
        """Work until *stop*. A health port of None listens nowhere."""
        activities = self._activities(stop)
        health = Health(activities, self.metrics)
        async with AsyncExitStack() as closing:
            if health_port is not None:
                health_port = await closing.enter_async_context(
                    health.served(health_host, health_port)
                )
            _log.info("worker_started", health_port=health_port)
            async with asyncio.TaskGroup() as group:
                running = {
                    group.create_task(activity.run(stop), name=activity.name)
                    for activity in activities
                }
                await stop.wait()
                # The queue needs a moment after its grace to put jobs back.
                patience = self.grace_seconds + _PUT_BACK_SECONDS
                _, late = await asyncio.wait(running, timeout=patience)
                for task in late:
                    _log.warning("activity_abandoned", activity=task.get_name())
                    task.cancel()
        _log.info("worker_stopped")

    def _activities(self, stop: asyncio.Event) -> list[Recurring]:
        db, clock = self.reach.db, self.reach.clock
        queue = Queue(
            self.database_url,
            Handler(self.reach, self.metrics, self.tasks),
            is_final,
            stale_after=self.stale_after,
        )

        async def work() -> float:
            await queue.work(
                stop, grace_seconds=self.grace_seconds, alive=jobs.progress
            )
            return 0.0

        jobs = Recurring("jobs", work)
        relay = Relay(db, self.tasks_by_event, clock, self.metrics)
        keeper = Timekeeper(db, clock, self.metrics)
        by_clock = timers(
            db,
            settle=self.settle,
            reseal=self.reseal,
            clock=clock,
            metrics=self.metrics,
        )
        pictures = media_work(self.reach, self.metrics.registry)
        return [
            jobs,
            Recurring("relay", relay.step),
            *pictures.drawing,
            Recurring("imports", Importing(db, clock).step),
            *map(keeper.recurring, by_clock),
            *map(keeper.recurring, token_timers(self.reach)),
            *map(keeper.recurring, shipping_timers(self.reach, self.metrics)),
            *map(keeper.recurring, payment_timers(self.reach, self.metrics)),
            *map(keeper.recurring, cart_timers(self.reach)),
            *map(keeper.recurring, catalog_timers(self.reach)),
            *map(keeper.recurring, stock_timers(self.reach, self.metrics)),
            *map(keeper.recurring, pictures.timers),
        ]
