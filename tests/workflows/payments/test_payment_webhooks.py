"""What the provider tells becomes true once, in any order, however often."""

import asyncio
from dataclasses import replace

import pytest

from holdfast.domain import ordering, payments
from holdfast.domain.ordering import OrderStatus, PaymentStatus
from holdfast.domain.payments import (
    Charge,
    ChargeRefund,
    PaymentOutcomeUnknown,
    Progress,
    Told,
)
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.workflows.payment_webhooks import id_of, receive


@pytest.fixture
def hear(shop, clock):
    """Receive a message about something, under an id."""
    numbers = iter(range(1000))

    async def run(about, event_id=None, type_="charge.captured"):
        told = Told(event_id or f"evt_{next(numbers)}", type_, about)
        return await receive(told, db=shop.db, vault=shop.vault, clock=clock)

    return run


class Silent:
    """A provider that answers nothing; the order stays pending."""

    async def charge(self, **_):
        raise PaymentOutcomeUnknown


@pytest.fixture
async def pending(a_basket, check_out, shop):
    """An order whose checkout got no answer."""
    basket = await a_basket(TEA=2)
    await check_out(basket, payments=Silent())
    page = await ordering.latest(shop.db, shop.vault, after=None, limit=1)
    return page.items[0]


def charge(order, status="captured", **changes):
    known = Charge(
        reference="ch_1",
        key=str(order.id),
        status=status,
        amount=order.total,
        captured=order.total.amount if status == "captured" else 0,
        refunded=0,
    )
    return replace(known, **changes)


def refund(known, status="succeeded", **changes):
    there = ChargeRefund(
        reference="re_1",
        key=str(known.id),
        charge_key=str(known.order_id),
        status=status,
        amount=known.amount,
        failure_reason="closed" if status == "failed" else None,
    )
    return replace(there, **changes)


class TestCharges:
    @pytest.mark.parametrize(
        ("status", "ends", "paid"),
        [
            ("captured", OrderStatus.CONFIRMED, PaymentStatus.CAPTURED),
            ("authorized", OrderStatus.CONFIRMED, PaymentStatus.AUTHORIZED),
            ("declined", OrderStatus.FAILED, PaymentStatus.FAILED),
            ("canceled", OrderStatus.FAILED, PaymentStatus.FAILED),
        ],
    )
    async def test_settle_an_order_that_waits(
        self, pending, hear, now_is, level, status, ends, paid
    ):
        assert await hear(charge(pending, status)) == "done"

        after = await now_is(pending)
        assert (after.status, after.payment_status) == (ends, paid)
        assert (await level("TEA"))[1] == (2 if ends is OrderStatus.CONFIRMED else 0)

    async def test_a_copy_changes_nothing(self, pending, hear):
        assert await hear(charge(pending), "evt_x") == "done"
        assert await hear(charge(pending), "evt_x") == "nothing_new"

    async def test_a_copy_that_does_not_fit_is_written_down_once(
        self, pending, hear, differences
    ):
        odd = charge(pending, amount=Money(1, "EUR"))

        assert await hear(odd, "evt_x") == "differs"
        assert await hear(odd, "evt_x") == "duplicate"

        assert len(await differences()) == 1

    async def test_many_copies_at_once_are_one(self, pending, hear):
        async with asyncio.TaskGroup() as group:
            heard = [
                group.create_task(hear(charge(pending), "evt_x")) for _ in range(8)
            ]

        results = sorted(task.result() for task in heard)
        assert results[0] == "done"
        assert set(results[1:]) <= {"duplicate", "nothing_new"}

    async def test_a_copy_whose_effect_failed_is_taken_again(
        self, pending, hear, shop, clock, now_is
    ):
        """The id is noted in the transaction of the effect, not before."""

        class Broken:
            def __getattr__(self, name):
                raise RuntimeError("broken")

        told = Told("evt_x", "charge.captured", charge(pending))
        with pytest.raises(RuntimeError):
            await receive(told, db=shop.db, vault=Broken(), clock=clock)

        assert await hear(charge(pending), "evt_x") == "done"
        assert (await now_is(pending)).status is OrderStatus.CONFIRMED

    @pytest.mark.parametrize(
        "late", ["requires_action", "authorized", "declined", "canceled"]
    )
    async def test_a_late_word_does_not_undo_what_is_paid(
        self, pending, hear, now_is, late
    ):
        await hear(charge(pending))
        before = await now_is(pending)

        await hear(charge(pending, late, action_url="https://bank.test/1"))

        assert await now_is(pending) == before

    async def test_what_the_buyer_has_to_do_is_kept_until_it_is_done(
        self, shop, pending, hear, now_is
    ):
        waiting = charge(pending, "requires_action", action_url="https://bank.test/1")

        assert await hear(waiting) == "done"

        action = await payments.find_action(shop.db, pending.id)
        assert action.url == "https://bank.test/1"
        assert (await now_is(pending)).status is OrderStatus.PENDING
        await hear(charge(pending))
        assert await hear(waiting) == "nothing_new"

    async def test_of_no_order_is_written_down_for_a_person(
        self, pending, hear, differences
    ):
        foreign = charge(pending, key="somebody-elses")
        unknown = charge(pending, key=str(new_id()))

        assert await hear(foreign) == "differs"
        assert await hear(unknown) == "differs"
        assert await hear(foreign) == "differs"

        assert await differences() == sorted(
            ("unknown_charge", one.key) for one in (foreign, unknown)
        )

    async def test_of_another_amount_settles_nothing(
        self, pending, hear, now_is, differences
    ):
        assert await hear(charge(pending, amount=Money(1, "EUR"))) == "differs"

        assert (await now_is(pending)).status is OrderStatus.PENDING
        assert await differences() == [("amount_differs", str(pending.id))]

    async def test_captured_for_an_order_that_failed_goes_back_once(
        self, shop, pending, hear
    ):
        await hear(charge(pending, "declined"))

        assert await hear(charge(pending)) == "done"
        assert await hear(charge(pending)) == "done"

        (back,) = await payments.refunds_of(shop.db, pending.id)
        assert back.stray
        assert (back.amount, back.status) == (pending.total, Progress.PENDING)

    async def test_captured_at_the_providers_page_is_captured_here(
        self, pending, hear, now_is
    ):
        await hear(charge(pending, "authorized"))

        assert await hear(charge(pending, captured=999)) == "done"

        after = await now_is(pending)
        assert after.payment_status is PaymentStatus.CAPTURED
        assert after.captured_amount == 999

    async def test_an_authorisation_that_is_lost_is_for_a_person(
        self, pending, hear, differences
    ):
        await hear(charge(pending, "authorized"))

        assert await hear(charge(pending, "canceled")) == "differs"

        assert await differences() == [("authorization_lost", str(pending.id))]

    async def test_of_a_type_we_do_not_act_on_is_nothing(self, hear, shop):
        assert await hear(None, type_="charge.refunded") == "ignored"
        assert await shop.db.fetchval("SELECT count(*) FROM provider_events") == 0


class TestRefunds:
    @pytest.mark.parametrize("status", ["succeeded", "failed"])
    async def test_end_a_refund_that_waits(self, shop, an_order, promise, hear, status):
        order = await an_order()
        known = await payments.find_refund(shop.db, await promise(order, 500))

        assert await hear(refund(known, status)) == "done"
        assert await hear(refund(known, status)) == "nothing_new"

        ended = await payments.find_refund(shop.db, known.id)
        assert ended.status is Progress(status)

    async def test_a_late_word_does_not_undo_it(
        self, shop, an_order, give_back, hear, differences
    ):
        known = await give_back(await an_order(), 500)

        assert await hear(refund(known, "pending")) == "nothing_new"

        assert (await payments.find_refund(shop.db, known.id)) == known
        assert await differences() == []

    async def test_that_nobody_here_asked_for_are_for_a_person(
        self, an_order, give_back, hear, differences
    ):
        known = replace(await give_back(await an_order(), 500), id=new_id())

        assert await hear(refund(known)) == "differs"
        assert await hear(refund(known, key="by-hand")) == "differs"
        assert await hear(refund(known, "failed", key="by-hand-2")) == "nothing_new"

        assert await differences() == sorted(
            ("unknown_refund", key) for key in (str(known.id), "by-hand")
        )


class TestIdOf:
    @pytest.mark.parametrize(
        "key", ["", "x", "{0192f3c4-0000-7000-8000-000000000000}", "0" * 32]
    )
    def test_only_a_key_as_we_write_it_is_one_of_ours(self, key):
        assert id_of(key) is None
