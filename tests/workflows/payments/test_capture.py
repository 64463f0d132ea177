"""Money that was set aside is taken once, or released, and never both."""

import asyncio

import pytest

from holdfast.domain import ordering, payments
from holdfast.domain.ordering import OrderStatus, PaymentStatus
from holdfast.domain.payments import (
    CaptureUnderWay,
    ClosingKind,
    PaymentNotAuthorized,
    Progress,
)
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.platform import outbox
from holdfast.workflows import capture, giving_back, refunds

pytestmark = pytest.mark.usefixtures("set_aside")


@pytest.fixture
def take(shop, clock):
    """Take the money of an order, as after its shipment."""

    async def run(order):
        return await capture.capture(
            *(order.id,),
            db=shop.db,
            provider=shop.payments,
            clock=clock,
            actor="key:1",
        )

    return run


@pytest.fixture
def release(shop, clock):
    """Release the money of an order, as in the transaction that canceled it."""

    async def run(order, amount=None):
        async with shop.db.transaction() as tx:
            return await giving_back.release_money(
                *(tx, order, amount or order.total),
                reason="canceled",
                actor="key:1",
                clock=clock,
            )

    return run


@pytest.fixture
def due(shop, clock):
    async def run(**wait):
        clock.advance(**(wait or {"minutes": 6}))
        return await capture.close_due(shop.db, shop.payments, clock=clock)

    return run


class TestCheckout:
    async def test_sets_the_money_aside_and_confirms_the_order(
        self, an_order, control, level
    ):
        order = await an_order()

        assert order.status is OrderStatus.CONFIRMED
        assert order.payment_status is PaymentStatus.AUTHORIZED
        assert order.captured_amount == 0
        assert control.charge(order.id)["status"] == "authorized"
        assert await level("TEA") == (10, 2)

    async def test_of_nothing_has_nothing_to_set_aside(self, an_order, a_basket):
        await a_basket(GIFT=1, price=Money(0, "EUR"))

        order = await an_order(GIFT=1)

        assert order.payment_status is PaymentStatus.CAPTURED


class TestCapture:
    async def test_takes_what_was_set_aside(self, an_order, take, money_of, now_is):
        order = await an_order()

        closing = await take(order)

        assert closing.status is Progress.SUCCEEDED
        assert await money_of(order) == ((1998, 0), (1998, 0))
        assert (await now_is(order)).payment_status is PaymentStatus.CAPTURED

    async def test_again_and_at_once_it_is_taken_once(
        self, shop, an_order, take, money_of, clock
    ):
        order = await an_order()

        async with asyncio.TaskGroup() as group:
            for _ in range(6):
                group.create_task(take(order))
        await take(order)

        assert await money_of(order) == ((1998, 0), (1998, 0))
        async with shop.db.transaction() as tx:
            events = await outbox.take_waiting(tx, 100, at=clock())
        assert [e.type for e in events].count(capture.CAPTURED) == 1

    async def test_takes_only_what_the_buyer_keeps(
        self, an_order, take, cancel, money_of, now_is, release
    ):
        order = await an_order()
        await cancel(order, {1: 1})
        assert await release(order, Money(999, "EUR")) is None

        await take(order)

        assert await money_of(order) == ((999, 0), (999, 0))
        assert ordering.value_of(await now_is(order)) == Money(999, "EUR")

    async def test_where_nothing_was_set_aside_nothing_happens(
        self, shop, an_order, take
    ):
        shop.payments._captures = True

        assert await take(await an_order()) is None

    @pytest.mark.parametrize("fail", ["hang_after", "error_after", "error", "reset"])
    async def test_that_is_not_certain_is_finished_by_the_timer(
        self, an_order, take, due, money_of, payment_provider, fail
    ):
        order = await an_order()
        payment_provider.misbehave(fail=fail, on=["capture", "lookup"])

        assert (await take(order)).status is Progress.PENDING
        payment_provider.misbehave(fail="none")

        assert await due() == 1
        assert await money_of(order) == ((1998, 0), (1998, 0))

    async def test_that_nobody_began_is_begun_by_the_timer(
        self, shop, an_order, due, money_of, clock
    ):
        """The process died between the shipment and the capture."""
        order = await an_order()
        async with shop.db.transaction() as tx:
            await ordering.mark_fulfilled(
                tx, order.id, {1: 1}, actor="key:1", at=clock()
            )

        await due(seconds=1)
        assert await due(seconds=11) == 1
        assert await money_of(order) == ((1998, 0), (1998, 0))

    async def test_of_money_that_is_gone_is_for_a_person(
        self, an_order, take, control, now_is, differences
    ):
        order = await an_order()
        control.close(order.id, "void")

        closing = await take(order)

        assert (closing.status, closing.failure_reason) == (Progress.FAILED, "canceled")
        assert (await now_is(order)).payment_status is PaymentStatus.AUTHORIZED
        assert await differences() == [("authorization_lost", str(order.id))]

    async def test_asked_for_by_an_operator_says_what_stands_in_its_way(
        self, shop, an_order, clock
    ):
        asking = {
            "db": shop.db,
            "provider": shop.payments,
            "clock": clock,
            "actor": "key:1",
        }
        with pytest.raises(ordering.OrderNotFound):
            await capture.capture_now(new_id(), **asking)
        shop.payments._captures = True
        order = await an_order()
        with pytest.raises(PaymentNotAuthorized) as refused:
            await capture.capture_now(order.id, **asking)
        assert refused.value.payment_status == "captured"


class TestVoid:
    async def test_releases_the_money_of_a_canceled_order(
        self, an_order, cancel, whole, release, due, control, now_is
    ):
        order = await an_order()
        await cancel(order, whole(order))

        assert await release(order) is None

        assert await due() == 1
        assert (await now_is(order)).payment_status is PaymentStatus.VOIDED
        assert control.charge(order.id)["status"] == "canceled"

    async def test_that_nobody_began_is_begun_by_the_timer(
        self, an_order, cancel, whole, due, now_is
    ):
        order = await an_order()
        await cancel(order, whole(order))

        await due(seconds=1)
        await due(seconds=11)

        assert (await now_is(order)).payment_status is PaymentStatus.VOIDED

    async def test_a_charge_is_never_both_captured_and_voided(
        self, shop, an_order, cancel, whole, release, clock, take, money_of
    ):
        order = await an_order()
        async with shop.db.transaction() as tx:
            owed = await payments.lock_money(tx, order.id)
            await capture.request_capture(tx, owed, actor="key:1", clock=clock)

        await cancel(order, whole(order))
        with pytest.raises(CaptureUnderWay):
            await release(order)

        await take(order)
        (back,) = await payments.refunds_of(shop.db, order.id)
        await refunds.carry_out(
            back.id, db=shop.db, provider=shop.payments, clock=clock
        )
        assert await money_of(order) == ((1998, 1998), (1998, 1998))

    async def test_that_came_too_late_gives_back_what_was_taken(
        self, shop, an_order, cancel, whole, release, due, control, now_is, money_of
    ):
        """Somebody captured it at the provider's own page."""
        order = await an_order()
        await cancel(order, whole(order))
        await release(order)
        control.close(order.id, "capture")

        await due()

        assert (await now_is(order)).payment_status is PaymentStatus.CAPTURED
        (back,) = await payments.refunds_of(shop.db, order.id)
        assert (back.amount, back.reason) == (Money(1998, "EUR"), "canceled")
        await refunds.carry_out(
            back.id, db=shop.db, provider=shop.payments, clock=shop.clock
        )
        assert await money_of(order) == ((1998, 1998), (1998, 1998))


class TestBeginClosing:
    async def test_what_was_begun_first_stands_unless_it_failed(
        self, shop, an_order, clock
    ):
        order = await an_order()

        async def begin(kind, amount):
            async with shop.db.transaction() as tx:
                return await payments.begin_closing(
                    *(tx, order.id, kind, Money(amount, "EUR")), by="x", at=clock()
                )

        async def end(kind, status, why=None):
            async with shop.db.transaction() as tx:
                return await payments.end_closing(
                    *(tx, order.id, kind, status), failure_reason=why, at=clock()
                )

        assert await begin(ClosingKind.CAPTURE, 1998)
        assert not await begin(ClosingKind.VOID, 0)
        assert not await end(ClosingKind.VOID, Progress.SUCCEEDED)
        assert await end(ClosingKind.CAPTURE, Progress.FAILED, "canceled")
        assert await begin(ClosingKind.VOID, 0)
        assert await end(ClosingKind.VOID, Progress.SUCCEEDED)
        assert not await begin(ClosingKind.CAPTURE, 1998)
        closing = await payments.find_closing(shop.db, order.id)
        assert (closing.kind, closing.status) == (ClosingKind.VOID, Progress.SUCCEEDED)


class Odd:
    async def capture(self, *, key, amount):
        raise RuntimeError("odd")


class TestCloseDue:
    async def test_one_that_cannot_be_closed_keeps_no_other_waiting(
        self, shop, an_order, clock, due, money_of
    ):
        orders = [await an_order() for _ in range(3)]
        for order in orders:
            async with shop.db.transaction() as tx:
                owed = await payments.lock_money(tx, order.id)
                await capture.request_capture(tx, owed, actor="key:1", clock=clock)
        clock.advance(minutes=1)

        assert await capture.close_due(shop.db, Odd(), clock=clock, limit=2) == 0
        assert await due() == 3
        for order in orders:
            assert await money_of(order) == ((1998, 0), (1998, 0))


class TestOwed:
    async def test_is_worth_what_the_order_is_worth(
        self, shop, an_order, cancel, now_is, whole
    ):
        """Two sums of the same in two languages."""
        order = await an_order(TEA=3, MUG=2)
        for quantities in ({1: 1}, {1: 1, 2: 1}, {1: 1, 2: 1}):
            await cancel(order, quantities)
            owed = (await payments.owed(shop.db, [order.id]))[order.id]
            assert owed.worth == ordering.value_of(await now_is(order)).amount
        assert owed.worth == 0
        assert owed.status == "canceled"

    async def test_a_closing_says_what_it_is_for(self, shop, an_order, take):
        order = await an_order()
        await take(order)

        owed = (await payments.owed(shop.db, [order.id]))[order.id]

        assert (owed.closing, owed.closing_status) == (ClosingKind.CAPTURE, "succeeded")
