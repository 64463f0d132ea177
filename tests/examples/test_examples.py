"""The examples do what they say, each around its framework."""

import asyncio
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import aiohttp
import httpx
import pytest

from holdfast.platform.embedded.ports import free_port
from holdfast.resilience import Quota
from holdfast.resilience.asgi import App, Receive, Scope, Send

FOLDER = Path(__file__).parents[2] / "examples"
APPS = ["bare_asgi", "fastapi_app", "litestar_app", "starlette_app"]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Import an example as if it were run in its folder."""
    monkeypatch.syspath_prepend(str(FOLDER))
    before = set(sys.modules)

    def run(name: str) -> ModuleType:
        return importlib.import_module(name)

    yield run
    for name in set(sys.modules) - before:
        if (FOLDER / f"{name}.py").exists():
            del sys.modules[name]


def client_of(app: App) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://example.test")


@pytest.mark.parametrize("name", APPS)
class TestApps:
    async def test_answers_as_it_did(self, load, name) -> None:
        async with client_of(load(name).app) as client:
            answer = await client.get("/")

        assert answer.status_code == 200
        assert "hello" in answer.text

    async def test_tells_who_asks_too_often(self, load, name) -> None:
        async with client_of(load(name).app) as client:
            answers = [await client.get("/") for _ in range(60)]

        last = answers[-1]
        assert last.status_code == 429
        assert int(last.headers["retry-after"]) >= 1
        assert last.headers["ratelimit-policy"] == '"everybody";q=40;w=4'

    async def test_refuses_a_body_that_is_too_large(self, load, name) -> None:
        async with client_of(load(name).app) as client:
            answer = await client.post("/", content=b"x" * (2 << 20))

        assert answer.status_code == 413


class TestShield:
    async def test_lets_orders_go_first_when_there_is_too_much(self, load) -> None:
        going = asyncio.Event()
        served: list[str] = []

        async def slow(scope: Scope, receive: Receive, send: Send) -> None:
            await going.wait()
            served.append(scope["path"])
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        plenty = Quota("plenty", burst=10_000, tokens=10_000)
        app = load("shield").shield(slow, plenty)
        async with client_of(app) as client, asyncio.TaskGroup() as group:
            for number in range(30):
                group.create_task(client.get(f"/browse/{number}"))
            for _ in range(16):
                await asyncio.sleep(0)
            order = group.create_task(client.get("/orders/1"))
            health = group.create_task(client.get("/health"))
            for _ in range(50):
                await asyncio.sleep(0)
            going.set()

        assert order.result().status_code == health.result().status_code == 200
        # Sixteen were under way before it came; it waited for none of the others.
        assert "/orders/1" in served[:19]


class TestOutbound:
    async def test_stops_asking_what_does_not_answer(self, load) -> None:
        example = load("outbound")
        url = f"http://127.0.0.1:{free_port()}"

        async with aiohttp.ClientSession(trust_env=False) as session:
            said = [await example.forecast(session, url) for _ in range(12)]

        assert said[0].startswith("no answer")
        assert said[-1] == "not asked: CircuitOpen"
