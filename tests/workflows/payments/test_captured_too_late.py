"""Money that was taken past the shop, for what its buyer does not keep, goes back.

Somebody captures it at the provider's own page: before the shop cancels or edits,
between that and the release, after it. Whoever learns of it first, the message, the
timer, the reconciliation, or all of them, the buyer ends with what they are owed.
"""

from datetime import timedelta
from itertools import permutations

import pytest

from holdfast.domain import ordering, payments
from holdfast.domain.ordering import OrderStatus, PaymentStatus
from holdfast.domain.payments import Progress, Told
from holdfast.kernel.money import Money
from holdfast.workflows import capture, giving_back, refunds
from holdfast.workflows.payment_webhooks import receive
from holdfast.workflows.reconciliation import Reconciliation

pytestmark = pytest.mark.usefixtures("set_aside")


@pytest.fixture(autouse=True)
def _one_time(payment_provider, clock):
    """The simulator dates by our clock."""
    now = {"now": clock().isoformat(), "frozen": True}
    payment_provider.ask("PUT", "/control/clock", json=now)


@pytest.fixture
def reconcile(shop):
    async def run():
        doing = Reconciliation(shop.db, shop.vault, shop.payments, shop.clock)
        return await doing.run(shop.clock() - timedelta(days=30))

    return run


@pytest.fixture
def withdraw(shop, cancel, clock):
    """Cancel units of an order and release what they cost, as one request does."""

    async def run(order, quantities):
        before = await ordering.find(shop.db, shop.vault, order.id)
        await cancel(order, quantities)
        async with shop.db.transaction() as tx:
            return await giving_back.give_back(
                *(tx, shop.vault, before),
                await ordering.find(tx, shop.vault, order.id),
                reason="canceled",
                actor="key:1",
                clock=clock,
            )

    return run


@pytest.fixture
def learn(shop, reconcile, clock):
    """Three ways to learn what the provider has, by their names."""
    numbers = iter(range(1000))

    async def message(order):
        theirs = await shop.payments.find_charge(str(order.id))
        told = Told(f"evt_{next(numbers)}", "charge.captured", theirs)
        await receive(told, db=shop.db, vault=shop.vault, clock=clock)

    async def timer(_order):
        clock.advance(minutes=6)
        await capture.close_due(shop.db, shop.payments, clock=clock)

    async def reconciliation(_order):
        await reconcile()

    ways = {"message": message, "timer": timer, "reconciliation": reconciliation}

    async def run(order, way):
        await ways[way](order)

    return run


@pytest.fixture
def refund_all(shop, clock):
    """The worker carries out what was promised."""

    async def run():
        clock.advance(minutes=6)
        await refunds.carry_out_due(shop.db, shop.payments, clock=clock)

    return run


WAYS = ("message", "timer", "reconciliation")
ORDERS = [*permutations(WAYS)]


class TestCanceled:
    @pytest.mark.parametrize("ways", ORDERS, ids="-".join)
    async def test_then_captured_all_goes_back_once(
        self, shop, an_order, withdraw, whole, control, learn, refund_all, money_of,
        differences, now_is, ways,
    ):  # fmt: skip
        order = await an_order()
        await withdraw(order, whole(order))
        control.close(order.id, "capture")

        for way in (*ways, *ways):
            await learn(order, way)
        await refund_all()
        for way in ways:
            await learn(order, way)

        assert await money_of(order) == ((1998, 1998), (1998, 1998))
        assert len(await payments.refunds_of(shop.db, order.id)) == 1
        assert (await now_is(order)).payment_status is PaymentStatus.REFUNDED
        assert await differences() == []

    @pytest.mark.parametrize("way", WAYS)
    async def test_after_it_was_captured_all_goes_back(
        self, an_order, withdraw, whole, control, learn, refund_all, money_of, way
    ):
        """The shop has not heard of the capture when it cancels."""
        order = await an_order()
        control.close(order.id, "capture")
        await withdraw(order, whole(order))

        await learn(order, way)
        await refund_all()

        assert await money_of(order) == ((1998, 1998), (1998, 1998))

    async def test_after_the_shop_heard_of_it_goes_back_with_the_cancellation(
        self, shop, an_order, withdraw, whole, control, learn, refund_all, money_of
    ):
        order = await an_order()
        control.close(order.id, "capture")
        await learn(order, "message")
        assert len(await withdraw(order, whole(order))) == 1

        await learn(order, "message")
        await refund_all()
        await learn(order, "reconciliation")

        assert await money_of(order) == ((1998, 1998), (1998, 1998))
        assert len(await payments.refunds_of(shop.db, order.id)) == 1

    async def test_whose_money_was_kept_before_is_given_back_by_the_reconciliation(
        self, shop, an_order, cancel, whole, control, reconcile, refund_all, money_of,
        clock,
    ):  # fmt: skip
        """Canceled and captured, and nothing promised: as it was once left."""
        order = await an_order()
        control.close(order.id, "capture")
        await cancel(order, whole(order))
        async with shop.db.transaction() as tx:
            await ordering.mark_captured(
                tx, order.id, amount=order.total, actor="provider", at=clock()
            )

        first, second = await reconcile(), await reconcile()
        await refund_all()

        assert (first.repaired, second.repaired) == ({"given_back": 1}, {})
        assert await money_of(order) == ((1998, 1998), (1998, 1998))

    async def test_whose_refund_fails_is_for_a_person_until_it_was_given_back(
        self, shop, an_order, withdraw, whole, control, learn, refund_all, differences,
        reconcile, clock,
    ):  # fmt: skip
        order = await an_order("pm_refund_fails")
        await withdraw(order, whole(order))
        control.close(order.id, "capture")
        await learn(order, "timer")
        await refund_all()
        (failed,) = await payments.refunds_of(shop.db, order.id)
        assert failed.status is Progress.FAILED

        report = await reconcile()
        await learn(order, "message")

        assert report.repaired == {}
        assert await differences() == [("charged_for_nothing", str(order.id))]
        assert len(await payments.refunds_of(shop.db, order.id)) == 1
        await refunds.retry(
            failed.id, db=shop.db, vault=shop.vault, actor="key:1", clock=clock
        )
        assert (await reconcile()).open == 0

    async def test_given_back_at_the_providers_page_too_is_not_given_back_twice(
        self, shop, an_order, withdraw, whole, control, learn, differences
    ):
        order = await an_order()
        await withdraw(order, whole(order))
        control.close(order.id, "capture")
        control.make_refund("by-hand", order.id, 1998)

        for way in WAYS:
            await learn(order, way)

        assert await payments.refunds_of(shop.db, order.id) == []
        assert await differences() == [
            ("refunds_differ", str(order.id)),
            ("unknown_refund", "by-hand"),
        ]


class TestEdited:
    @pytest.mark.parametrize("ways", ORDERS, ids="-".join)
    async def test_and_captured_whole_what_is_too_much_goes_back_once(
        self, shop, an_order, withdraw, control, learn, refund_all, money_of,
        differences, now_is, ways,
    ):  # fmt: skip
        order = await an_order()
        await withdraw(order, {1: 1})
        control.close(order.id, "capture")

        for way in (*ways, *ways):
            await learn(order, way)
        # The timer has nothing to close: nothing was shipped or canceled as a whole.
        await refund_all()
        await learn(order, "reconciliation")

        assert await money_of(order) == ((1998, 999), (1998, 999))
        (back,) = await payments.refunds_of(shop.db, order.id)
        assert (back.amount, back.reason) == (Money(999, "EUR"), refunds.SURPLUS)
        assert (await now_is(order)).status is OrderStatus.CONFIRMED
        assert await differences() == []

    async def test_whose_refund_fails_is_for_a_person(
        self, shop, an_order, withdraw, control, learn, refund_all, differences
    ):
        order = await an_order("pm_refund_fails")
        await withdraw(order, {1: 1})
        control.close(order.id, "capture")
        await learn(order, "message")
        await refund_all()

        await learn(order, "reconciliation")

        assert await differences() == [("kept_too_much", str(order.id))]

    async def test_and_captured_in_part_is_for_a_person(
        self, shop, an_order, payment_provider, learn, differences, money_of
    ):
        order = await an_order()
        payment_provider.ask(
            *("POST", f"/v1/charges/by-key/{order.id}/capture"), json={"amount": 500}
        )

        await learn(order, "message")
        await learn(order, "reconciliation")

        assert await money_of(order) == ((500, 0), (500, 0))
        assert await differences() == [("captured_too_little", str(order.id))]
