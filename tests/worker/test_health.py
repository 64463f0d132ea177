"""The worker says over HTTP how it is."""

import asyncio

import httpx
import pytest

from holdfast.worker.health import STUCK_SECONDS, Health
from holdfast.worker.metrics import Metrics
from holdfast.worker.recurring import Recurring


class Timer:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def timer():
    return Timer()


@pytest.fixture
def activity(timer):
    async def step() -> float:
        return 0

    return Recurring("relay", step, timer=timer)


@pytest.fixture
async def client(activity, timer):
    health = Health([activity], Metrics(), timer=timer)
    async with (
        health.served("127.0.0.1", 0) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        yield client


class TestLivez:
    async def test_is_well_while_activities_come_round(self, client):
        answer = await client.get("/livez")

        assert (answer.status_code, answer.text) == (200, "ok\n")

    async def test_names_an_activity_that_stopped(self, client, timer):
        timer.now += STUCK_SECONDS + 1

        answer = await client.get("/livez")

        assert (answer.status_code, answer.text) == (503, "not well: relay\n")

    async def test_a_failing_activity_is_alive(self, client, activity):
        activity.failures = 1

        assert (await client.get("/livez?verbose=1")).status_code == 200


class TestReadyz:
    async def test_a_failing_activity_is_not_ready(self, client, activity):
        activity.failures = 1

        assert (await client.get("/readyz")).status_code == 503

    async def test_one_that_others_do_not_need_is_only_named(self, client, activity):
        activity.failures, activity.dispensable = 1, True

        answer = await client.get("/readyz")

        assert (answer.status_code, answer.text) == (200, "degraded: relay\n")


class TestMetrics:
    async def test_are_in_the_text_format(self, client):
        answer = await client.get("/metrics")

        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert "holdfast_worker_events_relayed_total 0.0" in answer.text


class TestOtherRequests:
    async def test_other_paths_are_not_there(self, client):
        assert (await client.get("/")).status_code == 404

    async def test_other_methods_are_not_allowed(self, client):
        assert (await client.post("/livez")).status_code == 405

    @pytest.mark.parametrize("sent", [b"", b"GET /", b"x" * 100_000])
    async def test_nonsense_ends_the_connection_and_nothing_else(self, client, sent):
        port = client.base_url.port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        if len(sent) < 100:
            writer.write_eof()
        # It may be reset rather than ended, as not all was read.
        try:
            said = await reader.read()
        except ConnectionResetError:
            said = b""
        writer.close()

        assert said == b""
        assert (await client.get("/livez")).status_code == 200
