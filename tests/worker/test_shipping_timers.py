"""The worker ends what waits for the carrier, asks about what is quiet, and counts."""

import pytest

from holdfast.domain import notifications, ordering, shipping
from holdfast.domain.inventory import MAIN
from holdfast.domain.shipping import NewShipment
from holdfast.kernel.ids import new_id
from holdfast.platform.jobs import Job
from holdfast.worker.handlers import TASKS, Reach
from holdfast.worker.metrics import Metrics
from holdfast.worker.shipping_timers import shipping_timers


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def a_shipment(buy, database, clock):
    """A shipment of a confirmed order, as a request that died left it."""

    async def make():
        order = (await buy()).order
        new = NewShipment(
            id=new_id(),
            order_id=order.id,
            request_id=new_id(),
            location_id=MAIN,
            carried_by="hand",
            service=None,
            tracking_number="BIKE-1",
            units={1: 2},
        )
        async with database.transaction() as tx:
            await ordering.mark_fulfilled(
                tx, order.id, {1: 2}, actor="key:1", at=clock()
            )
            await shipping.add(tx, new, actor="key:1", at=clock())
        return new

    return make


@pytest.fixture
def timers(shop, clock, metrics):
    reach = Reach(shop.db, shop.vault, None, clock, carrier=shop.carrier)
    return {timer.name: timer for timer in shipping_timers(reach, metrics)}


class TestTimers:
    async def test_each_runs_over_an_empty_shop(self, timers, metrics):
        for timer in timers.values():
            await timer.run()

        read = metrics.registry.get_sample_value
        assert read("holdfast_shipments_open", {"status": "exception"}) == 0
        assert read("holdfast_worker_shipments_finished_total") == 0

    async def test_what_waits_is_ended_after_a_while(
        self, timers, metrics, a_shipment, clock, shop
    ):
        """Nothing was reserved for it, so it comes to nothing."""
        waiting, read = await a_shipment(), metrics.registry.get_sample_value
        await timers["finish_shipments"].run()
        early = read("holdfast_worker_shipments_finished_total")
        clock.advance(seconds=12)

        await timers["finish_shipments"].run()

        late = read("holdfast_worker_shipments_finished_total")
        assert (early, late) == (0, 1)
        found = await shipping.find(shop.db, waiting.id)
        assert (found.status, found.failure_reason) == ("canceled", "not_in_stock")

    async def test_what_is_open_is_counted_by_status(self, timers, metrics, a_shipment):
        await a_shipment()

        await timers["measure_shipments"].run()

        read = metrics.registry.get_sample_value
        assert read("holdfast_shipments_open", {"status": "pending"}) == 1

    def test_without_a_carrier_it_is_only_counted(self, shop, clock, metrics):
        reach = Reach(shop.db, shop.vault, None, clock)

        (only,) = shipping_timers(reach, metrics)

        assert only.name == "measure_shipments"


class TestTasks:
    @pytest.mark.parametrize(
        ("task", "says"),
        [("tell_of_shipment", "is on its way"), ("tell_of_delivery", "has arrived")],
    )
    async def test_tell_the_buyer(self, task, says, a_shipment, shop, clock):
        shipment = await a_shipment()
        reach = Reach(shop.db, shop.vault, None, clock)
        job = Job(task, new_id(), "shipping", {"shipment_id": str(shipment.id)})

        await TASKS[task](job, reach)

        (mail,) = await notifications.latest(shop.db, shop.vault, limit=5)
        assert says in mail.subject
        assert "BIKE-1" in mail.body or task == "tell_of_delivery"
