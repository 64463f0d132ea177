"""Payments that nobody finished are finished by the clock."""

import pytest
from structlog.testing import capture_logs

from holdfast.domain import notifications, payments
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.platform.jobs import Job
from holdfast.worker.handlers import TASKS, TASKS_BY_EVENT, Reach
from holdfast.worker.metrics import Metrics
from holdfast.worker.payment_timers import payment_timers
from holdfast.workflows import capture, refunds


@pytest.fixture
def reach(shop):
    return Reach(shop.db, shop.vault, None, shop.clock, payments=shop.payments)


@pytest.fixture
def turn(reach):
    """Run one timer."""
    metrics = Metrics()

    async def run(name, reach=reach):
        by_name = {timer.name: timer for timer in payment_timers(reach, metrics)}
        await by_name[name].run()
        return metrics

    return run


@pytest.fixture
async def charged(shop, buy):
    """A confirmed order of 24.88 EUR that the provider has charged."""
    bought = await buy()
    await shop.payments.charge(
        key=str(bought.order.id),
        amount=bought.order.total,
        method="pm_card_ok",
        reference="HF-1",
    )
    return bought.order


@pytest.fixture
async def promised_back(shop, charged, clock):
    """A refund of 5 EUR that nobody carried out."""
    async with shop.db.transaction() as tx:
        return await refunds.request(
            *(tx, charged, Money(500, "EUR")),
            reason="damaged",
            actor="key:1",
            clock=clock,
        )


@pytest.fixture
async def set_aside(shop, buy, clock):
    """An order whose money was set aside and is to be taken; its id."""
    order = (await buy()).order
    await shop.payments.charge(
        key=str(order.id),
        amount=order.total,
        method="pm_card_ok",
        reference="HF-1",
        capture=False,
    )
    async with shop.db.transaction() as tx:
        await tx.execute(
            "UPDATE orders SET payment_status = 'authorized', captured_amount = 0 "
            "WHERE id = $1",
            order.id,
        )
        owed = await payments.lock_money(tx, order.id)
        await capture.request_capture(tx, owed, actor="key:1", clock=clock)
    return order.id


def job(task, **payload):
    return Job(task, new_id(), "event", {k: str(v) for k, v in payload.items()})


class TestTimers:
    async def test_finish_refunds(self, shop, turn, promised_back, clock):
        clock.advance(minutes=1)

        await turn("finish_refunds")

        refund = await payments.find_refund(shop.db, promised_back)
        assert refund.status is payments.Progress.SUCCEEDED

    async def test_finish_charges(self, shop, turn, set_aside, clock):
        clock.advance(minutes=1)

        await turn("finish_charges")

        closing = await payments.find_closing(shop.db, set_aside)
        assert closing.status is payments.Progress.SUCCEEDED

    async def test_reconcile_and_count_what_is_left(
        self, shop, turn, promised_back, payment_provider
    ):
        async with shop.db.transaction() as tx:
            await payments.note_discrepancy(
                *(tx, "unknown_charge", "x"), order_id=None, detail={}, at=shop.clock()
            )

        metrics = await turn("measure_payments")
        assert metrics.payment_discrepancies._value.get() == 1
        await turn("reconcile_payments")

        await turn("measure_payments")
        assert metrics.payment_discrepancies._value.get() == 0

    async def test_a_provider_that_is_away_is_said_once_and_borne(
        self, turn, payment_provider
    ):
        payment_provider.misbehave(fail="error", on=["lookup"])

        with capture_logs() as logs:
            await turn("reconcile_payments")

        assert "payments_not_reconciled" in [line["event"] for line in logs]

    async def test_forget_what_is_too_old(self, shop, turn, clock):
        async with shop.db.transaction() as tx:
            await payments.note_event(tx, "evt_1", "charge.captured", at=clock())
        clock.advance(days=59)
        await turn("forget_payment_events")
        assert await shop.db.fetchval("SELECT count(*) FROM provider_events") == 1

        clock.advance(days=2)
        await turn("forget_payment_events")

        assert await shop.db.fetchval("SELECT count(*) FROM provider_events") == 0

    async def test_without_a_provider_only_the_rest_is_done(self, shop):
        bare = Reach(shop.db, shop.vault, None, shop.clock)

        names = {timer.name for timer in payment_timers(bare, Metrics())}

        assert names == {"forget_payment_events", "measure_payments"}


class TestTasks:
    async def test_a_refund_that_was_asked_for_is_carried_out(
        self, shop, reach, promised_back
    ):
        (task,) = TASKS_BY_EVENT[refunds.REQUESTED]

        await TASKS[task](job(task, refund_id=promised_back), reach)

        refund = await payments.find_refund(shop.db, promised_back)
        assert refund.status is payments.Progress.SUCCEEDED

    async def test_a_buyer_is_told_of_their_refund_once(
        self, shop, reach, promised_back, charged
    ):
        task = "tell_of_refund"
        assert task in TASKS_BY_EVENT[refunds.SUCCEEDED]
        told = job(task, refund_id=promised_back)

        for _ in range(2):
            await TASKS[task](told, reach)

        (email,) = await notifications.latest(shop.db, shop.vault, limit=9)
        assert email.recipient == "ada@example.com"
        assert email.subject == f"Your refund for order {charged.label}"
        assert "We have given back 5.00 EUR for your order" in email.body

    async def test_nobody_is_told_of_a_refund_of_somebody_erased(
        self, shop, reach, promised_back, charged
    ):
        async with shop.db.transaction() as tx:
            await tx.execute(
                "UPDATE orders SET sealed = NULL, email_index = NULL WHERE id = $1",
                charged.id,
            )
        task = "tell_of_refund"
        assert task in TASKS_BY_EVENT[refunds.SUCCEEDED]

        await TASKS[task](job(task, refund_id=promised_back), reach)

        assert await notifications.latest(shop.db, shop.vault, limit=9) == []

    async def test_a_charge_that_is_to_be_closed_is_closed(
        self, shop, reach, set_aside
    ):
        (task,) = TASKS_BY_EVENT[capture.REQUESTED]

        await TASKS[task](job(task, order_id=set_aside), reach)

        closing = await payments.find_closing(shop.db, set_aside)
        assert closing.status is payments.Progress.SUCCEEDED

    @pytest.mark.parametrize("event", [refunds.REQUESTED, capture.REQUESTED])
    async def test_without_a_provider_it_is_left_to_others(self, shop, event):
        bare = Reach(shop.db, shop.vault, None, shop.clock)
        (task,) = TASKS_BY_EVENT[event]

        await TASKS[task](job(task, refund_id=new_id(), order_id=new_id()), bare)
