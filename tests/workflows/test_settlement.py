"""A pending order ends once, by whoever learns the outcome first."""

import asyncio

import pytest

from holdfast.domain import ordering, payments
from holdfast.domain.ordering import OrderStatus
from holdfast.domain.payments import Captured, Declined, PaymentOutcomeUnknown
from holdfast.kernel.money import Money
from holdfast.workflows.settlement import (
    lease_of_checkout,
    overdue_after,
    settle,
    settle_by_asking,
    settle_overdue,
)


@pytest.fixture
def a_pending_order(a_basket, check_out, shop):
    """An order whose checkout died before it asked the provider."""

    class Dies:
        async def charge(self, **wanted):
            raise asyncio.CancelledError

    async def place(**units):
        basket = await a_basket(**(units or {"TEA": 1}))
        with pytest.raises(asyncio.CancelledError):
            await check_out(basket, payments=Dies())
        (newest, *_) = (
            await ordering.latest(shop.db, shop.vault, after=None, limit=1)
        ).items
        return newest

    return place


class Asked:
    """A provider that gives each order the outcome it was told to give."""

    def __init__(self):
        self.outcomes = {}
        self.keys = []

    async def settle(self, *, key, amount, give_up=False):
        self.keys.append(key)
        outcome = self.outcomes.get(key, Captured("ch_1"))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def take_up(shop, clock, asked):
    """What the timer does a minute later, with that provider."""

    async def run(*, limit=100):
        clock.advance(minutes=1)
        return await settle_overdue(
            shop.db, shop.vault, asked, clock=clock, after=overdue_after(8), limit=limit
        )

    return run


class TestSettle:
    @pytest.mark.parametrize("first", [Captured("ch_1"), Declined("late")])
    @pytest.mark.parametrize("second", [Captured("ch_2"), Declined("later")])
    async def test_the_first_outcome_stands(
        self, shop, a_pending_order, clock, level, first, second
    ):
        order = await a_pending_order(TEA=3)

        async with shop.db.transaction() as tx:
            ended = await settle(tx, shop.vault, order, first, clock=clock)
        async with shop.db.transaction() as tx:
            again = await settle(tx, shop.vault, order, second, clock=clock)

        assert again == ended == await ordering.find(shop.db, shop.vault, order.id)
        paid = isinstance(first, Captured)
        assert await level("TEA") == ((10, 3) if paid else (10, 0))
        assert await shop.db.fetchval("SELECT count(*) FROM outbox") == 1

    async def test_ten_at_once_settle_it_once(
        self, shop, a_pending_order, clock, level
    ):
        order = await a_pending_order(TEA=3)

        async def one(outcome):
            async with shop.db.transaction() as tx:
                return await settle(tx, shop.vault, order, outcome, clock=clock)

        async with asyncio.TaskGroup() as group:
            ends = [
                group.create_task(one(outcome))
                for outcome in [Captured("ch_1"), Declined("no")] * 5
            ]

        assert len({end.result().status for end in ends}) == 1
        paid = ends[0].result().status is OrderStatus.CONFIRMED
        assert await level("TEA") == (10, 3 if paid else 0)
        assert await shop.db.fetchval("SELECT count(*) FROM outbox") == 1


class TestSettleByAsking:
    async def test_a_settled_order_is_not_asked_about(
        self, shop, a_pending_order, asked, clock
    ):
        order = await a_pending_order()
        await settle_by_asking(
            order.id, db=shop.db, vault=shop.vault, provider=asked, clock=clock
        )

        again = await settle_by_asking(
            order.id, db=shop.db, vault=shop.vault, provider=asked, clock=clock
        )

        assert again.status is OrderStatus.CONFIRMED
        assert asked.keys == [str(order.id)]

    async def test_an_order_of_nothing_is_paid_though_nobody_charged_it(
        self, shop, a_basket, check_out, let_the_timer_settle, books
    ):
        basket = await a_basket(GIFT=1, price=Money(0, "EUR"))

        class Dies:
            async def charge(self, **wanted):
                raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await check_out(basket, payments=Dies())

        await let_the_timer_settle()

        (order,) = (
            await ordering.latest(shop.db, shop.vault, after=None, limit=9)
        ).items
        assert order.status is OrderStatus.CONFIRMED
        assert order.payment_reference == payments.NOTHING_DUE.reference


class TestOverdueAfter:
    def test_leaves_a_request_the_time_it_may_take(self):
        assert overdue_after(8).total_seconds() == 15
        assert overdue_after(60).total_seconds() > 60


class TestLeaseOfCheckout:
    @pytest.mark.parametrize("timeout", [0.05, 8, 60, 600])
    def test_outlives_the_request_and_the_timers_patience(self, timeout):
        assert lease_of_checkout(timeout) > overdue_after(timeout)

    def test_is_half_a_minute_as_a_rule(self):
        assert lease_of_checkout(8).total_seconds() == 30


class TestSettleOverdue:
    async def test_leaves_young_orders_to_their_request(
        self, shop, a_pending_order, asked, clock
    ):
        await a_pending_order()
        clock.advance(seconds=14)

        settled = await settle_overdue(
            shop.db, shop.vault, asked, clock=clock, after=overdue_after(8)
        )

        assert (settled, asked.keys) == (0, [])

    async def test_an_order_that_cannot_be_settled_keeps_no_other_waiting(
        self, shop, a_pending_order, asked, take_up, clock
    ):
        """More stuck orders than are read at a time, and faults nobody foresaw."""
        stuck = []
        for error in (PaymentOutcomeUnknown(), RuntimeError("odd"), OSError()):
            order = await a_pending_order()
            asked.outcomes[str(order.id)] = error
            stuck.append(order.id)
            clock.advance(seconds=1)
        good = await a_pending_order()

        assert await take_up(limit=2) == 1

        pending = await ordering.latest(
            shop.db, shop.vault, after=None, limit=9, status=OrderStatus.PENDING
        )
        assert sorted(order.id for order in pending.items) == sorted(stuck)
        assert (
            await ordering.find(shop.db, shop.vault, good.id)
        ).status is OrderStatus.CONFIRMED
        assert len(asked.keys) == 4

    async def test_two_workers_at_once_settle_each_order_once(
        self, shop, a_pending_order, asked, clock, level
    ):
        for _ in range(5):
            await a_pending_order()
        clock.advance(minutes=1)

        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(
                    settle_overdue(
                        shop.db, shop.vault, asked, clock=clock, after=overdue_after(8)
                    )
                )

        assert await level("TEA") == (10, 5)
        assert await shop.db.fetchval("SELECT count(*) FROM outbox") == 5
