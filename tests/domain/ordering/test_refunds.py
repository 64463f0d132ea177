"""Money of orders: captured once, and never more given back than that."""

import asyncio

import pytest

from holdfast.domain import ordering
from holdfast.domain.ordering import (
    FulfilmentStatus,
    OrderStatus,
    PaymentStatus,
)
from holdfast.kernel.money import Money
from holdfast.platform.db import ConstraintViolated

S, P, F = OrderStatus, PaymentStatus, FulfilmentStatus


class TestRefunds:
    async def test_go_from_set_aside_to_given_back(
        self, placed, do, claim, found, told
    ):
        order = await placed()
        total = order.total.amount

        assert await claim(order, 100)
        aside = await found(order)
        assert await do(ordering.mark_refunded, order, Money(100, "EUR"))
        part = await found(order)
        assert await claim(order, total - 100)
        assert await do(ordering.mark_refunded, order, Money(total - 100, "EUR"))

        whole = await found(order)
        assert (aside.refunding_amount, aside.payment_status) == (100, P.CAPTURED)
        assert ordering.refundable(aside) == Money(total - 100, "EUR")
        assert (part.refunded_amount, part.refunding_amount) == (100, 0)
        assert part.payment_status is P.PARTIALLY_REFUNDED
        assert (whole.refunded_amount, whole.payment_status) == (total, P.REFUNDED)
        assert [event for event in await told(order) if event[0] == "payment"][1:] == [
            ("payment", "captured", "partially_refunded"),
            ("payment", "partially_refunded", "refunded"),
        ]

    async def test_never_come_to_more_than_was_captured(self, placed, claim, found):
        order = await placed()
        half = order.total.amount // 2 + 1

        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(claim(order, half)) for _ in range(8)]

        assert sum(task.result() for task in asked) == 1
        assert (await found(order)).refunding_amount == half

    async def test_that_fail_may_be_tried_again(self, placed, do, claim, found):
        order = await placed()
        total = order.total
        await claim(order, total.amount)

        assert await do(ordering.drop_refund, order, total)
        assert not await do(ordering.drop_refund, order, total)
        assert not await do(ordering.mark_refunded, order, total)

        assert await claim(order, total.amount)
        assert (await found(order)).refunded_amount == 0

    @pytest.mark.parametrize("cents", [0, -1])
    async def test_are_of_something(self, placed, claim, cents):
        assert not await claim(await placed(), cents)

    async def test_the_database_refuses_more_by_itself(self, database, placed):
        await placed()

        async with database.statement() as tx:
            with pytest.raises(ConstraintViolated, match="refunded_within_captured"):
                await tx.execute("UPDATE orders SET refunded_amount = total_amount + 1")


class TestMarkCaptured:
    async def test_may_be_less_than_was_authorised(self, placed, do, found):
        order = await placed("authorized")

        await do(ordering.mark_captured, order, amount=Money(500, "EUR"))

        assert (await found(order)).captured_amount == 500

    async def test_comes_first_or_the_void_does(self, placed, do, cancel, found):
        order = await placed("authorized")
        await cancel(order, {1: 2, 2: 1})

        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(
                    do(ordering.mark_captured if n % 2 else ordering.mark_voided, order)
                )
                for n in range(6)
            ]

        assert sum(bool(task.result()) for task in tasks) == 1
        assert (await found(order)).payment_status in (P.CAPTURED, P.VOIDED)

    async def test_an_order_that_is_wanted_is_not_voided(self, placed, do):
        assert not await do(ordering.mark_voided, await placed("authorized"))
