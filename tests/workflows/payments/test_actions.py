"""Orders whose buyer has to approve first: waited for, asked about, given up."""

from datetime import timedelta

import pytest

from holdfast.domain import payments
from holdfast.domain.ordering import OrderStatus
from holdfast.workflows.settlement import overdue_after, settle_overdue


class Counting:
    """The real provider, and how often it was asked."""

    def __init__(self, provider):
        self._provider = provider
        self.asked = 0

    async def settle(self, **wanted):
        self.asked += 1
        return await self._provider.settle(**wanted)


@pytest.fixture
def provider(shop):
    return Counting(shop.payments)


@pytest.fixture
def turn(shop, clock, provider):
    """A turn of the timer after some seconds."""

    async def run(seconds):
        clock.advance(seconds=seconds)
        return await settle_overdue(
            *(shop.db, shop.vault, provider),
            clock=clock,
            after=overdue_after(1),
            patience=timedelta(seconds=900),
        )

    return run


class TestWaiting:
    async def test_is_asked_about_every_ten_seconds_and_holds_its_stock(
        self, an_order, turn, provider, level, now_is
    ):
        order = await an_order("pm_card_3ds")
        assert order.status is OrderStatus.PENDING

        settled = [await turn(5) for _ in range(8)]

        assert sum(settled) == 0
        assert provider.asked == 4
        assert (await now_is(order)).status is OrderStatus.PENDING
        assert await level("TEA") == (10, 2)

    @pytest.mark.parametrize(
        ("decides", "status"),
        [("approve", OrderStatus.CONFIRMED), ("decline", OrderStatus.FAILED)],
    )
    async def test_without_webhooks_the_timer_finds_out(
        self, an_order, turn, control, now_is, decides, status
    ):
        order = await an_order("pm_card_3ds")
        control.complete(order.id, decides)

        assert await turn(11) == 1

        assert (await now_is(order)).status is status

    async def test_of_an_answer_that_was_lost_the_address_is_found(
        self, shop, an_order, turn, payment_provider, now_is
    ):
        payment_provider.misbehave(fail="error_after", on=["charge", "lookup"])
        order = await an_order("pm_card_3ds")
        assert await payments.find_action(shop.db, order.id) is None
        payment_provider.misbehave(fail="none")

        await turn(11)

        action = await payments.find_action(shop.db, order.id)
        assert action.url.startswith("http")
        assert (await now_is(order)).status is OrderStatus.PENDING

    async def test_is_given_up_in_the_end_at_the_provider_too(
        self, an_order, turn, control, now_is, level
    ):
        order = await an_order("pm_card_3ds")
        await turn(899)
        assert (await now_is(order)).status is OrderStatus.PENDING

        await turn(11)

        after = await now_is(order)
        assert (after.status, after.failure_reason) == (OrderStatus.FAILED, "canceled")
        assert control.charge(order.id)["status"] == "canceled"
        assert await level("TEA") == (10, 0)

    async def test_what_was_to_be_done_is_forgotten_once_it_is_settled(
        self, shop, an_order, turn, control, clock
    ):
        waits, done = await an_order("pm_card_3ds"), await an_order("pm_card_3ds")
        control.complete(done.id, "approve")
        await turn(11)
        clock.advance(days=2)

        async with shop.db.transaction() as tx:
            forgotten = await payments.forget_actions(tx, now=clock(), limit=10)

        assert forgotten == 1
        assert await payments.find_action(shop.db, waits.id) is not None
        assert await payments.find_action(shop.db, done.id) is None
