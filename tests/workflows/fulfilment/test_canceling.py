"""What nobody has picked up comes back; what is lost or came back can go again."""

import pytest

from holdfast.domain import inventory, ordering, shipping
from holdfast.domain.shipping import ShipmentStatus
from holdfast.workflows.fulfilment import Fulfilment

from .conftest import render

pytestmark = pytest.mark.usefixtures("balanced")

CANCELED = ShipmentStatus.CANCELED


@pytest.fixture
async def order(stocked, place):
    await stocked(TEA=(10, 0))
    return await place(TEA=3)


class TestCancel:
    async def test_brings_stock_and_units_back(
        self, order, ship, dispatch, again, level, published, shop
    ):
        (shipment,) = await ship(order)
        await published()

        canceled = await dispatch.cancel(shipment.id, actor="key:1")

        assert canceled.status is CANCELED
        now = await again(order)
        assert (now.status, now.fulfilment_status) == ("confirmed", "unfulfilled")
        assert await level("TEA") == (10, 3)
        (back, *_) = (
            await inventory.movements(
                shop.db, order.lines[0].variant_id, after=None, limit=1
            )
        ).items
        assert (back.kind, back.delta, back.actor) == ("return", 3, "key:1")
        assert await published() == ["shipping.shipment.canceled"]

    async def test_is_undone_by_sending_again(self, order, ship, dispatch, level):
        (shipment,) = await ship(order)
        await dispatch.cancel(shipment.id, actor="key:1")

        again, _ = await ship(order)

        assert again.status is ShipmentStatus.CREATED
        assert await level("TEA") == (7, 0)

    async def test_twice_is_once(self, order, ship, dispatch, level):
        (shipment,) = await ship(order)

        for _ in range(2):
            await dispatch.cancel(shipment.id, actor="key:1")

        assert await level("TEA") == (10, 3)

    async def test_of_what_the_buyer_has_sent_back_is_refused(
        self, order, ship, dispatch, shop, clock
    ):
        (shipment,) = await ship(order)
        async with shop.db.transaction() as tx:
            await ordering.mark_returned(
                tx, order.id, {1: 1}, actor="key:1", at=clock()
            )

        with pytest.raises(ordering.LinesNotOpen):
            await dispatch.cancel(shipment.id, actor="key:1")

        found = await shipping.find(dispatch.db, shipment.id)
        assert (found.status, found.cancel_requested_at) == ("created", None)
        tracked = await dispatch.carrier.track(found.tracking_number)
        assert tracked.events[-1].status == "created"

    async def test_of_what_is_under_way_is_refused(
        self, order, ship, dispatch, tell, level
    ):
        (shipment,) = await ship(order)
        tell(shipment, "in_transit")

        with pytest.raises(shipping.ShipmentUnderWay):
            await dispatch.cancel(shipment.id, actor="key:1")

        found = await shipping.find(dispatch.db, shipment.id)
        assert found.cancel_requested_at is None
        assert await level("TEA") == (7, 0)

    async def test_waits_while_the_carrier_is_away(
        self, order, ship, dispatch, carrier, shipments, level, let_the_timer_finish
    ):
        (shipment,) = await ship(order)
        carrier.misbehave(fail="error_after", on=["cancel"])

        waiting = await dispatch.cancel(shipment.id, actor="key:1")

        assert waiting.cancel_requested_at is not None
        assert await level("TEA") == (7, 0)
        carrier.misbehave(fail="none")
        await let_the_timer_finish()
        (found,) = await shipments(order)
        assert found.status is CANCELED
        assert await level("TEA") == (10, 3)

    async def test_that_waited_too_long_is_given_up(
        self, order, ship, dispatch, carrier, tell, level, let_the_timer_finish
    ):
        (shipment,) = await ship(order)
        carrier.misbehave(fail="error", on=["cancel"])
        await dispatch.cancel(shipment.id, actor="key:1")
        tell(shipment, "in_transit")
        carrier.misbehave(fail="none")

        await let_the_timer_finish()

        found = await shipping.find(dispatch.db, shipment.id)
        assert found.cancel_requested_at is None
        assert await level("TEA") == (7, 0)

    async def test_of_one_that_waits_for_the_carrier_keeps_it_from_going(
        self, order, send, shipments, dispatch, carrier, again
    ):
        carrier.misbehave(fail="error", on=["shipment"])
        await send(order)
        (shipment,) = await shipments(order)

        canceled = await dispatch.cancel(shipment.id, actor="key:1")

        assert canceled.status is CANCELED
        assert (await again(order)).fulfilment_status == "unfulfilled"

    async def test_by_hand_asks_no_carrier(self, order, ship, dispatch, carrier, level):
        (shipment,) = await ship(order, by="hand")
        carrier.misbehave(fail="error", on=["cancel"])

        assert (await dispatch.cancel(shipment.id, actor="key:1")).status is CANCELED
        assert await level("TEA") == (10, 3)

    async def test_of_nothing_is_not_found(self, order, dispatch):
        with pytest.raises(shipping.ShipmentNotFound):
            await dispatch.cancel(order.id, actor="key:1")


class TestReship:
    @pytest.fixture
    async def ended(self, order, ship, database):
        """A shipment that has ended as it should not."""

        async def end(status):
            (shipment,) = await ship(order)
            async with database.transaction() as tx:
                await shipping.move(
                    *(tx, shipment.id, ShipmentStatus(status)),
                    delivered_at=None,
                    at=shipment.created_at,
                )
            return shipment

        return end

    @pytest.fixture
    def reship(self, dispatch):
        async def ask(shipment):
            return await Fulfilment(dispatch, render).reship(shipment.id, actor="key:1")

        return ask

    async def test_of_a_lost_one_takes_other_units(
        self, ended, reship, order, ship, again, level
    ):
        lost = await ended("lost")

        assert (await reship(lost)).reshipped_at is not None

        assert (await again(order)).fulfilment_status == "unfulfilled"
        assert await level("TEA") == (7, 3)
        another, _ = await ship(order)
        assert another.status is ShipmentStatus.CREATED
        assert await level("TEA") == (4, 0)

    async def test_of_one_that_came_back_takes_the_same_units(
        self, ended, reship, level
    ):
        await reship(await ended("returned"))

        assert await level("TEA") == (10, 3)

    async def test_keeps_what_the_order_has_besides(
        self, stocked, place, ship, database, reship, level
    ):
        await stocked(POT=(10, 0))
        order = await place(POT=5)
        (lost,) = await ship(order, units={1: 2})
        async with database.transaction() as tx:
            await shipping.move(
                *(tx, lost.id, ShipmentStatus.LOST),
                delivered_at=None,
                at=lost.created_at,
            )

        await reship(lost)

        assert await level("POT") == (8, 5)

    async def test_needs_other_units(
        self, ended, reship, again, order, database, clock
    ):
        lost = await ended("lost")
        variant = order.lines[0].variant_id
        async with database.transaction() as tx:
            gone = [inventory.Move(variant, inventory.MAIN, -5, "adjustment")]
            await inventory.move(tx, gone, actor="test", at=clock())

        with pytest.raises(inventory.OutOfStock):
            await reship(lost)

        assert (await again(order)).fulfilment_status == "fulfilled"

    @pytest.mark.parametrize("status", ["created", "in_transit", "delivered"])
    async def test_of_another_is_refused(self, ended, reship, status):
        with pytest.raises(shipping.ShipmentNotLost):
            await reship(await ended(status))

    async def test_twice_is_refused(self, ended, reship, level):
        lost = await ended("lost")
        await reship(lost)

        with pytest.raises(shipping.ShipmentNotLost):
            await reship(lost)

        assert await level("TEA") == (7, 3)
