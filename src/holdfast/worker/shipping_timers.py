"""What shipments need from time to time: the carrier's answers, and news of parcels."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog

from holdfast.domain import shipping
from holdfast.domain.shipping import Carrier, ShipmentStatus
from holdfast.worker.handlers import Reach
from holdfast.worker.metrics import Metrics
from holdfast.worker.schedule import MEASURE_EVERY, Timer
from holdfast.workflows.dispatch import Dispatch, finish_overdue, overdue_after
from holdfast.workflows.tracking import Tracking

FINISH_EVERY = timedelta(seconds=5)
FINISH_SECONDS = 60.0
TRACK_EVERY = timedelta(minutes=1)
TRACK_SECONDS = 120.0
_log = structlog.get_logger()

# Each has a number, be it zero: what is not there cannot be watched.
_OPEN = [
    status
    for status in ShipmentStatus
    if status not in (ShipmentStatus.DELIVERED, ShipmentStatus.CANCELED)
]


@dataclass(frozen=True)
class _Asking:
    """What needs the carrier's answers."""

    reach: Reach
    carrier: Carrier
    metrics: Metrics

    @property
    def dispatch(self) -> Dispatch:
        reach = self.reach
        return Dispatch(
            reach.db, reach.vault, self.carrier, reach.clock, reach.payments
        )

    async def finish(self) -> None:
        after = overdue_after(self.reach.carrier_timeout_seconds)
        # What is not reached waits at the next turn too.
        async with asyncio.timeout(FINISH_SECONDS):
            finished = await finish_overdue(self.dispatch, after=after)
        if finished:
            self.metrics.shipments_finished.inc(finished)
            _log.info("shipments_finished", count=finished)

    async def track(self) -> None:
        async with asyncio.timeout(TRACK_SECONDS):
            heard = await Tracking(self.dispatch).ask_about_quiet()
        if heard:
            _log.info("quiet_shipments_asked_about", count=heard)


def shipping_timers(reach: Reach, metrics: Metrics) -> tuple[Timer, ...]:
    """The timers of shipments; those that ask the carrier only where there is one."""

    async def measure() -> None:
        shipments = await shipping.count_open(reach.db)
        for status in _OPEN:
            metrics.shipments_open.labels(status).set(shipments.get(status, 0))

    measured = Timer("measure_shipments", MEASURE_EVERY, measure, shared=False)
    if reach.carrier is None:
        return (measured,)
    asking = _Asking(reach, reach.carrier, metrics)
    return (
        Timer("finish_shipments", FINISH_EVERY, asking.finish),
        Timer("track_quiet_shipments", TRACK_EVERY, asking.track),
        measured,
    )
