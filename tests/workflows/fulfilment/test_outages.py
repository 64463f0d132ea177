"""A carrier that is away, slow, odd or of another mind: nothing is lost or doubled."""

from dataclasses import replace
from datetime import timedelta

import pytest

from holdfast.domain import inventory
from holdfast.domain.inventory import MAIN, Move
from holdfast.domain.shipping import ShipmentStatus
from holdfast.platform.db import DatabaseUnavailable
from holdfast.workflows.dispatch import Dispatch, finish_overdue
from holdfast.workflows.stock_check import StockCheck

pytestmark = pytest.mark.usefixtures("balanced")

CREATED, CANCELED = ShipmentStatus.CREATED, ShipmentStatus.CANCELED


@pytest.fixture
async def order(stocked, place):
    await stocked(TEA=(10, 0))
    return await place(TEA=3)


@pytest.fixture
def labels(carrier):
    """How many shipments the carrier has made and not canceled."""

    def count():
        made = carrier.get("/v1/shipments?limit=100")["items"]
        return len([s for s in made if s["status"] != "canceled"])

    return count


@pytest.mark.usefixtures("impatient")
class TestDown:
    @pytest.mark.parametrize(
        "fail", ["error", "error_after", "garbage", "reset_after", "hang", "hang_after"]
    )
    async def test_waits_and_is_finished_once(
        self, order, send, shipments, carrier, labels, level, fail, let_the_timer_finish
    ):
        carrier.misbehave(fail=fail, on=["shipment"])

        answer = await send(order)

        (shipment,) = await shipments(order)
        assert (answer.status, shipment.status) == (202, ShipmentStatus.PENDING)
        assert await level("TEA") == (10, 3)
        carrier.misbehave(fail="none")
        assert await let_the_timer_finish() == 1
        (shipment,) = await shipments(order)
        assert shipment.status is CREATED
        assert labels() == 1
        assert await level("TEA") == (7, 0)

    async def test_for_a_moment_nobody_notices(self, order, send, carrier, labels):
        carrier.misbehave(fail="error_after", on=["shipment"], count=1)

        assert (await send(order)).status == 201
        assert labels() == 1

    async def test_keeps_its_units_from_being_sent_or_canceled(
        self, order, send, carrier, again
    ):
        carrier.misbehave(fail="error", on=["shipment"])
        await send(order, units={1: 2})

        assert [line.unfulfilled for line in (await again(order)).lines] == [1]

    async def test_the_timer_leaves_alone_what_is_under_way(
        self, order, send, carrier, let_the_timer_finish
    ):
        carrier.misbehave(fail="error", on=["shipment"])
        await send(order)

        assert await let_the_timer_finish() == 0
        assert await let_the_timer_finish() == 0


class TestDatabaseAway:
    async def test_after_the_wish_was_written_down_the_worker_goes_on(
        self, order, send, shipments, dispatch, let_the_timer_finish, labels
    ):
        class Away:
            def __getattr__(self, name):
                return getattr(dispatch, name)

            async def finish(self, _):
                raise DatabaseUnavailable

        answer = await send(order, through=Away())

        assert answer.status == 202
        assert await let_the_timer_finish() == 1
        assert [s.status for s in await shipments(order)] == [CREATED]
        assert labels() == 1


class TestStockCheck:
    async def test_leaves_alone_what_waits_for_the_carrier(
        self, order, send, shop, carrier, level, clock, let_the_timer_finish
    ):
        carrier.misbehave(fail="error", on=["shipment", "cancel", "lookup"])
        answer = await send(order)
        check = StockCheck(shop.db, clock)

        assert answer.status == 202
        assert await check.find() == []
        async with shop.db.transaction() as tx:
            due = await inventory.due_of_order(tx, order.id)
        assert [wanted.quantity for wanted in due] == [3]
        assert await check.fix() == []
        carrier.misbehave(fail="none")
        await let_the_timer_finish()
        assert await level("TEA") == (7, 0)
        assert await check.find() == []


class TestRefused:
    async def test_is_undone_and_said(
        self, order, send, shipments, again, level, published
    ):
        await published()

        answer = await send(order, service="teleport")

        (shipment,) = await shipments(order)
        assert (answer.status, shipment.status) == (409, CANCELED)
        assert shipment.failure_reason
        assert str(shipment.id) in answer.body.decode()
        assert (await again(order)).fulfilment_status == "unfulfilled"
        assert await level("TEA") == (10, 3)
        assert await published() == ["shipping.shipment.refused"]

    async def test_can_be_sent_otherwise(self, order, send):
        await send(order, service="teleport")

        assert (await send(order)).status == 201

    async def test_is_undone_by_the_timer_too(
        self, order, send, shipments, carrier, let_the_timer_finish, again
    ):
        carrier.misbehave(fail="error", on=["shipment", "cancel"])
        await send(order, service="teleport")
        carrier.misbehave(fail="none")

        await let_the_timer_finish()

        (shipment,) = await shipments(order)
        assert shipment.status is CANCELED
        assert (await again(order)).fulfilment_status == "unfulfilled"


class TestNotInStock:
    async def test_a_label_is_given_back_when_the_goods_are_gone(
        self,
        order,
        send,
        shipments,
        carrier,
        labels,
        again,
        database,
        clock,
        let_the_timer_finish,
    ):
        """Between the look at the shelf and the sale somebody broke a cup."""
        carrier.misbehave(fail="error", on=["shipment"])
        await send(order)
        variant = order.lines[0].variant_id
        async with database.transaction() as tx:
            await tx.execute("UPDATE stock SET backorder_limit = 5")
            broken = [Move(variant, MAIN, -9, "adjustment", "broken")]
            await inventory.move(tx, broken, actor="test", at=clock())
        carrier.misbehave(fail="none")

        assert await let_the_timer_finish() == 1

        (shipment,) = await shipments(order)
        assert (shipment.status, shipment.failure_reason) == (CANCELED, "not_in_stock")
        assert labels() == 0
        assert (await again(order)).fulfilment_status == "unfulfilled"


class TestLeftWithoutStock:
    async def test_is_kept_for_a_person_to_look_at(
        self,
        order,
        send,
        shipments,
        carrier,
        database,
        clock,
        let_the_timer_finish,
        again,
        tell,
    ):
        """Its label came through, the parcel was picked up, and the shelf is empty."""
        carrier.misbehave(fail="error_after", on=["shipment"])
        await send(order)
        carrier.misbehave(fail="none")
        (shipment,) = await shipments(order)
        made = carrier.get(f"/v1/shipments/by-key/{shipment.id}")
        tell(replace(shipment, carrier_reference=made["id"]), "in_transit")
        variant = order.lines[0].variant_id
        async with database.transaction() as tx:
            await tx.execute("UPDATE stock SET backorder_limit = 5")
            gone = [Move(variant, MAIN, -9, "adjustment", "gone")]
            await inventory.move(tx, gone, actor="test", at=clock())

        await let_the_timer_finish()

        (found,) = await shipments(order)
        assert found.status is ShipmentStatus.PENDING
        assert (await again(order)).fulfilment_status == "fulfilled"
        async with database.transaction() as tx:
            counted = [Move(variant, MAIN, 9, "count", "found")]
            await inventory.move(tx, counted, actor="test", at=clock())
        await let_the_timer_finish()
        (found,) = await shipments(order)
        assert found.status is CREATED


class TestTimer:
    async def test_goes_through_all_however_few_it_reads_at_a_time(
        self, stocked, place, send, carrier, dispatch, clock
    ):
        await stocked(POT=(10, 0))
        carrier.misbehave(fail="error", on=["shipment"])
        for _ in range(3):
            await send(await place(POT=1))
        carrier.misbehave(fail="none")
        clock.advance(minutes=1)

        finished = await finish_overdue(dispatch, after=timedelta(seconds=30), limit=1)

        assert finished == 3

    async def test_of_one_that_breaks_goes_on_with_the_others(
        self, order, send, shipments, dispatch, carrier, clock
    ):
        carrier.misbehave(fail="error", on=["shipment"])
        for _ in range(2):
            await send(order, units={1: 1}, location="main")
        carrier.misbehave(fail="none")
        _, first = await shipments(order)

        class Breaks(Dispatch):
            async def finish(self, shipment_id):
                if shipment_id == first.id:
                    raise RuntimeError("out of ink")
                return await super().finish(shipment_id)

        breaks = Breaks(dispatch.db, dispatch.vault, dispatch.carrier, clock)
        clock.advance(minutes=1)

        assert await finish_overdue(breaks, after=timedelta(seconds=30)) == 1


class TestErased:
    async def test_what_waits_for_the_carrier_is_called_off(
        self, order, send, shipments, carrier, labels, let_the_timer_finish, database
    ):
        """The first request came through, and then the buyer was erased."""
        carrier.misbehave(fail="error_after", on=["shipment"])
        await send(order)
        async with database.transaction() as tx:
            await tx.execute("UPDATE orders SET sealed = NULL")
        carrier.misbehave(fail="none")

        await let_the_timer_finish()

        (shipment,) = await shipments(order)
        assert (shipment.status, shipment.failure_reason) == (CANCELED, "no_address")
        assert labels() == 0
