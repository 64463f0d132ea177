"""The worker ends what waits for the carrier, asks about what is quiet, and counts."""

import pytest

from holdfast.worker.handlers import Reach
from holdfast.worker.metrics import Metrics
from holdfast.worker.shipping_timers import shipping_timers


@pytest.fixture
def metrics():
    return Metrics()


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

    def test_without_a_carrier_it_is_only_counted(self, shop, clock, metrics):
        reach = Reach(shop.db, shop.vault, None, clock)

        (only,) = shipping_timers(reach, metrics)

        assert only.name == "measure_shipments"
