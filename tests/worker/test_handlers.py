"""Jobs to workflows: found, counted, and judged when they fail."""

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

import holdfast
from holdfast.domain.notifications import MailRefused, MailServerUnavailable
from holdfast.domain.ordering import OrderNotFound
from holdfast.kernel.ids import new_id
from holdfast.platform.db import DatabaseUnavailable
from holdfast.platform.jobs import Job
from holdfast.worker.handlers import (
    TASKS,
    TASKS_BY_EVENT,
    Handler,
    Reach,
    TaskUnknown,
    is_final,
)
from holdfast.worker.metrics import Metrics

SOURCES = Path(holdfast.__file__).parent
EVENT = re.compile(
    r'"((?:accounts|catalog|inventory|ordering|payments|shipping)\.[a-z_]+\.[a-z_]+)"'
)


@pytest.fixture
def reach(clock):
    return Reach(db=None, vault=None, mailer=None, clock=clock)


@pytest.fixture
def metrics():
    return Metrics()


def counted(metrics: Metrics, task: str, outcome: str) -> float | None:
    registry: CollectorRegistry = metrics.registry
    return registry.get_sample_value(
        "holdfast_worker_jobs_total", {"task": task, "outcome": outcome}
    )


class TestTable:
    def test_every_task_an_event_names_exists(self):
        named = {task for tasks in TASKS_BY_EVENT.values() for task in tasks}

        assert named == TASKS.keys()

    def test_every_event_of_this_release_is_in_it(self):
        """One that is missing would be left for another release for ever."""
        published = set()
        for part in ("domain", "workflows"):
            for file in (SOURCES / part).rglob("*.py"):
                published.update(EVENT.findall(file.read_text()))

        assert len(published) > 30
        assert published == TASKS_BY_EVENT.keys()


class TestHandler:
    async def test_runs_the_task_of_the_job(self, reach, metrics):
        ran = []

        async def task(job, given):
            ran.append((job, given))

        job = Job("greet", new_id(), "shop.opened", {})
        await Handler(reach, metrics, {"greet": task})(job)

        assert ran == [(job, reach)]
        assert counted(metrics, "greet", "done") == 1

    async def test_a_task_it_does_not_know_is_logged_and_given_back(
        self, reach, metrics
    ):
        job = Job("juggle", new_id(), "circus.came", {})

        with capture_logs() as logs, pytest.raises(TaskUnknown) as unknown:
            await Handler(reach, metrics, {})(job)

        assert not is_final(unknown.value)
        assert logs[0]["event"] == "task_unknown"
        assert logs[0]["task"] == "juggle"
        assert counted(metrics, "unknown", "given_back") == 1

    @pytest.mark.parametrize(
        ("error", "outcome"),
        [(DatabaseUnavailable(), "failed"), (OrderNotFound(), "refused")],
    )
    async def test_a_failure_is_counted_and_passed_on(
        self, reach, metrics, error, outcome
    ):
        async def task(job, given):
            raise error

        with capture_logs() as logs, pytest.raises(type(error)):
            await Handler(reach, metrics, {"greet": task})(
                Job("greet", new_id(), "shop.opened", {})
            )

        assert counted(metrics, "greet", outcome) == 1
        assert logs[0]["outcome"] == outcome


class TestIsFinal:
    @pytest.mark.parametrize("error", [OrderNotFound(), MailRefused("no"), KeyError()])
    def test_what_will_not_change_is_final(self, error):
        assert is_final(error)

    @pytest.mark.parametrize(
        "error",
        [
            DatabaseUnavailable(),
            MailServerUnavailable("down"),
            TimeoutError(),
            RuntimeError("a fault of the code, mended by the next release"),
        ],
    )
    def test_what_may_change_is_not(self, error):
        assert not is_final(error)
