import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from holdfast.api.app import Application, build
from holdfast.api.policy import Priority, Route
from holdfast.api.shop import opened


class Life:
    """The server's side of a lifespan."""

    def __init__(self, app):
        self.app = app
        self.messages = asyncio.Queue()
        self.answers = asyncio.Queue()
        self.running = None

    async def start(self):
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}}
        self.running = asyncio.create_task(
            self.app(scope, self.messages.get, self.answers.put)
        )
        await self.messages.put({"type": "lifespan.startup"})
        return await self.answers.get()

    async def stop(self):
        await self.messages.put({"type": "lifespan.shutdown"})
        answer = await self.answers.get()
        await self.running
        return answer


def client_of(app):
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://shop.test")


class TestBuild:
    async def test_serves_between_the_start_and_the_stop(self, settings):
        app = build(settings)
        life = Life(app)

        assert await life.start() == {"type": "lifespan.startup.complete"}
        async with client_of(app) as client:
            assert (await client.get("/readyz")).json()["status"] == "ready"
            assert (await client.get("/v1/products")).json()["items"] == []
        assert await life.stop() == {"type": "lifespan.shutdown.complete"}

    async def test_opens_redis_where_there_is_one(self, settings, valkey):
        app = build(replace(settings, redis_url=valkey.url))
        life = Life(app)
        await life.start()

        async with client_of(app) as client:
            checks = (await client.get("/readyz")).json()["checks"]
        await life.stop()

        assert checks["redis"]["status"] == "ok"

    async def test_counts_what_it_answers(self, settings):
        app = build(settings)
        life = Life(app)
        await life.start()

        async with client_of(app) as client:
            await client.get("/livez")
            metrics = await client.get("/metrics")
        await life.stop()

        assert metrics.headers["content-type"].startswith("text/plain; version=")
        assert 'route="/livez",status="200"} 1.0' in metrics.text

    @pytest.mark.parametrize(("level", "lines"), [("info", 1), ("warning", 0)])
    async def test_logs_requests_unless_the_level_is_above_them(
        self, settings, capfdbinary, level, lines
    ):
        app = build(replace(settings, log_level=level))
        life = Life(app)
        await life.start()
        async with client_of(app) as client:
            await client.get("/livez")
        await life.stop()

        assert capfdbinary.readouterr().out.count(b'"route":"/livez"') == lines

    async def test_does_not_start_without_a_database_to_talk_to(self, settings, log):
        answer = await Life(build(replace(settings, database_url=None))).start()

        assert answer["type"] == "lifespan.startup.failed"
        assert answer["message"] == "DATABASE_URL must be set"
        assert [line["event"] for line in log()] == ["start_failed"]

    async def test_does_not_start_with_a_route_that_leaves_something_open(
        self, settings, log
    ):
        async def nothing():
            return None

        route = Route("GET", "/v1/x", nothing, cost=1, priority=Priority.BUY)

        answer = await Life(build(settings, [route])).start()

        assert answer["type"] == "lifespan.startup.failed"
        assert "/v1/x" in answer["message"]
        assert log()[0]["event"] == "start_failed"


class TestApplication:
    async def test_says_when_it_could_not_stop_cleanly(self, settings, log):
        @asynccontextmanager
        async def broken():
            async with opened(settings) as shop:
                yield shop
            raise OSError("the disk is gone")

        life = Life(Application(broken, ()))
        await life.start()

        answer = await life.stop()

        assert answer["type"] == "lifespan.shutdown.failed"
        assert [line["event"] for line in log()] == ["stop_failed"]

    async def test_serves_nobody_before_it_was_started(self, settings):
        async with client_of(build(settings)) as client:
            with pytest.raises(
                RuntimeError, match="before the application was started"
            ):
                await client.get("/livez")
