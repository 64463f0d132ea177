"""Does things and is killed at a chosen step of each; see test_every_step_*.

A step is one statement, ``BEGIN`` and ``COMMIT`` among them, or one call of the payment
provider. Killed *after* it means once its answer is here; killed *at* it, once it is
sent and before an answer. Reads a list of jobs, forks a process for each, and prints
how each of them ended: the signal, or 0 for one that came to its end.
"""

import asyncio
import json
import os
import signal
import sys
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from holdfast.api.shop import opened
from holdfast.domain.identity import Guest, Operator
from holdfast.kernel.errors import DomainError
from holdfast.kernel.money import Money
from holdfast.platform.idempotency import Answer, Claim
from holdfast.platform.settings import Settings
from holdfast.workflows import capture, refunds
from holdfast.workflows.cancellation import Cancellation
from holdfast.workflows.cart_merging import Merging
from holdfast.workflows.carts import Carts
from holdfast.workflows.checkout import Checkout
from holdfast.workflows.drafts import Drafts
from holdfast.workflows.edits import Edit, Edits
from holdfast.workflows.refunding import Refunding
from holdfast.workflows.returns import Receipt, Returns
from holdfast.workflows.settlement import overdue_after, settle_overdue
from holdfast.workflows.stock_transfers import Transfers

COUNTED = ("execute", "fetch", "fetchrow", "fetchval")


class Steps:
    """Counts steps, and ends the process at one of them."""

    def __init__(self, last, *, answered):
        self.last = last
        self.answered = answered
        self.taken = 0

    async def take(self, doing):
        self.taken += 1
        if self.taken < self.last:
            return await doing
        if not self.answered:
            asyncio.ensure_future(doing)  # noqa: RUF006 - nobody will be there for it
            await asyncio.sleep(0)
            die()
        result = await doing
        die()
        return result


class Asked:
    """The payment provider, each call of which is a step."""

    def __init__(self, provider, steps):
        self._provider = provider
        self._steps = steps

    def __getattr__(self, name):
        call = getattr(self._provider, name)

        async def counted(**wanted):
            return await self._steps.take(call(**wanted))

        return counted


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def count_statements(steps):
    """Let each statement of this process be a step from now on."""

    def counted(method):
        async def call(connection, *arguments, **options):
            return await steps.take(method(connection, *arguments, **options))

        return call

    for name in COUNTED:
        setattr(asyncpg.Connection, name, counted(getattr(asyncpg.Connection, name)))


def answer(told):
    """As in conftest: what a client would read, in fewer words."""
    if isinstance(told, DomainError):
        return Answer(402, {}, str(told).encode())
    body = {"id": str(told.id), "number": told.number, "status": told.status}
    return Answer(201, {}, json.dumps(body).encode())


def claim_of(job, caller):
    return Claim(caller.actor, "checkout", job["key"], bytes.fromhex(job["print"]))


async def check_out(job, shop, payments):
    caller = Guest(bytes.fromhex(job["token_hash"]))
    await Checkout(
        *(shop.db, shop.vault, payments, shop.clock),
        lambda told: (
            Answer(402, {}, b"no") if isinstance(told, Exception) else answer(told)
        ),
        carrier=shop.carrier,
    ).place_order(
        UUID(job["cart_id"]),
        payment_method=job["method"],
        expected_total=None,
        caller=caller,
        claim=claim_of(job, caller),
    )


async def settle(job, shop, payments):
    after = overdue_after(shop.settings.payment_timeout_seconds)
    await settle_overdue(
        shop.db, shop.vault, payments, clock=shop.clock, after=after, limit=10
    )


async def complete(job, shop, _):
    clerk = Operator(UUID(job["clerk"]), "clerk", frozenset({"orders:write"}))
    await Drafts(carts_of(shop)).complete_outside(
        UUID(job["cart_id"]),
        "cash",
        expected_total=None,
        caller=clerk,
        claim=claim_of(job, clerk),
        render=answer,
    )


async def merge(job, shop, _):
    await Merging(carts_of(shop)).merge(
        UUID(job["cart_id"]), job["token"], UUID(job["account_id"])
    )


def clerk_of(job):
    return Operator(UUID(job["clerk"]), "clerk", frozenset({"orders:write"}))


def said(*_):
    return Answer(200, {}, b"done")


async def refund(job, shop, payments):
    clerk = clerk_of(job)
    await Refunding(shop.db, shop.vault, payments, shop.clock, said).refund(
        UUID(job["order_id"]),
        Money(job["amount"], "EUR"),
        reason="damaged",
        actor=clerk.actor,
        claim=claim_of(job, clerk),
    )


async def carry_out(_, shop, payments):
    await refunds.carry_out_due(shop.db, payments, clock=shop.clock)


async def take(job, shop, payments):
    await capture.capture(
        UUID(job["order_id"]),
        db=shop.db,
        provider=payments,
        clock=shop.clock,
        actor=clerk_of(job).actor,
    )


async def edit(job, shop, payments):
    clerk = clerk_of(job)
    await Edits(shop.db, shop.vault, payments, shop.clock, clerk).edit(
        UUID(job["order_id"]),
        Edit(quantities={1: job["keeps"]}),
        claim=claim_of(job, clerk),
        render=said,
    )


async def cancel(job, shop, payments):
    clerk = clerk_of(job)
    await Cancellation(shop.db, shop.vault, payments, shop.clock, clerk, said).cancel(
        UUID(job["order_id"]), None, reason="damaged", claim=claim_of(job, clerk)
    )


async def receive(job, shop, payments):
    clerk = clerk_of(job)
    await Returns(shop.db, shop.vault, payments, shop.clock, clerk, said).receive(
        UUID(job["return_id"]), Receipt(), claim=claim_of(job, clerk)
    )


async def transfer(job, shop, _):
    more = {"lines": None} if job["does"] == "receive" else {}
    doing = getattr(Transfers(shop.db, shop.clock), job["does"])
    await doing(UUID(job["transfer_id"]), actor="key:1", **more)


def carts_of(shop):
    return Carts(shop.db, shop.vault, shop.carrier, shop.clock)


DOING = {
    "checkout": check_out,
    "timer": settle,
    "draft": complete,
    "merge": merge,
    "refund": refund,
    "carry out": carry_out,
    "capture": take,
    "edit": edit,
    "cancel": cancel,
    "receive": receive,
    "transfer": transfer,
}


async def run(job):
    now = datetime.fromisoformat(job["now"]) + timedelta(seconds=job["later"])
    async with opened(Settings.read(job["environ"]), clock=lambda: now) as shop:
        await shop.db.fetchval("SELECT 1")
        steps = Steps(job["step"], answered=job["answered"])
        count_statements(steps)
        await DOING[job["what"]](job, shop, Asked(shop.payments, steps))
        # What follows, such as closing the shop, is none of it.
        os._exit(0)


def main():
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            asyncio.run(run(json.loads(line)))
        _, status = os.waitpid(child, 0)
        ended = os.WTERMSIG(status) or os.WEXITSTATUS(status)
        sys.stdout.write(f"{ended}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
