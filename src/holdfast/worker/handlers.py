"""Which workflow runs because of which event: the whole table.

A task is one reaction to one event, with retries of its own: two reactions to an
event are two tasks, so that one that fails does not repeat the other.

While a shop is upgraded, workers of two releases share one queue. What this one does
not know may be known by the other, so it is given back, never counted as done.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import structlog

from holdfast.domain import ordering
from holdfast.domain.payments import Provider
from holdfast.domain.shipping import Carrier
from holdfast.kernel.clock import Clock, Monotonic, monotonic
from holdfast.kernel.errors import Invalid, NotFound
from holdfast.platform.db import Database
from holdfast.platform.jobs import Job
from holdfast.platform.storage import Storage
from holdfast.platform.vault import Vault
from holdfast.worker.metrics import Metrics
from holdfast.workflows import (
    account_mail,
    attributes,
    capture,
    categories,
    dispatch,
    draft_mail,
    fulfilment,
    notify,
    order_mail,
    refunds,
    return_mail,
    returns,
    shipment_mail,
    stock_notices,
    tracking,
)

TASKS_BY_EVENT: Mapping[str, tuple[str, ...]] = {
    "ordering.order.confirmed": ("confirm_order",),
    "ordering.order.canceled": ("tell_of_cancellation",),
    "ordering.order.edited": ("tell_of_change",),
    "ordering.order.failed": ("tell_of_failure",),
    account_mail.MAIL_REQUESTED: ("send_account_mail",),
    stock_notices.LOW_MAIL_REQUESTED: ("mail_low_stock",),
    stock_notices.BACK: ("mail_back_in_stock",),
    refunds.REQUESTED: ("carry_out_refund",),
    refunds.SUCCEEDED: ("tell_of_refund", "complete_return"),
    returns.APPROVED: ("tell_of_return",),
    returns.REJECTED: ("tell_of_return",),
    returns.RECEIVED: ("tell_of_return",),
    capture.REQUESTED: ("close_charge",),
    draft_mail.INVITED: ("invite_to_pay",),
    dispatch.SHIPPED: ("tell_of_shipment",),
    tracking.DELIVERED: ("tell_of_delivery",),
    categories.RENAMED: ("show_category",),
    attributes.CHANGED: ("show_attribute",),
    # Nobody acts on these: the record is all they are for. They are here because an
    # event that is not is taken for one of another release, and waits for it.
    ordering.COMPLETED: (),
    dispatch.REFUSED: (),
    dispatch.CANCELED: (),
    fulfilment.REOPENED: (),
    **{type_: () for type_ in tracking.TOLD.values() if type_ != tracking.DELIVERED},
    returns.REQUESTED: (),
    returns.COMPLETED: (),
    returns.CANCELED: (),
    refunds.FAILED: (),
    capture.CAPTURED: (),
    capture.FAILED: (),
    stock_notices.LOW: (),
}
"""Every event that this release publishes, and the tasks it is handed to."""
_log = structlog.get_logger()


@dataclass(frozen=True)
class Reach:
    """What tasks work with."""

    db: Database
    vault: Vault
    mailer: notify.Mailer | None
    clock: Clock
    public_url: str = "http://127.0.0.1:8000"
    """What links in e-mails begin with."""
    stock_mail_to: str | None = None
    """Who hears when stock runs low."""
    pay_page: str | None = None
    """Where buyers pay draft orders."""
    cart_days: int = 30
    """After how many days without a change an open cart expires."""
    payments: Provider | None = None
    """The payment provider; None where there is none to ask."""
    carrier: Carrier | None = None
    """The carrier; None where there is none to ask."""
    carrier_timeout_seconds: float = 2.0
    storage: Storage | None = None
    """The files of pictures; None where there are none."""


Task = Callable[[Job, Reach], Awaitable[None]]


async def _confirm_order(job: Job, reach: Reach) -> None:
    await notify.confirm_order(
        UUID(job.payload["order_id"]),
        event_id=job.event_id,
        db=reach.db,
        vault=reach.vault,
        mailer=reach.mailer,
        clock=reach.clock,
    )


async def _send_account_mail(job: Job, reach: Reach) -> None:
    await account_mail.send(
        UUID(job.payload["request_id"]),
        event_id=job.event_id,
        db=reach.db,
        vault=reach.vault,
        mailer=reach.mailer,
        public_url=reach.public_url,
        clock=reach.clock,
    )


async def _carry_out_refund(job: Job, reach: Reach) -> None:
    # What the provider does not end now, the timer goes on with.
    if reach.payments is not None:
        await refunds.carry_out(
            UUID(job.payload["refund_id"]),
            db=reach.db,
            provider=reach.payments,
            clock=reach.clock,
        )


async def _tell_of_refund(job: Job, reach: Reach) -> None:
    await notify.tell_of_refund(
        UUID(job.payload["refund_id"]),
        event_id=job.event_id,
        db=reach.db,
        vault=reach.vault,
        mailer=reach.mailer,
        clock=reach.clock,
    )


async def _complete_return(job: Job, reach: Reach) -> None:
    await returns.complete_after_refund(
        UUID(job.payload["refund_id"]), db=reach.db, clock=reach.clock
    )


async def _tell_of_return(job: Job, reach: Reach) -> None:
    await return_mail.tell(
        UUID(job.payload["return_id"]),
        job.event_type,
        event_id=job.event_id,
        db=reach.db,
        vault=reach.vault,
        mailer=reach.mailer,
        clock=reach.clock,
    )


async def _invite_to_pay(job: Job, reach: Reach) -> None:
    await draft_mail.send(
        UUID(job.payload["draft_id"]),
        event_id=job.event_id,
        db=reach.db,
        vault=reach.vault,
        mailer=reach.mailer,
        pay_page=reach.pay_page,
        clock=reach.clock,
    )


async def _close_charge(job: Job, reach: Reach) -> None:
    if reach.payments is not None:
        await capture.close(
            UUID(job.payload["order_id"]),
            db=reach.db,
            provider=reach.payments,
            clock=reach.clock,
        )


async def _tell_of_cancellation(job: Job, reach: Reach) -> None:
    await _tell_about_order(job, reach, "order_canceled")


async def _tell_of_change(job: Job, reach: Reach) -> None:
    await _tell_about_order(job, reach, "order_changed")


async def _tell_of_failure(job: Job, reach: Reach) -> None:
    await _tell_about_order(job, reach, "order_failed")


async def _tell_about_order(job: Job, reach: Reach, kind: order_mail.Kind) -> None:
    await order_mail.tell(
        UUID(job.payload["order_id"]),
        kind,
        event_id=job.event_id,
        db=reach.db,
        vault=reach.vault,
        mailer=reach.mailer,
        clock=reach.clock,
    )


async def _tell_of_shipment(job: Job, reach: Reach) -> None:
    await _tell_about_parcel(job, reach, "shipment_shipped")


async def _tell_of_delivery(job: Job, reach: Reach) -> None:
    await _tell_about_parcel(job, reach, "shipment_delivered")


async def _tell_about_parcel(
    job: Job, reach: Reach, kind: Literal["shipment_shipped", "shipment_delivered"]
) -> None:
    await shipment_mail.tell(
        UUID(job.payload["shipment_id"]),
        kind,
        event_id=job.event_id,
        db=reach.db,
        vault=reach.vault,
        mailer=reach.mailer,
        clock=reach.clock,
    )


async def _mail_low_stock(job: Job, reach: Reach) -> None:
    await stock_notices.mail_low(
        [UUID(alert_id) for alert_id in job.payload["alert_ids"]],
        reach.stock_mail_to,
        event_id=job.event_id,
        db=reach.db,
        vault=reach.vault,
        mailer=reach.mailer,
        clock=reach.clock,
    )


async def _mail_back_in_stock(job: Job, reach: Reach) -> None:
    await stock_notices.mail_back(
        UUID(job.payload["request_id"]),
        event_id=job.event_id,
        db=reach.db,
        vault=reach.vault,
        mailer=reach.mailer,
        public_url=reach.public_url,
        clock=reach.clock,
    )


async def _show_attribute(job: Job, reach: Reach) -> None:
    await attributes.show_products(reach.db, job.payload["code"])


async def _show_category(job: Job, reach: Reach) -> None:
    await categories.show_products(reach.db, UUID(job.payload["category_id"]))


TASKS: Mapping[str, Task] = {
    "show_category": _show_category,
    "show_attribute": _show_attribute,
    "mail_low_stock": _mail_low_stock,
    "mail_back_in_stock": _mail_back_in_stock,
    "confirm_order": _confirm_order,
    "send_account_mail": _send_account_mail,
    "carry_out_refund": _carry_out_refund,
    "tell_of_refund": _tell_of_refund,
    "complete_return": _complete_return,
    "tell_of_return": _tell_of_return,
    "close_charge": _close_charge,
    "invite_to_pay": _invite_to_pay,
    "tell_of_cancellation": _tell_of_cancellation,
    "tell_of_change": _tell_of_change,
    "tell_of_failure": _tell_of_failure,
    "tell_of_shipment": _tell_of_shipment,
    "tell_of_delivery": _tell_of_delivery,
}


class TaskUnknown(Exception):
    """This release has no such task: another may."""


def is_final(error: Exception) -> bool:
    """Whether another attempt cannot end differently."""
    return isinstance(error, Invalid | NotFound | LookupError | ValueError)


@dataclass(frozen=True)
class Handler:
    """Carries out one job: finds its task, counts and logs what comes of it."""

    reach: Reach
    metrics: Metrics
    tasks: Mapping[str, Task]
    timer: Monotonic = monotonic

    async def __call__(self, job: Job) -> None:
        log = _log.bind(task=job.task, event_id=str(job.event_id))
        task = self.tasks.get(job.task)
        if task is None:
            # A task that this release does not have any more, or not yet. Some other
            # worker may pick it next; if none has it for as long as jobs are tried,
            # it is held, and can be replayed.
            log.warning("task_unknown", event_type=job.event_type)
            self.metrics.jobs.labels("unknown", "given_back").inc()
            raise TaskUnknown(job.task)
        started = self.timer()
        try:
            await task(job, self.reach)
        except Exception as error:
            outcome = "refused" if is_final(error) else "failed"
            self.metrics.jobs.labels(job.task, outcome).inc()
            said = str(error) or type(error).__name__
            log.warning("task_failed", outcome=outcome, error=said)
            raise
        seconds = self.timer() - started
        self.metrics.jobs.labels(job.task, "done").inc()
        self.metrics.job_seconds.labels(job.task).observe(seconds)
        log.debug("task_done", seconds=round(seconds, 4))
