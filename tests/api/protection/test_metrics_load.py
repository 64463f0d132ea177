"""What is counted: everything, once, and under few names."""

import asyncio

import pytest
from loading import Loaded

from holdfast.resilience.concurrency import Fixed
from holdfast.resilience.events import (
    LimitStep,
    QueueModeChanged,
    QueueWait,
)

# A counter of a metric with all its labels stays below this.
MOST_SERIES = 200


@pytest.fixture
def loaded():
    return Loaded()


@pytest.fixture
def heard(loaded):
    return loaded.load.metrics.heard


class TestHeard:
    async def test_counts_calls_by_limit_and_outcome(self, loaded):
        limiter = loaded.load.limiters["read"]
        for _ in range(2):
            limiter.try_acquire().release()
        limiter.use(Fixed(1))
        limiter.try_acquire()
        # Three limits' worth may wait: the fourth is one too many.
        waiting = [asyncio.create_task(limiter.acquire()) for _ in range(4)]
        await asyncio.wait(waiting, return_when="FIRST_COMPLETED")
        limiter.bypass()

        counted = {
            status: loaded.counted(
                "concurrency_calls_total", kind="read", status=status
            )
            for status in ("success", "rejected", "bypassed")
        }
        assert counted == {"success": 2, "rejected": 1, "bypassed": 1}
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)

    @pytest.mark.parametrize(
        ("outcome", "stage"),
        [("full", "queue"), ("codel", "queue"), ("deadline", "deadline")],
    )
    def test_counts_who_waited_in_vain_as_shed(self, loaded, heard, outcome, stage):
        heard(QueueWait("read", 2, 0.2, outcome))

        labels = {"tier": "browse", "reason": outcome}
        assert loaded.counted("queue_dropped_total", **labels) == 1
        assert loaded.counted("shed_requests_total", stage=stage, **labels) == 1
        name = "queue_sojourn_seconds_sum"
        assert loaded.counted(name, tier="browse", outcome=outcome) == 0.2

    def test_counts_nobody_as_shed_who_was_served(self, loaded, heard):
        heard(QueueWait("read", 2, 0.2, "served"))

        assert loaded.load.metrics.shed_by_tier()["browse"] == 0

    @pytest.mark.parametrize(
        ("limit", "direction", "count"), [(21, "up", 1), (19, "down", 1), (20, "up", 0)]
    )
    def test_counts_steps_that_changed_a_limit(
        self, loaded, heard, limit, direction, count
    ):
        heard(LimitStep("read", 20, limit, "room", 0.5, 0.02, 0.01))

        labels = {"kind": "read", "direction": direction, "reason": "room"}
        name = "concurrency_limit_changes_total"
        assert loaded.counted(name, **labels) == count
        assert loaded.counted("concurrency_gradient", kind="read") == 0.5
        recent = {"kind": "read", "of": "recent"}
        assert loaded.counted("concurrency_rtt_seconds", **recent) == 0.02

    @pytest.mark.parametrize(("is_standing", "value"), [(True, 1), (False, 0)])
    def test_tells_the_order_of_a_queue(self, loaded, heard, is_standing, value):
        heard(QueueModeChanged("read", 2, is_standing))

        found = loaded.counted("queue_standing", kind="read", tier="browse")
        assert found == value

    def test_leaves_what_it_does_not_know(self, loaded, heard):
        before = loaded.text
        heard(object())

        assert loaded.text == before


class TestLook:
    def test_hands_everything_on_twice_a_second(self, loaded):
        loaded.load.metrics.offered[2] += 1
        read = loaded.registry.get_sample_value
        name, labels = "holdfast_requests_offered_total", {"tier": "browse"}
        loaded.look(9)
        assert not read(name, labels)
        loaded.look()

        assert read(name, labels) == 1
        loaded.look(20)
        assert read(name, labels) == 1

    def test_shows_how_the_process_fares(self, loaded):
        loaded.look(40, late=0.2, busy=1.0)

        assert loaded.counted("server_pressure_level") == 4
        assert loaded.counted("server_pressure", signal="lag") == 1
        assert loaded.counted("process_cpu_ratio") == pytest.approx(1, abs=0.05)
        assert loaded.counted("eventloop_lag_seconds_count") == 40
        assert loaded.counted("concurrency_limit", kind="read") == 64

    def test_counts_waits_for_the_pool(self, loaded):
        loaded.load.waited_for_pool(0.2)
        loaded.look(5)

        assert loaded.counted("db_pool_wait_seconds_count") == 1
        assert loaded.counted("server_pressure", signal="pool") == 1

    def test_keeps_its_series_few(self, loaded, heard):
        for tier in range(5):
            for kind in ("read", "write", "checkout", "report", "upload"):
                for outcome in ("served", "full", "codel", "deadline", "disconnect"):
                    heard(QueueWait(kind, tier, 0.1, outcome))
                heard(QueueModeChanged(kind, tier, is_standing=True))
        loaded.look(40)
        names = [
            line.split("{")[0].split(" ")[0]
            for line in loaded.text.splitlines()
            if not line.startswith("#") and "_bucket" not in line
        ]

        assert max(names.count(name) for name in names) < MOST_SERIES


class TestLoad:
    def test_tells_of_a_level_in_the_log(self, loaded, log):
        loaded.look(40, late=0.2, busy=1.0)
        loaded.look(80)

        told = [line for line in log() if line["event"] == "load_level_changed"]
        assert (told[0]["level"], told[0]["before"], told[0]["after"]) == (
            *("warning", 0, 4),
        )
        assert (told[-1]["level"], told[-1]["after"]) == ("info", 0)


class TestGoodAnswers:
    @pytest.mark.parametrize(
        ("status", "seconds", "counted"),
        [
            (200, 0.25, 1),
            (404, 0.01, 1),
            (409, 0.01, 1),
            (200, 0.26, 0),
            (429, 0.01, 0),
            (499, 0.01, 0),
            (500, 0.01, 0),
            (503, 0.01, 0),
        ],
    )
    def test_are_those_in_time_that_neither_failed_nor_refused(
        self, loaded, status, seconds, counted
    ):
        loaded.load.metrics.answered(2, status, seconds)

        assert loaded.counted("goodput_requests_total", tier="browse") == counted
