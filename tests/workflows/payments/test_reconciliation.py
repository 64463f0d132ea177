"""The provider's books against ours: what is certain is mended, the rest is listed."""

import asyncio
from datetime import timedelta

import pytest

from holdfast.domain import ordering, payments
from holdfast.domain.ordering import OrderStatus, PaymentStatus
from holdfast.domain.payments import PaymentOutcomeUnknown, Progress
from holdfast.kernel.ids import new_id
from holdfast.workflows import refunds
from holdfast.workflows.reconciliation import Reconciliation


@pytest.fixture
def reconcile(shop):
    """Compare everything of the last days.

    The simulator goes by the clock of the machine, so what it made is of any time.
    """

    async def run(provider=None):
        doing = Reconciliation(
            shop.db, shop.vault, provider or shop.payments, shop.clock
        )
        return await doing.run(shop.clock() - timedelta(days=30))

    return run


@pytest.fixture(autouse=True)
def _one_time(payment_provider, clock):
    """The simulator dates by our clock."""
    now = {"now": clock().isoformat(), "frozen": True}
    payment_provider.ask("PUT", "/control/clock", json=now)


@pytest.fixture
def forget(shop):
    """Make our books forget or misremember something, as a lost disk would."""

    async def run(statement, *values):
        async with shop.db.transaction() as tx:
            await tx.execute(statement, *values)

    return run


class Dies:
    async def charge(self, **_):
        raise asyncio.CancelledError


@pytest.fixture
def a_pending_order(shop, a_basket, check_out, now_is):
    """An order whose checkout died before or after the provider was asked."""

    async def place():
        basket = await a_basket(TEA=2)
        with pytest.raises(asyncio.CancelledError):
            await check_out(basket, payments=Dies())
        page = await ordering.latest(shop.db, shop.vault, after=None, limit=1)
        return page.items[0]

    return place


class TestAgreement:
    async def test_of_books_that_agree_nothing_is_said(
        self, an_order, give_back, reconcile
    ):
        paid, declined = await an_order(), await an_order("pm_card_declined")
        await give_back(paid, 500)
        assert declined.status is OrderStatus.FAILED

        report = await reconcile()

        assert (report.charges, report.refunds, report.orders) == (2, 1, 1)
        assert (report.repaired, report.new, report.open) == ({}, 0, 0)

    async def test_of_many_pages_nothing_is_missed(
        self, control, reconcile, an_order, differences
    ):
        for number in range(205):
            control.make_charge(f"foreign-{number}")
        await an_order()

        report = await reconcile()

        assert report.charges == 206
        assert len(await differences()) == 100
        assert report.open == 205

    async def test_without_an_answer_nothing_is_found_out(
        self, reconcile, payment_provider, differences, an_order
    ):
        await an_order()
        payment_provider.misbehave(fail="error", on=["lookup"])

        with pytest.raises(PaymentOutcomeUnknown):
            await reconcile()

        assert await differences() == []


class TestRepairs:
    async def test_captured_there_and_waiting_here_is_settled(
        self, a_pending_order, control, reconcile, now_is
    ):
        order = await a_pending_order()
        control.make_charge(str(order.id), amount=1998)

        report = await reconcile()

        assert report.repaired == {"settled": 1}
        assert (await now_is(order)).status is OrderStatus.CONFIRMED
        assert report.open == 0
        assert (await reconcile()).repaired == {}

    async def test_captured_for_an_order_that_failed_goes_back_once(
        self, shop, a_pending_order, control, reconcile, forget, clock
    ):
        order = await a_pending_order()
        await forget(
            "UPDATE orders SET status = 'failed', payment_status = 'failed', "
            "settled_at = placed_at WHERE id = $1",
            order.id,
        )
        control.make_charge(str(order.id), amount=1998)

        first, second = await reconcile(), await reconcile()

        assert first.repaired == {"given_back": 1}
        assert second.repaired == {}
        (back,) = await payments.refunds_of(shop.db, order.id)
        await refunds.carry_out(
            back.id, db=shop.db, provider=shop.payments, clock=clock
        )
        assert control.charge(order.id)["refunded_amount"] == 1998
        assert (await reconcile()).open == 0

    async def test_money_that_cannot_go_back_is_for_a_person(
        self, shop, a_pending_order, control, reconcile, forget, clock, differences
    ):
        order = await a_pending_order()
        await forget(
            "UPDATE orders SET status = 'failed', payment_status = 'failed', "
            "settled_at = placed_at WHERE id = $1",
            order.id,
        )
        control.make_charge(
            str(order.id), amount=1998, payment_method="pm_refund_fails"
        )
        await reconcile()
        await refunds.carry_out_due(shop.db, shop.payments, clock=clock)
        clock.advance(minutes=1)
        await refunds.carry_out_due(shop.db, shop.payments, clock=clock)

        report = await reconcile()

        assert report.open == 1
        assert await differences() == [("charged_for_nothing", str(order.id))]

    @pytest.mark.parametrize("method", ["pm_card_ok", "pm_card_3ds"])
    async def test_set_aside_for_an_order_that_failed_is_released(
        self, a_pending_order, control, reconcile, forget, method
    ):
        order = await a_pending_order()
        await forget(
            "UPDATE orders SET status = 'failed', payment_status = 'failed', "
            "settled_at = placed_at WHERE id = $1",
            order.id,
        )
        control.make_charge(
            *(str(order.id),), amount=1998, payment_method=method, capture="manual"
        )

        report = await reconcile()

        assert report.repaired == {"released": 1}
        assert control.charge(order.id)["status"] == "canceled"
        assert (await reconcile()).repaired == {}

    @pytest.mark.usefixtures("set_aside")
    async def test_captured_at_the_providers_page_is_captured_here(
        self, an_order, control, reconcile, now_is
    ):
        order = await an_order()
        control.close(order.id, "capture")

        report = await reconcile()

        assert report.repaired == {"closed": 1}
        assert (await now_is(order)).payment_status is PaymentStatus.CAPTURED

    async def test_a_refund_that_waits_is_ended_as_it_ended_there(
        self, shop, an_order, give_back, control, reconcile
    ):
        order = await an_order("pm_refund_pending")
        refund = await give_back(order, 500)
        control.end_refund(refund.id, "succeed")

        report = await reconcile()

        assert report.repaired == {"refund_settled": 1}
        ended = await payments.find_refund(shop.db, refund.id)
        assert ended.status is Progress.SUCCEEDED


class TestDifferences:
    async def test_a_charge_of_nobody_is_listed_until_it_is_gone(
        self, shop, control, reconcile, differences
    ):
        control.make_charge("by-hand")
        first, second = await reconcile(), await reconcile()
        assert (first.new, second.new, second.open) == (1, 0, 1)
        assert await differences() == [("unknown_charge", "by-hand")]

        control.make_refund("back", "by-hand", 1999)
        await reconcile()

        # The money went back, by a refund that is nobody's either.
        assert ("unknown_refund", "back") in await differences()

    async def test_what_is_gone_is_closed(
        self, shop, an_order, control, reconcile, differences, forget
    ):
        order = await an_order()
        await forget("UPDATE orders SET captured_amount = 1 WHERE id = $1", order.id)
        await reconcile()
        assert await differences() == [("amount_differs", str(order.id))]

        await forget("UPDATE orders SET captured_amount = 1998 WHERE id = $1", order.id)
        report = await reconcile()

        assert report.open == 0
        page = await payments.discrepancies(
            shop.db, after=None, limit=9, open_only=False
        )
        assert [one.resolved_at is not None for one in page.items] == [True]

    async def test_paid_here_and_unknown_there(
        self, an_order, reconcile, payment_provider, differences, forget
    ):
        order = await an_order()
        payment_provider.behave()
        assert order.payment_status is PaymentStatus.CAPTURED

        await reconcile()

        assert await differences() == [("unknown_at_provider", str(order.id))]
        await forget("UPDATE orders SET paid_outside = true WHERE id = $1", order.id)
        assert (await reconcile()).open == 0

    async def test_given_back_there_and_not_here(
        self, an_order, control, reconcile, differences
    ):
        order = await an_order()
        control.make_refund("by-hand", order.id, 300)

        await reconcile()

        assert await differences() == [
            ("refunds_differ", str(order.id)),
            ("unknown_refund", "by-hand"),
        ]

    async def test_given_back_here_and_unknown_there(
        self, an_order, give_back, reconcile, differences, forget
    ):
        order = await an_order()
        refund = await give_back(order, 500)
        other = new_id()
        await forget("UPDATE refunds SET id = $2 WHERE id = $1", refund.id, other)

        await reconcile()

        assert await differences() == sorted(
            [
                ("refund_unknown_at_provider", str(other)),
                ("unknown_refund", str(refund.id)),
            ]
        )

    async def test_older_ones_than_are_compared_are_looked_at_again(
        self, shop, control, reconcile, clock, differences
    ):
        control.make_charge("by-hand", capture="manual")
        await reconcile()
        clock.advance(days=90)
        control.close("by-hand", "void")

        report = await reconcile()

        assert report.charges == 0
        assert (report.open, await differences()) == (0, [])

    async def test_that_moved_while_it_was_looked_at_is_none(
        self, shop, an_order, reconcile, forget, give_back
    ):
        """A refund that ends between a look at their charge and a look at ours."""
        order = await an_order()
        await forget("UPDATE orders SET captured_amount = 1 WHERE id = $1", order.id)

        class Slow:
            looks = 0

            def __getattr__(self, name):
                return getattr(shop.payments, name)

            async def find_charge(self, key):
                found = await shop.payments.find_charge(key)
                self.looks += 1
                if self.looks == 1:
                    await forget(
                        "UPDATE orders SET captured_amount = 1998 WHERE id = $1",
                        order.id,
                    )
                    await give_back(order, 500)
                return found

        slow = Slow()
        report = await reconcile(slow)

        assert report.open == 0
        assert slow.looks == 2
