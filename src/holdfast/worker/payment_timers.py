"""What payments need from time to time."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from holdfast.domain import payments
from holdfast.domain.payments import Provider
from holdfast.worker.handlers import Reach
from holdfast.worker.metrics import Metrics
from holdfast.worker.schedule import MEASURE_EVERY, TIDY_AT_ONCE, TIDY_EVERY, Timer
from holdfast.workflows import capture, refunds
from holdfast.workflows.reconciliation import Reconciliation

FINISH_EVERY = timedelta(seconds=5)
FINISH_SECONDS = 60.0
RECONCILE_EVERY = timedelta(minutes=15)
RECONCILE_SECONDS = 600.0
RECONCILED = timedelta(days=2)
"""How far back the timer looks; ``holdfast reconcile --since`` looks further."""
_log = structlog.get_logger()


@dataclass(frozen=True)
class _Asking:
    """What needs the provider's answers."""

    reach: Reach
    provider: Provider

    async def finish_refunds(self) -> None:
        # What is not reached is due at the next turn too.
        async with asyncio.timeout(FINISH_SECONDS):
            await refunds.carry_out_due(
                self.reach.db, self.provider, clock=self.reach.clock
            )

    async def finish_charges(self) -> None:
        async with asyncio.timeout(FINISH_SECONDS):
            await capture.close_due(
                self.reach.db, self.provider, clock=self.reach.clock
            )

    async def reconcile(self) -> None:
        reach = self.reach
        doing = Reconciliation(reach.db, reach.vault, self.provider, reach.clock)
        try:
            async with asyncio.timeout(RECONCILE_SECONDS):
                report = await doing.run(reach.clock() - RECONCILED)
        except (payments.PaymentOutcomeUnknown, payments.PaymentUnavailable):
            _log.warning("payments_not_reconciled", reason="the provider is away")
            return
        if report.repaired or report.new:
            _log.info(
                "payments_reconciled",
                repaired=dict(report.repaired),
                new=report.new,
                open=report.open,
            )


def payment_timers(reach: Reach, metrics: Metrics) -> tuple[Timer, ...]:
    """The timers of payments; those that ask the provider only where there is one."""

    async def measure() -> None:
        left = await payments.count_discrepancies(reach.db)
        metrics.payment_discrepancies.set(left)

    always = (
        Timer("forget_payment_events", TIDY_EVERY, partial(_tidy, reach)),
        Timer("measure_payments", MEASURE_EVERY, measure, shared=False),
    )
    if reach.payments is None:
        return always
    asking = _Asking(reach, reach.payments)
    return (
        Timer("finish_refunds", FINISH_EVERY, asking.finish_refunds),
        Timer("finish_charges", FINISH_EVERY, asking.finish_charges),
        Timer("reconcile_payments", RECONCILE_EVERY, asking.reconcile),
        *always,
    )


async def _tidy(reach: Reach) -> None:
    for forget in (payments.forget_events, payments.forget_actions):
        forgotten = TIDY_AT_ONCE
        while forgotten == TIDY_AT_ONCE:
            async with reach.db.transaction() as tx:
                forgotten = await forget(tx, now=reach.clock(), limit=TIDY_AT_ONCE)
