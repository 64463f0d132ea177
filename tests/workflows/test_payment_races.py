"""The payment race, in every order: one capture at most, one settlement, stock right.

An answer of the provider, its webhook, a repeated request, the worker's timer and the
death of the process meet in each of their orders, by hand and without chance. Whatever
the provider did with the charge, and whoever hears of it first, the end is the same.
"""

import asyncio
from contextlib import suppress
from itertools import permutations

import pytest

from holdfast.domain import inventory, ordering
from holdfast.domain.ordering import OrderStatus
from holdfast.domain.payments import (
    ActionRequired,
    Captured,
    Charge,
    Declined,
    PaymentOutcomeUnknown,
    Told,
)
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.platform import outbox
from holdfast.platform.idempotency import LEASE
from holdfast.workflows import payment_webhooks
from holdfast.workflows.settlement import overdue_after, settle_overdue

PRICE = Money(1998, "EUR")
STEPS = ("answer", "webhook", "retry", "timer", "crash")
ACTION_STEPS = ("answer", "action", "outcome", "retry", "timer")
# What the provider does, and what of it is heard.
FATES = {
    "approve": "captured",
    "decline": "declined",
    "captured, but the answer is lost": "captured",
    "never arrived": None,
    "still on its way": None,
}
LOST = ("captured, but the answer is lost", "never arrived")


class Bank:
    """A provider driven by hand; it knows the truth, and counts captures."""

    def __init__(self, fate):
        self.fate = fate
        self.charges = {}
        self.captures = 0
        self.reached = asyncio.Event()
        self.answering = asyncio.Event()

    def arrive(self, key, status):
        """The charge is made, unless its key was cancelled or used before."""
        if key not in self.charges:
            self.captures += status == "captured"
            self.charges[key] = status

    async def charge(self, *, key, amount, **_):
        if FATES.get(self.fate):
            self.arrive(key, FATES[self.fate])
        elif self.fate.startswith("action"):
            self.arrive(key, "requires_action")
        self.reached.set()
        await self.answering.wait()
        if self.fate in LOST:
            raise PaymentOutcomeUnknown
        if self.fate == "still on its way":
            self.arrive(key, "captured")
        return self.outcome(key)

    async def settle(self, *, key, amount, give_up=False):
        self.arrive(key, "canceled")
        if give_up and self.charges[key] == "requires_action":
            self.charges[key] = "canceled"
        return self.outcome(key)

    def outcome(self, key):
        status = self.charges[key]
        if status == "captured":
            return Captured("ch_1")
        if status == "requires_action":
            return ActionRequired("ch_1", "https://bank.test/1")
        return Declined(status)

    def decide(self, key):
        """What the buyer does on the page of their bank, if it is still open."""
        if self.charges.get(key) == "requires_action":
            self.charges[key] = self.fate.removeprefix("action ")
            self.captures += self.charges[key] == "captured"

    def seen(self, key, status=None):
        """The charge as a message tells it; None while the bank knows nothing."""
        status = status or self.charges.get(key)
        # What was cancelled before it came tells nobody.
        if status in (None, "canceled"):
            return None
        waiting = status == "requires_action"
        return Charge(
            reference="ch_1",
            key=key,
            status=status,
            amount=PRICE,
            captured=PRICE.amount if status == "captured" else 0,
            refunded=0,
            decline_reason="card_declined" if status == "declined" else None,
            action_url="https://bank.test/1" if waiting else None,
        )


class Race:
    """One checkout, and everything that happens to it."""

    def __init__(self, shop, clock, check_out, basket, bank, number):
        self.shop, self.clock, self.bank = shop, clock, bank
        self.answers = []
        self._send = lambda: check_out(basket, payments=bank, key=f"key-{number}")
        self._cart_id = basket.cart.id
        self._checkout = None
        self.order_id = None

    async def start(self):
        """Up to where the provider is asked."""
        self._checkout = asyncio.create_task(self._request())
        await self.bank.reached.wait()
        self.order_id = await self.shop.db.fetchval(
            "SELECT id FROM orders WHERE cart_id = $1", self._cart_id
        )

    async def _request(self):
        answer, _ = await self._send()
        self.answers.append(answer.status)

    async def answer(self):
        self.bank.answering.set()
        with suppress(asyncio.CancelledError):
            await self._checkout

    async def crash(self):
        self._checkout.cancel()
        with suppress(asyncio.CancelledError):
            await self._checkout

    async def retry(self):
        """The client repeats the request, which presumes the first one dead."""
        self.clock.advance(seconds=LEASE.total_seconds() + 1)
        await self._request()

    async def timer(self):
        after = overdue_after(self.shop.settings.payment_timeout_seconds)
        self.clock.advance(seconds=after.total_seconds() + 1)
        await settle_overdue(
            self.shop.db, self.shop.vault, self.bank, clock=self.clock, after=after
        )

    async def webhook(self, status=None):
        about = self.bank.seen(str(self.order_id), status)
        if about is None:
            return
        told = Told(f"evt_{new_id().hex}", f"charge.{about.status}", about)
        for _ in range(2):
            await payment_webhooks.receive(
                told, db=self.shop.db, vault=self.shop.vault, clock=self.clock
            )

    async def action(self):
        """The message that the buyer has to do something, however late."""
        await self.webhook("requires_action")

    async def outcome(self):
        """The buyer does it, and the provider tells."""
        self.bank.decide(str(self.order_id))
        await self.webhook()

    async def finish(self):
        """Whatever is left ends: the request, and then a last turn of the timer."""
        await self.answer()
        self.clock.advance(minutes=20)
        await self.timer()


@pytest.fixture
def told_of(shop, clock):
    """What was announced of an order."""

    async def take(order_id):
        async with shop.db.transaction() as tx:
            events = await outbox.take_waiting(tx, 1000, at=clock())
        return [e.type for e in events if e.payload.get("order_id") == str(order_id)]

    return take


@pytest.fixture
def run(shop, clock, a_basket, check_out, told_of, level):
    """Run one race in one order of its steps, and see how it ended."""
    number = 0

    async def race(fate, steps):
        nonlocal number
        number += 1
        _, reserved = await level("TEA") if number > 1 else (0, 0)
        basket = await a_basket(TEA=2, on_hand=10_000)
        bank = Bank(fate)
        racing = Race(shop, clock, check_out, basket, bank, number)
        await racing.start()
        for step in steps:
            await getattr(racing, step)()
        await racing.finish()

        order = await ordering.find(shop.db, shop.vault, racing.order_id)
        paid = bank.charges.get(str(order.id)) == "captured"
        assert bank.captures == paid, "captured once or not at all"
        expected = OrderStatus.CONFIRMED if paid else OrderStatus.FAILED
        assert order.status is expected
        assert order.captured_amount == (1998 if paid else 0)
        word = "confirmed" if paid else "failed"
        assert await told_of(order.id) == [f"ordering.order.{word}"]
        assert (await level("TEA"))[1] == reserved + (2 if paid else 0)
        assert (402 if paid else 201) not in racing.answers, "nobody was told wrong"
        changes = await shop.db.fetchval(
            "SELECT count(*) FROM order_events "
            "WHERE order_id = $1 AND kind = 'payment' AND from_state = 'pending'",
            order.id,
        )
        assert changes == 1
        return order

    return race


@pytest.mark.slow
class TestRace:
    @pytest.mark.parametrize("first", STEPS)
    @pytest.mark.parametrize("fate", FATES)
    async def test_ends_the_same_in_every_order(self, run, shop, fate, first):
        rest = [step for step in STEPS if step != first]

        for order in permutations(rest):
            await run(fate, (first, *order))

        assert await inventory.drift(shop.db) == []


@pytest.mark.slow
class TestRaceWithTheBuyersBank:
    """The answer only says that the buyer has to approve; the outcome comes later."""

    @pytest.mark.parametrize("first", range(len(ACTION_STEPS)))
    @pytest.mark.parametrize("heard", ["answer", "crash"])
    @pytest.mark.parametrize("decides", ["captured", "declined"])
    async def test_ends_the_same_in_every_order(self, run, shop, decides, heard, first):
        """Of a process that died before the answer nobody hears it."""
        steps = [heard if step == "answer" else step for step in ACTION_STEPS]
        begins = steps.pop(first)

        for order in permutations(steps):
            await run(f"action {decides}", (begins, *order))

        assert await inventory.drift(shop.db) == []

    async def test_a_buyer_who_never_comes_back_pays_nothing(self, run):
        order = await run("action captured", ("answer", "action", "timer"))

        assert order.status is OrderStatus.FAILED
        assert order.failure_reason == "canceled"

    async def test_a_buyer_who_takes_their_time_is_let_do_so(self, run):
        order = await run("action captured", ("answer", "timer", "timer", "outcome"))

        assert order.status is OrderStatus.CONFIRMED
