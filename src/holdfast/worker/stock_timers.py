"""What stock needs from time to time."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from holdfast.domain import inventory
from holdfast.worker.handlers import Reach
from holdfast.worker.metrics import Metrics
from holdfast.worker.schedule import (
    MEASURE_EVERY,
    TIDY_AT_ONCE,
    TIDY_EVERY,
    Forget,
    Timer,
)
from holdfast.workflows import stock_notices
from holdfast.workflows.stock_check import KINDS, StockCheck

EXPIRE_EVERY = timedelta(seconds=1)
NOTICE_EVERY = timedelta(seconds=5)
CHECK_EVERY = timedelta(minutes=5)
_log = structlog.get_logger()


@dataclass(frozen=True)
class _Stock:
    """What each timer does."""

    reach: Reach
    metrics: Metrics

    async def expire_holds(self) -> None:
        freed = inventory.EXPIRE_AT_ONCE
        while freed == inventory.EXPIRE_AT_ONCE:
            async with self.reach.db.transaction() as tx:
                freed = await inventory.expire(tx, now=self.reach.clock())
            self.metrics.holds_expired.inc(freed)

    async def notice_low(self) -> None:
        told = stock_notices.AT_ONCE
        mail = self.reach.stock_mail_to is not None
        while told == stock_notices.AT_ONCE:
            told = await stock_notices.publish_low(
                self.reach.db, mail=mail, clock=self.reach.clock
            )
            self.metrics.low_stock.inc(told)

    async def notice_back(self) -> None:
        told = stock_notices.AT_ONCE
        while told == stock_notices.AT_ONCE:
            told = await stock_notices.publish_back(
                self.reach.db, clock=self.reach.clock
            )
            self.metrics.back_in_stock.inc(told)

    async def check(self) -> None:
        found = await StockCheck(self.reach.db, self.reach.clock).find()
        by_kind = Counter(str(finding.kind) for finding in found)
        for kind in KINDS:
            self.metrics.stock_drift.labels(kind).set(by_kind[kind])
        if found:
            _log.error("stock_drifts", **by_kind)

    async def measure(self) -> None:
        counted = await inventory.count_reserved(self.reach.db, at=self.reach.clock())
        for holder in ("orders", "holds", "overdue"):
            self.metrics.stock_reservations.labels(holder).set(counted[holder])


def stock_timers(reach: Reach, metrics: Metrics) -> tuple[Timer, ...]:
    """The timers of stock."""
    stock = _Stock(reach, metrics)
    alerts = partial(_tidy, reach, inventory.forget_alerts)
    requests = partial(_tidy, reach, inventory.forget_requests)
    return (
        Timer("expire_holds", EXPIRE_EVERY, stock.expire_holds),
        Timer("notice_low_stock", NOTICE_EVERY, stock.notice_low),
        Timer("notice_back_in_stock", NOTICE_EVERY, stock.notice_back),
        Timer("check_stock", CHECK_EVERY, stock.check, shared=False),
        Timer("measure_stock", MEASURE_EVERY, stock.measure, shared=False),
        Timer("forget_stock_alerts", TIDY_EVERY, alerts),
        Timer("forget_stock_requests", TIDY_EVERY, requests),
    )


async def _tidy(reach: Reach, forget: Forget) -> None:
    forgotten = TIDY_AT_ONCE
    while forgotten == TIDY_AT_ONCE:
        async with reach.db.transaction() as tx:
            forgotten = await forget(tx, now=reach.clock(), limit=TIDY_AT_ONCE)
