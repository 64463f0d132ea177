"""However many want to send, cancel or take back the same units: each leaves once."""

import asyncio
from collections import Counter

import pytest

from holdfast.domain import inventory, ordering, shipping
from holdfast.domain.shipping import ShipmentStatus
from holdfast.kernel.errors import Conflict
from holdfast.workflows.fulfilment import Fulfilment

from .conftest import render

pytestmark = pytest.mark.usefixtures("balanced")


@pytest.fixture
async def order(stocked, place):
    await stocked(TEA=(100, 0), CUP=(100, 0))
    return await place(TEA=10, CUP=1)


@pytest.fixture
def together():
    """Run things at once; returns what each gave or raised."""

    async def run(*things):
        async def tell(thing):
            try:
                return await thing
            except Conflict as error:
                return type(error).__name__

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(tell(thing)) for thing in things]
        return [task.result() for task in tasks]

    return run


def sent_of(shipments):
    """How many units of each line are on their way."""
    units = Counter()
    for shipment in shipments:
        if shipment.status is not ShipmentStatus.CANCELED:
            units.update(shipment.units)
    return units


class TestShipping:
    async def test_all_of_it_twice_sends_it_once(
        self, order, send, together, shipments, level
    ):
        told = await together(send(order), send(order), send(order))

        assert sorted(map(str, told))[-2:] == ["NothingToShip"] * 2
        assert sent_of(await shipments(order)) == {1: 10, 2: 1}
        assert await level("TEA") == (90, 0)

    async def test_parts_of_it_never_send_more_than_there_are(
        self, order, send, together, shipments, level
    ):
        await together(*(send(order, units={1: 3}, location="main") for _ in range(5)))

        assert sent_of(await shipments(order))[1] == 9
        assert await level("TEA") == (91, 1)

    async def test_under_one_key_is_one_shipment(
        self, order, send, together, shipments
    ):
        told = await together(*(send(order, key="k") for _ in range(4)))

        assert len({answer.body for answer in told}) == 1
        assert len(await shipments(order)) == 1


class TestShippingAgainstCancellation:
    async def test_a_unit_is_sent_or_canceled_and_never_both(
        self, order, send, together, shipments, level, again, database, clock
    ):
        async def cancel():
            async with database.transaction() as tx:
                await ordering.cancel_lines(
                    *(tx, order.id, {1: 4}), reason="x", actor="test", at=clock()
                )
                variant = order.lines[0].variant_id
                await inventory.release_part(tx, order.id, {variant: 4}, at=clock())

        await together(
            *(cancel() for _ in range(3)),
            *(send(order, units={1: 3}, location="main") for _ in range(3)),
        )

        sent = sent_of(await shipments(order))[1]
        line = (await again(order)).lines[0]
        assert line.fulfilled == sent
        assert line.canceled + sent <= 10
        assert await level("TEA") == (100 - sent, line.unfulfilled)


class TestCanceling:
    async def test_twice_brings_it_back_once(
        self, order, ship, dispatch, together, level
    ):
        (shipment,) = await ship(order)

        await together(
            *(dispatch.cancel(shipment.id, actor=f"key:{n}") for n in range(5))
        )

        assert await level("TEA") == (100, 10)

    async def test_while_it_is_being_sent_ends_in_one_of_both(
        self, order, send, dispatch, together, shipments, again, level, promised
    ):
        """The wish to cancel meets the carrier's answer."""

        async def cancel():
            await promised(lambda: shipments(order))
            (shipment,) = await shipments(order)
            return await dispatch.cancel(shipment.id, actor="key:2")

        await together(send(order), cancel())

        (shipment,) = await shipments(order)
        line = (await again(order)).lines[0]
        assert shipment.status is ShipmentStatus.CANCELED
        assert (line.fulfilled, await level("TEA")) == (0, (100, 10))

    async def test_and_the_timer_bring_it_back_once(
        self, order, ship, dispatch, together, level, carrier, let_the_timer_finish
    ):
        (shipment,) = await ship(order)
        carrier.misbehave(fail="error", on=["cancel"])
        await dispatch.cancel(shipment.id, actor="key:1")
        carrier.misbehave(fail="none")

        await together(
            *(dispatch.cancel(shipment.id, actor="key:1") for _ in range(2)),
            *(let_the_timer_finish() for _ in range(2)),
        )

        assert await level("TEA") == (100, 10)


class TestReshipping:
    async def test_twice_promises_other_units_once(
        self, order, ship, dispatch, together, level, database
    ):
        (lost,) = await ship(order)
        async with database.transaction() as tx:
            await shipping.move(
                *(tx, lost.id, ShipmentStatus.LOST),
                delivered_at=None,
                at=lost.created_at,
            )
        doing = Fulfilment(dispatch, render)

        told = await together(*(doing.reship(lost.id, actor="key:1") for _ in range(4)))

        assert told.count("ShipmentNotLost") == 3
        assert await level("TEA") == (90, 10)
