"""A refund, in every order of what can happen to it: the money goes back once.

The answer of the provider, its webhook, the worker's task, its timer and the death of
the process, by hand, for a refund that succeeds, fails, or whose answer is lost.
"""

import asyncio
from contextlib import suppress
from itertools import permutations

import pytest

from holdfast.domain import ordering, payments
from holdfast.domain.payments import (
    ChargeRefund,
    PaymentOutcomeUnknown,
    Progress,
    RefundFailed,
    RefundSucceeded,
    Told,
)
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.platform import outbox
from holdfast.workflows import payment_webhooks, refunds

STEPS = ("answer", "webhook", "task", "timer", "crash")
FATES = ("succeeds", "fails", "its answer is lost", "never arrives")
AMOUNT = Money(500, "EUR")


class Bank:
    """A provider driven by hand; counts what it gives back."""

    def __init__(self, fate):
        self.fate = fate
        self.refunds = {}
        self.given = 0
        self.reached = asyncio.Event()
        self.answering = asyncio.Event()

    async def refund(self, *, key, charge_key, amount, reason):
        first = not self.reached.is_set()
        if not (first and self.fate == "never arrives"):
            self.arrive(key)
        self.reached.set()
        if first:
            await self.answering.wait()
            if self.fate in ("its answer is lost", "never arrives"):
                raise PaymentOutcomeUnknown
        return self.outcome(key)

    def arrive(self, key):
        if key not in self.refunds:
            self.refunds[key] = "failed" if self.fate == "fails" else "succeeded"
            self.given += self.refunds[key] == "succeeded"

    def outcome(self, key):
        if self.refunds[key] == "failed":
            return RefundFailed("closed")
        return RefundSucceeded("re_1")


class Race:
    """One refund, and everything that happens to it."""

    def __init__(self, shop, clock, bank, refund_id, order):
        self.shop, self.clock, self.bank = shop, clock, bank
        self.refund_id, self.order = refund_id, order
        self._first = None

    async def _carry_out(self):
        return await refunds.carry_out(
            self.refund_id, db=self.shop.db, provider=self.bank, clock=self.clock
        )

    async def start(self):
        self._first = asyncio.create_task(self._carry_out())
        await self.bank.reached.wait()

    async def answer(self):
        self.bank.answering.set()
        with suppress(asyncio.CancelledError):
            await self._first

    async def crash(self):
        self._first.cancel()
        with suppress(asyncio.CancelledError):
            await self._first

    async def task(self):
        await self._carry_out()

    async def timer(self):
        self.clock.advance(minutes=6)
        await refunds.carry_out_due(self.shop.db, self.bank, clock=self.clock)

    async def webhook(self):
        status = self.bank.refunds.get(str(self.refund_id))
        if status is None:
            return
        about = ChargeRefund(
            reference="re_1",
            key=str(self.refund_id),
            charge_key=str(self.order.id),
            status=status,
            amount=AMOUNT,
            failure_reason="closed" if status == "failed" else None,
        )
        told = Told(f"evt_{new_id().hex}", f"refund.{status}", about)
        for _ in range(2):
            await payment_webhooks.receive(
                told, db=self.shop.db, vault=self.shop.vault, clock=self.clock
            )


@pytest.fixture
def run(shop, clock, promise):
    async def race(order, fate, steps):
        before = await ordering.find(shop.db, shop.vault, order.id)
        refund_id = await promise(order, AMOUNT.amount)
        async with shop.db.transaction() as tx:
            await outbox.take_waiting(tx, 1000, at=clock())
        bank = Bank(fate)
        racing = Race(shop, clock, bank, refund_id, order)
        await racing.start()
        for step in steps:
            await getattr(racing, step)()
        await racing.answer()
        await racing.timer()

        refund = await payments.find_refund(shop.db, refund_id)
        after = await ordering.find(shop.db, shop.vault, order.id)
        went = fate != "fails"
        assert bank.given == went
        assert refund.status is (Progress.SUCCEEDED if went else Progress.FAILED)
        given = after.refunded_amount - before.refunded_amount
        assert given == (AMOUNT.amount if went else 0)
        assert after.refunding_amount == 0
        async with shop.db.transaction() as tx:
            events = await outbox.take_waiting(tx, 1000, at=clock())
        word = refunds.SUCCEEDED if went else refunds.FAILED
        assert [event.type for event in events] == [word]

    return race


@pytest.mark.slow
class TestRace:
    @pytest.mark.parametrize("first", STEPS)
    @pytest.mark.parametrize("fate", FATES)
    async def test_ends_the_same_in_every_order(
        self, run, a_basket, an_order, fate, first
    ):
        await a_basket(TEA=1, on_hand=100)
        paid = await an_order(TEA=50)

        for order in permutations(step for step in STEPS if step != first):
            await run(paid, fate, (first, *order))


async def test_tried_again_by_two_while_it_ends_nobody_waits_in_a_circle(
    shop, an_order, promise, carry_out, clock, promised
):
    order = await an_order("pm_refund_fails")
    failed = await carry_out(await promise(order, 500))
    again = await promise(order, 500, retry_of=failed.id)

    async def somebody_waits():
        return await shop.db.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")

    async def try_once_more(group):
        async with shop.db.transaction() as tx:
            await payments.lock_money(tx, order.id)
            ending.append(group.create_task(carry_out(again)))
            await promised(somebody_waits)
            await refunds.request(
                *(tx, order, AMOUNT),
                reason="damaged",
                actor="key:2",
                clock=clock,
                retry_of=failed.id,
            )

    ending = []
    async with asyncio.TaskGroup() as group:
        with pytest.raises(payments.RefundNotFailed):
            await try_once_more(group)

    assert ending[0].result().status is Progress.FAILED
