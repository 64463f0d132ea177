"""Lines of orders after they were placed: each change once, and recorded."""

import asyncio

import pytest
from cases import cases

from holdfast.domain import ordering
from holdfast.domain.ordering import (
    FulfilmentStatus,
    LinesNotOpen,
    OrderNotFound,
    OrderStatus,
    PaymentStatus,
)
from holdfast.kernel.ids import new_id

S, P, F = OrderStatus, PaymentStatus, FulfilmentStatus


class TestCancelLines:
    async def test_cancels_the_order_with_the_last_of_them(
        self, placed, cancel, found, told, clock
    ):
        order = await placed()

        await cancel(order, {1: 2})
        part = await found(order)
        await cancel(order, {2: 1})

        whole = await found(order)
        assert (part.status, part.canceled_at) == (S.CONFIRMED, None)
        assert [line.canceled for line in part.lines] == [2, 0]
        assert (whole.status, whole.fulfilment_status) == (S.CANCELED, F.UNFULFILLED)
        assert (whole.cancel_reason, whole.canceled_at) == ("customer", clock())
        assert whole.total == order.total
        assert await told(order) == [
            ("order", None, "pending"),
            ("order", "pending", "confirmed"),
            ("payment", "pending", "captured"),
            ("lines_canceled", None, None),
            ("lines_canceled", None, None),
            ("order", "confirmed", "canceled"),
        ]

    async def test_says_what_was_canceled_by_whom_and_why(
        self, database, placed, cancel, clock
    ):
        order = await placed()

        await cancel(order, {1: 1})

        event = (await ordering.events_of(database, order.id))[-1]
        assert (event.actor, event.happened_at) == ("test", clock())
        assert event.detail == {
            "reason": "customer",
            "lines": [{"position": 1, "quantity": 1}],
        }

    @cases(
        ("quantities", "positions"),
        [
            ({1: 3}, [1]),
            ({1: 0}, [1]),
            ({1: -1}, [1]),
            ({9: 1, 1: 1, 2: 2}, [2, 9]),
            ({}, []),
        ],
    )
    async def test_refuses_units_that_are_not_there(
        self, placed, cancel, found, quantities, positions
    ):
        order = await placed()

        with pytest.raises(LinesNotOpen) as refused:
            await cancel(order, quantities)

        assert refused.value.positions == positions
        assert await found(order) == order

    async def test_of_many_at_once_each_unit_is_canceled_once(
        self, placed, cancel, found
    ):
        order = await placed()

        async def one():
            try:
                await cancel(order, {1: 1})
            except LinesNotOpen:
                return False
            return True

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one()) for _ in range(8)]

        assert sum(task.result() for task in tasks) == 2
        assert (await found(order)).lines[0].canceled == 2

    async def test_a_unit_is_canceled_or_shipped_and_never_both(
        self, placed, do, cancel, found
    ):
        order = await placed()

        async def tried(doing):
            try:
                await doing
            except LinesNotOpen:
                return False
            return True

        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(
                    tried(
                        cancel(order, {1: 2})
                        if number % 2
                        else do(ordering.mark_fulfilled, order, {1: 2})
                    )
                )
                for number in range(6)
            ]

        line = (await found(order)).lines[0]
        assert sum(task.result() for task in tasks) == 1
        assert sorted([line.canceled, line.fulfilled]) == [0, 2]

    async def test_of_an_order_that_is_nowhere_is_refused(self, cancel, an_order):
        with pytest.raises(OrderNotFound):
            await cancel(an_order(), {1: 1})


class TestMarkFulfilled:
    async def test_completes_a_paid_order_with_its_last_unit(
        self, placed, do, found, clock
    ):
        order = await placed()

        await do(ordering.mark_fulfilled, order, {1: 1})
        part = await found(order)
        standing = await do(ordering.mark_fulfilled, order, {1: 1, 2: 1})

        whole = await found(order)
        assert (part.status, part.fulfilment_status) == (
            S.CONFIRMED,
            F.PARTIALLY_FULFILLED,
        )
        assert (whole.status, whole.fulfilment_status) == (S.COMPLETED, F.FULFILLED)
        assert whole.completed_at == clock()
        assert standing.status is S.COMPLETED

    async def test_of_two_parcels_at_once_the_later_completes_the_order(
        self, placed, do, found
    ):
        order = await placed()

        async with asyncio.TaskGroup() as group:
            for quantities in ({1: 2}, {2: 1}):
                group.create_task(do(ordering.mark_fulfilled, order, quantities))

        assert (await found(order)).status is S.COMPLETED

    async def test_waits_for_the_money(self, placed, do, found, told):
        order = await placed("authorized")

        await do(ordering.mark_fulfilled, order, {1: 2, 2: 1})
        shipped = await found(order)
        status = await do(ordering.mark_captured, order)

        assert (shipped.status, shipped.fulfilment_status) == (S.CONFIRMED, F.FULFILLED)
        assert status is S.COMPLETED
        assert (await found(order)).status is S.COMPLETED
        assert ("order", "confirmed", "completed") in await told(order)

    async def test_does_not_wait_for_what_was_canceled(self, placed, do, cancel, found):
        order = await placed()

        await do(ordering.mark_fulfilled, order, {1: 2})
        await cancel(order, {2: 1})

        assert (await found(order)).status is S.COMPLETED

    async def test_a_shipment_that_came_to_nothing_opens_the_order_again(
        self, placed, do, found
    ):
        order = await placed()
        await do(ordering.mark_fulfilled, order, {1: 2, 2: 1})

        await do(ordering.mark_unfulfilled, order, {1: 2, 2: 1})

        again = await found(order)
        assert (again.status, again.fulfilment_status) == (S.CONFIRMED, F.UNFULFILLED)
        assert again.completed_at is None


class TestMarkReturned:
    async def test_counts_what_came_back_of_what_was_shipped(self, placed, do, found):
        order = await placed()
        await do(ordering.mark_fulfilled, order, {1: 2, 2: 1})

        await do(ordering.mark_returned, order, {1: 1})
        with pytest.raises(LinesNotOpen):
            await do(ordering.mark_returned, order, {1: 2})
        with pytest.raises(LinesNotOpen):
            # What came back has been shipped, whatever became of the parcel.
            await do(ordering.mark_unfulfilled, order, {1: 2})

        after = await found(order)
        assert [line.returned for line in after.lines] == [1, 0]
        assert after.status is S.COMPLETED


class TestRecord:
    async def test_is_never_changed(self, database, placed, do):
        order = await placed()
        await do(ordering.record, order, "edited", detail={"changed": ["email"]})

        for statement in (
            "UPDATE order_events SET actor = 'nobody'",
            "DELETE FROM order_events",
            "TRUNCATE order_events",
        ):
            async with database.statement() as tx:
                with pytest.raises(Exception, match="kept as they are"):
                    await tx.execute(statement)

        event = (await ordering.events_of(database, order.id))[-1]
        assert (event.kind, event.detail) == ("edited", {"changed": ["email"]})


class TestLock:
    async def test_reads_what_was_committed_while_it_waited(
        self, database, vault, placed, cancel
    ):
        order = await placed()
        async with database.transaction() as tx:
            await ordering.lock(tx, vault, order.id)
            waiting = asyncio.ensure_future(cancel(order, {1: 1}))
            await asyncio.wait([waiting], timeout=0.2)
            assert not waiting.done()

        assert (await waiting).lines[0].canceled == 1

    async def test_of_an_order_that_is_nowhere_is_refused(self, database, vault):
        async with database.statement() as tx:
            with pytest.raises(OrderNotFound):
                await ordering.lock(tx, vault, new_id())
