"""Where a parcel is does not depend on how often, or in which order, it is told."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from holdfast.domain import ordering, shipping
from holdfast.domain.shipping import ShipmentStatus, Tracked, TrackingEvent
from holdfast.workflows.tracking import QUIET, Tracking

pytestmark = pytest.mark.usefixtures("balanced")

NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
S = ShipmentStatus
JOURNEY = [
    TrackingEvent(f"te_{n}", status, NOON + timedelta(hours=n))
    for n, status in enumerate([S.CREATED, S.IN_TRANSIT, S.EXCEPTION, S.DELIVERED])
]


@pytest.fixture
def tracking(dispatch):
    return Tracking(dispatch)


@pytest.fixture
async def shipment(stocked, place, ship, published):
    await stocked(TEA=(10, 0))
    (shipment,) = await ship(await place(TEA=3))
    await published()
    return shipment


@pytest.fixture
def found(shop, shipment):
    async def read():
        return await shipping.find(shop.db, shipment.id)

    return read


@pytest.fixture
def hear(tracking, shipment):
    """Let the carrier tell of events."""

    async def tell(*events):
        await tracking.hear(Tracked(shipment.tracking_number, events))

    return tell


class TestHear:
    async def test_moves_the_shipment(self, hear, found, published):
        await hear(*JOURNEY)

        shipment = await found()
        assert shipment.status is S.DELIVERED
        assert shipment.delivered_at == NOON + timedelta(hours=3)
        assert [event.status for event in shipment.events] == [
            event.status for event in JOURNEY
        ]
        assert await published() == ["shipping.shipment.delivered"]

    @pytest.mark.parametrize("order", list(permutations(range(4)))[::5], ids=str)
    async def test_any_order_and_any_number_of_times_end_the_same(
        self, hear, found, order
    ):
        for n in order:
            await hear(JOURNEY[n])
            await hear(JOURNEY[n], JOURNEY[0])

        shipment = await found()
        assert shipment.status is S.DELIVERED
        assert len(shipment.events) == 4

    async def test_many_at_once_end_the_same(self, hear, found, published):
        async with asyncio.TaskGroup() as group:
            for event in JOURNEY * 3:
                group.create_task(hear(event))

        assert (await found()).status is S.DELIVERED
        assert (await published()).count("shipping.shipment.delivered") == 1

    async def test_nothing_new_is_not_said_twice(self, hear, published):
        await hear(*JOURNEY)
        await published()

        await hear(*JOURNEY)

        assert await published() == []

    @pytest.mark.parametrize("status", [S.EXCEPTION, S.LOST, S.RETURNED])
    async def test_trouble_is_published_and_recorded(
        self, hear, found, published, shop, status
    ):
        await hear(TrackingEvent("te_9", status, NOON))

        shipment = await found()
        assert shipment.status is status
        assert await published() == [f"shipping.shipment.{status}"]
        last = (await ordering.events_of(shop.db, shipment.order_id))[-1]
        assert (last.kind, last.actor) == (f"shipment_{status}", "carrier")

    async def test_what_was_lost_may_arrive_after_all(self, hear, found):
        await hear(TrackingEvent("te_8", S.LOST, NOON))

        await hear(TrackingEvent("te_9", S.DELIVERED, NOON + timedelta(days=9)))

        assert (await found()).status is S.DELIVERED

    async def test_of_a_parcel_that_nobody_knows_is_refused(self, tracking):
        with pytest.raises(shipping.ShipmentNotFound):
            await tracking.hear(Tracked("HF000", JOURNEY))

    async def test_the_words_of_the_carrier_are_not_kept(self, hear, found, database):
        await hear(TrackingEvent("te_9", S.EXCEPTION, NOON, "Left with Mrs Somerville"))

        assert (await found()).events[-1].description == ""

    async def test_a_canceled_shipment_stays_canceled(
        self, hear, found, dispatch, shipment
    ):
        await dispatch.cancel(shipment.id, actor="key:1")

        await hear(*JOURNEY)

        assert (await found()).status is S.CANCELED


class TestCanceledByTheCarrier:
    async def test_before_it_was_picked_up_brings_everything_back(
        self, hear, found, shop, level
    ):
        await hear(TrackingEvent("te_9", S.CANCELED, NOON))

        shipment = await found()
        assert (shipment.status, shipment.failure_reason) == (
            S.CANCELED,
            "canceled_by_carrier",
        )
        assert await level("TEA") == (10, 3)

    async def test_of_units_that_came_back_is_for_a_person_to_look_at(
        self, hear, found, shop, clock, level
    ):
        shipment = await found()
        async with shop.db.transaction() as tx:
            await ordering.mark_returned(
                tx, shipment.order_id, {1: 1}, actor="key:1", at=clock()
            )

        await hear(TrackingEvent("te_9", S.CANCELED, NOON))

        assert (await found()).status is S.EXCEPTION
        assert await level("TEA") == (7, 0)

    async def test_on_its_way_is_for_a_person_to_look_at(self, hear, found, level):
        await hear(JOURNEY[1], TrackingEvent("te_9", S.CANCELED, NOON + QUIET))

        assert (await found()).status is S.EXCEPTION
        assert await level("TEA") == (7, 0)


class TestQuiet:
    async def test_the_carrier_is_asked_after_six_hours(
        self, tracking, shipment, tell, found, clock
    ):
        tell(shipment, "in_transit")
        clock.advance(seconds=QUIET.total_seconds())
        early = await tracking.ask_about_quiet()
        clock.advance(seconds=1)

        assert (early, await tracking.ask_about_quiet()) == (0, 1)
        assert (await found()).status is S.IN_TRANSIT

    async def test_asking_once_is_enough_for_six_more(self, tracking, shipment, clock):
        clock.advance(seconds=QUIET.total_seconds() + 1)
        await tracking.ask_about_quiet()
        clock.advance(seconds=QUIET.total_seconds() - 1)

        assert await tracking.ask_about_quiet() == 0

    async def test_a_carrier_that_is_away_is_asked_later(
        self, tracking, shipment, carrier, clock
    ):
        carrier.misbehave(fail="error", on=["tracking"])
        clock.advance(seconds=QUIET.total_seconds() + 1)
        down = await tracking.ask_about_quiet()
        carrier.misbehave(fail="none")
        clock.advance(seconds=QUIET.total_seconds() + 1)

        assert (down, await tracking.ask_about_quiet()) == (0, 1)

    @pytest.mark.parametrize("end", [S.DELIVERED, S.LOST, S.RETURNED])
    async def test_what_has_ended_is_asked_about_no_more(
        self, tracking, hear, clock, end
    ):
        await hear(TrackingEvent("te_9", end, NOON))
        clock.advance(days=30)

        assert await tracking.ask_about_quiet() == 0


class TestReport:
    @pytest.fixture
    async def by_hand(self, place, stocked, ship):
        await stocked(POT=(5, 0))
        (shipment,) = await ship(await place(POT=1), by="hand")
        return shipment

    async def test_moves_what_is_made_by_hand(self, tracking, by_hand, clock):
        moved = await tracking.report(
            by_hand.id, S.DELIVERED, happened_at=None, actor="key:1"
        )

        assert (moved.status, moved.delivered_at) == (S.DELIVERED, clock())

    async def test_is_not_for_what_the_carrier_moves(self, tracking, shipment):
        with pytest.raises(shipping.ShipmentIsTracked):
            await tracking.report(
                shipment.id, S.DELIVERED, happened_at=None, actor="key:1"
            )

    async def test_is_not_for_what_never_left(self, tracking, by_hand, dispatch):
        await dispatch.cancel(by_hand.id, actor="key:1")

        with pytest.raises(shipping.ShipmentEnded):
            await tracking.report(
                by_hand.id, S.DELIVERED, happened_at=None, actor="key:1"
            )
