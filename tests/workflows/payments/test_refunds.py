"""Money goes back once, never more than came, whatever fails in between."""

import asyncio
from dataclasses import replace

import pytest

from holdfast.domain import payments
from holdfast.domain.ordering import PaymentStatus
from holdfast.domain.payments import (
    PaymentOutcomeUnknown,
    PaymentUnavailable,
    Progress,
    RefundExceedsCaptured,
    RefundNotFailed,
    RefundPending,
    RefundSucceeded,
)
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.platform import outbox
from holdfast.workflows import giving_back, refunds


@pytest.fixture
def told(shop, clock):
    """The events of refunds since the last look."""

    async def take():
        async with shop.db.transaction() as tx:
            events = await outbox.take_waiting(tx, 100, at=clock())
        return [e.type for e in events if e.type.startswith("payments.")]

    return take


@pytest.fixture
def due(shop, clock):
    """What the timer does once the waits are over."""

    async def run(**wait):
        clock.advance(**(wait or {"minutes": 6}))
        return await refunds.carry_out_due(shop.db, shop.payments, clock=clock)

    return run


class TestRefund:
    async def test_goes_back_once_and_both_books_say_so(
        self, an_order, promise, carry_out, now_is, money_of, told
    ):
        order = await an_order()
        await told()

        refund_id = await promise(order, 500)
        first = await carry_out(refund_id)
        again = await carry_out(refund_id)

        assert first.status is Progress.SUCCEEDED
        assert first.reference.startswith("re_")
        assert again == first
        assert await money_of(order) == ((1998, 500), (1998, 500))
        assert (await now_is(order)).payment_status is PaymentStatus.PARTIALLY_REFUNDED
        assert await told() == [refunds.REQUESTED, refunds.SUCCEEDED]

    async def test_of_everything_in_parts_leaves_the_order_refunded(
        self, an_order, give_back, now_is, money_of
    ):
        order = await an_order()

        for amount in (1000, 998):
            await give_back(order, amount)

        assert await money_of(order) == ((1998, 1998), (1998, 1998))
        assert (await now_is(order)).payment_status is PaymentStatus.REFUNDED

    async def test_is_never_more_than_was_captured(self, an_order, promise, give_back):
        order = await an_order()
        await give_back(order, 1500)

        with pytest.raises(RefundExceedsCaptured) as refused:
            await promise(order, 499)

        assert refused.value.refundable == Money(498, "EUR")
        await give_back(order, 498)

    async def test_promises_count_before_they_are_carried_out(self, an_order, promise):
        order = await an_order()
        await promise(order, 1998)

        with pytest.raises(RefundExceedsCaptured):
            await promise(order, 1)

    async def test_many_at_once_promise_no_more_than_there_is(
        self, an_order, promise, carry_out, money_of
    ):
        order = await an_order()

        async def one():
            try:
                return await promise(order, 500)
            except RefundExceedsCaptured:
                return None

        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(one()) for _ in range(10)]
        granted = [task.result() for task in asked if task.result()]
        for refund_id in granted:
            await carry_out(refund_id)

        assert len(granted) == 3
        assert await money_of(order) == ((1998, 1500), (1998, 1500))

    async def test_of_an_order_that_failed_is_refused(self, an_order, promise):
        order = await an_order("pm_card_declined")

        with pytest.raises(RefundExceedsCaptured) as refused:
            await promise(order, 1)

        assert refused.value.refundable == Money(0, "EUR")

    async def test_carried_out_by_many_at_once_it_goes_back_once(
        self, an_order, promise, carry_out, money_of, control, told
    ):
        order = await an_order()
        refund_id = await promise(order, 700)
        await told()

        async with asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(carry_out(refund_id))

        assert await money_of(order) == ((1998, 700), (1998, 700))
        assert len(control.refunds()) == 1
        assert await told() == [refunds.SUCCEEDED]

    @pytest.mark.parametrize("fail", ["hang_after", "error_after", "garbage_after"])
    async def test_whose_answer_was_lost_is_found_by_its_key(
        self, an_order, promise, carry_out, due, money_of, payment_provider, fail
    ):
        order = await an_order()
        refund_id = await promise(order, 500)
        payment_provider.misbehave(fail=fail, on=["refund"])

        assert (await carry_out(refund_id)).status is Progress.PENDING
        payment_provider.misbehave(fail="none")

        assert await due() == 1
        assert await money_of(order) == ((1998, 500), (1998, 500))

    @pytest.mark.parametrize("fail", ["error", "reset", "rate_limited"])
    async def test_that_never_arrived_is_asked_for_again(
        self, an_order, promise, carry_out, due, money_of, payment_provider, fail
    ):
        order = await an_order()
        refund_id = await promise(order, 500)
        payment_provider.misbehave(fail=fail, on=["refund"])
        await carry_out(refund_id)
        payment_provider.misbehave(fail="none")

        assert await due() == 1
        assert await money_of(order) == ((1998, 500), (1998, 500))

    async def test_is_found_by_the_timer_when_nobody_carried_it_out(
        self, an_order, promise, due, money_of
    ):
        """The process died right after the commit."""
        order = await an_order()
        await promise(order, 500)

        assert await due(seconds=9) == 0
        assert await due(seconds=2) == 1
        assert await money_of(order) == ((1998, 500), (1998, 500))

    async def test_of_what_was_paid_outside_needs_no_provider(
        self, shop, an_order, promise, carry_out, now_is, control
    ):
        order = await an_order()
        async with shop.db.transaction() as tx:
            await tx.execute(
                "UPDATE orders SET paid_outside = true WHERE id = $1", order.id
            )

        refund = await carry_out(await promise(order, 500))

        assert (refund.status, refund.reference) == (Progress.SUCCEEDED, "external")
        assert (await now_is(order)).refunded_amount == 500
        assert control.refunds() == []


class TestPendingRefund:
    @pytest.mark.parametrize(
        ("method", "ends", "status"),
        [
            ("pm_refund_pending", "succeed", Progress.SUCCEEDED),
            ("pm_refund_pending_fails", "fail", Progress.FAILED),
        ],
    )
    async def test_is_asked_about_until_it_has_ended(
        self, shop, an_order, give_back, due, control, method, ends, status
    ):
        order = await an_order(method)
        refund = await give_back(order, 500)
        assert refund.status is Progress.PENDING
        assert await due() == 0

        control.end_refund(refund.id, ends)

        assert await due() == 1
        assert (await payments.find_refund(shop.db, refund.id)).status is status

    async def test_that_never_arrived_is_given_up_for_good(
        self, shop, an_order, promise, due, control, payment_provider, now_is
    ):
        """After hours of silence: under its key no money can go back any more."""
        order = await an_order()
        refund_id = await promise(order, 500)
        async with shop.db.transaction() as tx:
            await tx.execute("UPDATE refunds SET tries = 50 WHERE id = $1", refund_id)

        assert await due() == 1

        refund = await payments.find_refund(shop.db, refund_id)
        assert (refund.status, refund.failure_reason) == (Progress.FAILED, "canceled")
        assert [one["status"] for one in control.refunds()] == ["canceled"]
        assert (await now_is(order)).refunding_amount == 0


class TestFailedRefund:
    async def test_frees_what_it_had_promised(
        self, an_order, give_back, promise, now_is, told
    ):
        order = await an_order("pm_refund_fails")
        await told()

        refund = await give_back(order, 1998)

        assert refund.status is Progress.FAILED
        assert refund.failure_reason
        assert await told() == [refunds.REQUESTED, refunds.FAILED]
        after = await now_is(order)
        assert (after.refunding_amount, after.refunded_amount) == (0, 0)
        assert after.payment_status is PaymentStatus.CAPTURED
        await promise(order, 1998)

    async def test_is_tried_again_once_under_another_key(
        self, shop, an_order, give_back, clock
    ):
        order = await an_order("pm_refund_fails")
        failed = await give_back(order, 500)
        again = {"db": shop.db, "vault": shop.vault, "actor": "key:2", "clock": clock}

        retried = await refunds.retry(failed.id, **again)

        found = await payments.find_refund(shop.db, retried)
        assert (found.retry_of, found.amount) == (failed.id, failed.amount)
        assert found.requested_by == "key:2"
        with pytest.raises(RefundNotFailed) as refused:
            await refunds.retry(failed.id, **again)
        assert refused.value.refund_status == "retried"

    async def test_one_that_succeeded_or_is_under_way_is_not_tried_again(
        self, shop, an_order, give_back, promise, clock
    ):
        order = await an_order()
        done, waiting = (await give_back(order, 500)).id, await promise(order, 500)

        for refund_id, status in ((done, "succeeded"), (waiting, "pending")):
            with pytest.raises(RefundNotFailed) as refused:
                await refunds.retry(
                    refund_id, db=shop.db, vault=shop.vault, actor="x", clock=clock
                )
            assert refused.value.refund_status == status


class TestSettle:
    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (RefundSucceeded("re_1"), RefundSucceeded("re_1")),
            (RefundSucceeded("re_1"), RefundPending("re_1")),
            (RefundPending("re_1"), RefundPending("re_1")),
        ],
        ids=["twice", "late", "pending twice"],
    )
    async def test_a_copy_or_a_late_word_changes_nothing(
        self, shop, an_order, promise, clock, first, second
    ):
        order = await an_order()
        refund = await payments.find_refund(shop.db, await promise(order, 500))

        for outcome in (first, second):
            async with shop.db.transaction() as tx:
                await refunds.settle(tx, refund, outcome, actor="provider", clock=clock)

        after = await payments.find_refund(shop.db, refund.id)
        succeeded = isinstance(first, RefundSucceeded)
        assert after.status is (Progress.SUCCEEDED if succeeded else Progress.PENDING)
        assert after.reference == "re_1"


class Says:
    """A provider that gives each refund the answer it was told to give."""

    def __init__(self, by_key):
        self.by_key = by_key
        self.asked = []

    async def refund(self, *, key, charge_key, amount, reason):
        self.asked.append(key)
        answer = self.by_key[key]
        if isinstance(answer, Exception):
            raise answer
        return answer


class TestCarryOutDue:
    async def test_one_that_cannot_be_carried_out_keeps_no_other_waiting(
        self, shop, an_order, promise, clock
    ):
        answers = {}
        for answer in (
            *(PaymentOutcomeUnknown(), PaymentUnavailable(), RuntimeError("odd")),
            RefundSucceeded("re_1"),
        ):
            order = await an_order()
            answers[str(await promise(order, 10))] = answer
        provider = Says(answers)
        clock.advance(minutes=1)

        ended = await refunds.carry_out_due(shop.db, provider, clock=clock, limit=2)

        assert ended == 1
        assert sorted(provider.asked) == sorted(answers)

    async def test_waits_longer_after_each_try(self, shop, an_order, promise, clock):
        order = await an_order()
        refund_id = await promise(order, 10)
        provider = Says({str(refund_id): PaymentOutcomeUnknown()})
        waits = []
        for _ in range(8):
            waited = 0
            asked = len(provider.asked)
            while len(provider.asked) == asked:
                clock.advance(seconds=5)
                waited += 5
                await refunds.carry_out_due(shop.db, provider, clock=clock)
            waits.append(waited)

        assert waits == [10, 10, 20, 40, 80, 160, 300, 300]


class TestReleaseMoney:
    async def test_of_nothing_is_nothing(self, shop, an_order, clock):
        order = await an_order()

        async with shop.db.transaction() as tx:
            released = await giving_back.release_money(
                *(tx, order, Money(0, "EUR")),
                reason="canceled",
                actor="key:1",
                clock=clock,
            )

        assert released is None

    async def test_of_an_order_that_is_not_there_is_nothing(
        self, shop, an_order, clock
    ):
        order = replace(await an_order(), id=new_id())

        async with shop.db.transaction() as tx:
            released = await giving_back.release_money(
                *(tx, order, Money(5, "EUR")),
                reason="canceled",
                actor="key:1",
                clock=clock,
            )

        assert released is None
