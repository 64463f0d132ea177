"""What was ordered leaves once, from where it is, with a sale in the ledger."""

import pytest

from holdfast.domain import inventory, ordering, shipping
from holdfast.domain.shipping import Method, ShipmentStatus

from .conftest import NORTH

pytestmark = pytest.mark.usefixtures("balanced")


class TestEverythingOpen:
    async def test_leaves_with_a_label_and_a_sale(
        self, stocked, place, ship, again, level, published, shop
    ):
        tea = (await stocked(TEA=(10, 0)))["TEA"]
        order = await place(TEA=3)
        await published()

        (shipment,) = await ship(order)

        assert shipment.status is ShipmentStatus.CREATED
        assert shipment.tracking_number.startswith("HF")
        assert shipment.units == {1: 3}
        assert (await again(order)).status == "completed"
        assert await level("TEA") == (7, 0)
        (sale, *_) = (
            await inventory.movements(shop.db, tea, after=None, limit=1)
        ).items
        assert (sale.kind, sale.delta, sale.order_id, sale.reference) == (
            *("sale", -3, order.id),
            str(shipment.id),
        )
        assert await published() == ["shipping.shipment.shipped"]

    async def test_from_two_locations_is_two_shipments(
        self, stocked, place, ship, again, level
    ):
        await stocked(TEA=(2, 0), CUP=(0, 5))
        order = await place(TEA=2, CUP=1)

        shipments = await ship(order)

        sent = {(s.location, tuple(s.units.items())) for s in shipments}
        assert sent == {("main", ((1, 2),)), ("north", ((2, 1),))}
        assert len({s.tracking_number for s in shipments}) == 2
        assert (await again(order)).fulfilment_status == "fulfilled"
        assert await level("CUP", NORTH) == (4, 0)

    async def test_at_one_location_leaves_the_rest_open(
        self, stocked, place, ship, again
    ):
        await stocked(TEA=(2, 0), CUP=(0, 5))
        order = await place(TEA=2, CUP=1)

        (shipment,) = await ship(order, location="north")

        assert shipment.units == {2: 1}
        assert (await again(order)).fulfilment_status == "partially_fulfilled"

    async def test_that_was_sent_is_not_sent_again(self, stocked, place, ship):
        await stocked(TEA=(10, 0))
        order = await place(TEA=3)
        await ship(order)

        with pytest.raises(shipping.NothingToShip):
            await ship(order)

    async def test_of_an_unpaid_order_is_nothing(self, buy, ship, database, depots):
        order = (await buy()).order
        async with database.transaction() as tx:
            await ordering.cancel_lines(
                *(tx, order.id, {1: 2}), reason="x", actor="test", at=order.placed_at
            )

        with pytest.raises(shipping.NothingToShip):
            await ship(order)

    async def test_with_nothing_on_the_shelf_is_nothing(
        self, stocked, place, ship, database
    ):
        await stocked(TEA=(0, 0))
        async with database.transaction() as tx:
            await tx.execute("UPDATE stock SET backorder_limit = 5")
        order = await place(TEA=3)

        with pytest.raises(shipping.NothingToShip):
            await ship(order)


class TestChosenLines:
    async def test_leave_as_many_as_were_named(self, stocked, place, ship, again):
        await stocked(TEA=(10, 0), CUP=(10, 0))
        order = await place(TEA=3, CUP=2)

        (shipment,) = await ship(order, units={1: 2})

        assert shipment.units == {1: 2}
        assert [line.unfulfilled for line in (await again(order)).lines] == [1, 2]

    async def test_may_leave_from_where_they_were_not_promised(
        self, stocked, place, ship, level
    ):
        await stocked(TEA=(10, 10))
        order = await place(TEA=3)

        (shipment,) = await ship(order, units={1: 3}, location="north")

        assert shipment.location == "north"
        assert await level("TEA") == (10, 0)
        assert await level("TEA", NORTH) == (7, 0)

    async def test_are_never_more_than_are_open(self, stocked, place, ship):
        await stocked(TEA=(10, 0))
        order = await place(TEA=3)
        await ship(order, units={1: 2})

        with pytest.raises(ordering.LinesNotOpen):
            await ship(order, units={1: 2}, location="main")

    async def test_are_never_more_than_are_there(self, stocked, place, ship, again):
        await stocked(TEA=(10, 1))
        order = await place(TEA=3)

        with pytest.raises(inventory.NotEnoughOnHand):
            await ship(order, units={1: 3}, location="north")

        assert (await again(order)).fulfilment_status == "unfulfilled"

    async def test_must_be_lines_of_the_order(self, stocked, place, ship):
        await stocked(TEA=(10, 0))

        with pytest.raises(shipping.ShipmentLineInvalid):
            await ship(await place(TEA=3), units={2: 1})


class TestByHand:
    async def test_asks_no_carrier(self, stocked, place, ship, carrier, level):
        await stocked(TEA=(10, 0))
        order = await place(TEA=3)
        carrier.misbehave(fail="error", on=["shipment"])

        (shipment,) = await ship(order, by="hand", tracking_number="BIKE-1")

        assert shipment.status is ShipmentStatus.CREATED
        assert (shipment.carried_by, shipment.service) == ("hand", None)
        assert shipment.tracking_number == "BIKE-1"
        assert await level("TEA") == (7, 0)

    async def test_is_how_what_is_fetched_leaves(self, stocked, place, ship):
        await stocked(TEA=(10, 0))

        (shipment,) = await ship(await place(method=Method.PICKUP, TEA=1))

        assert (shipment.carried_by, shipment.tracking_number) == ("hand", None)

    async def test_two_may_have_the_same_number(self, stocked, place, ship):
        await stocked(TEA=(10, 0))

        for _ in range(2):
            (shipment,) = await ship(
                await place(TEA=1), by="hand", tracking_number="BIKE-1"
            )
            assert shipment.status is ShipmentStatus.CREATED


class TestByCarrier:
    async def test_takes_the_service_that_the_buyer_paid_for(
        self, stocked, place, ship
    ):
        await stocked(TEA=(10, 0))

        (shipment,) = await ship(await place(method=Method.EXPRESS, TEA=1))

        assert shipment.service == "express"

    async def test_takes_another_when_told(self, stocked, place, ship):
        await stocked(TEA=(10, 0))

        (shipment,) = await ship(await place(TEA=1), service="express")

        assert shipment.service == "express"

    async def test_needs_an_address_to_fetch_it_from(
        self, stocked, place, ship, database
    ):
        await stocked(TEA=(10, 0))
        order = await place(TEA=1)
        async with database.transaction() as tx:
            await tx.execute("UPDATE locations SET address = NULL")

        with pytest.raises(shipping.LocationWithoutAddress, match="main"):
            await ship(order)

    async def test_needs_an_address_to_bring_it_to(
        self, stocked, place, ship, database
    ):
        await stocked(TEA=(10, 0))
        order = await place(TEA=1)
        async with database.transaction() as tx:
            await tx.execute("UPDATE orders SET sealed = NULL")

        with pytest.raises(shipping.OrderWithoutAddress):
            await ship(order)


class TestAKey:
    async def test_sends_once_however_often_it_is_used(
        self, stocked, place, send, shipments
    ):
        await stocked(TEA=(10, 0))
        order = await place(TEA=3)

        first = await send(order, key="k", units={1: 1})
        second = await send(order, key="k", units={1: 1})

        assert first == second
        assert len(await shipments(order)) == 1

    async def test_is_free_again_after_a_refusal(self, stocked, place, send, database):
        await stocked(TEA=(10, 0))
        order = await place(TEA=1)
        with pytest.raises(inventory.NotEnoughOnHand):
            await send(order, key="k", units={1: 1}, location="north")

        assert (await send(order, key="k", units={1: 1})).status == 201
