"""The examples do what they say, each around its framework."""

import asyncio
import importlib
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import aiohttp
import httpx
import litestar
import pytest
from starlette.routing import Route

from holdfast.platform.embedded.ports import free_port
from holdfast.resilience import CircuitOpen, Quota, Rejected, TimedOut
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

    async def test_answers_who_asks_for_health_however_often(self, load, name) -> None:
        async with client_of(load(name).app) as client:
            answers = [await client.get("/health") for _ in range(60)]

        # (The plain function has no paths, and says hello to all.)
        assert {answer.status_code for answer in answers} == {200}


async def busy() -> None:
    """What a handler may meet: a circuit that is open."""
    raise CircuitOpen(2.5, dependency="weather")


async def lost() -> None:
    """A call whose outcome is not known."""
    raise TimedOut(1.0)


async def take(request: Any) -> Any:
    """Read the body, as handlers do."""
    return await request.json()


def fastapi_with(module: ModuleType, handlers: dict[str, Any]) -> None:
    for path, handler in handlers.items():
        if handler is take:
            # As most have it: FastAPI itself reads the body.
            async def takes(body: dict[str, Any]) -> dict[str, Any]:
                return body

            module.api.post(path)(takes)
        else:
            module.api.get(path)(handler)


def starlette_with(module: ModuleType, handlers: dict[str, Any]) -> None:
    for path, handler in handlers.items():

        async def endpoint(request: Any, handler: Any = handler) -> None:
            await (handler(request) if handler is take else handler())

        module.api.router.routes.append(Route(path, endpoint, methods=["GET", "POST"]))


def litestar_with(module: ModuleType, handlers: dict[str, Any]) -> None:
    for path, handler in handlers.items():
        if handler is take:

            async def takes(request: litestar.Request[Any, Any, Any]) -> Any:
                return await request.json()

            module.api.register(litestar.post(path)(takes))
        else:
            module.api.register(litestar.get(path)(handler))


@pytest.mark.parametrize(
    ("name", "serving"),
    [
        ("fastapi_app", fastapi_with),
        ("starlette_app", starlette_with),
        ("litestar_app", litestar_with),
    ],
    ids=["fastapi", "starlette", "litestar"],
)
class TestFrameworks:
    """They answer what is raised inside them before any layer hears of it."""

    async def test_say_what_a_handler_was_refused(self, load, name, serving) -> None:
        module = load(name)
        serving(module, {"/busy": busy})
        async with client_of(module.app) as client:
            answer = await client.get("/busy")

        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "3"
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.text.startswith("A service that this depends on")

    async def test_say_that_an_outcome_is_unknown(self, load, name, serving) -> None:
        module = load(name)
        serving(module, {"/lost": lost})
        async with client_of(module.app) as client:
            answer = await client.get("/lost")

        assert answer.status_code == 504
        assert "Outcome: unknown." in answer.text

    async def test_make_nothing_else_of_a_body_that_is_too_large(
        self, load, name, serving
    ) -> None:
        module = load(name)
        serving(module, {"/take": take})

        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(20):
                yield b" " * (1 << 16)

        async with client_of(module.app) as client:
            answer = await client.post(
                "/take",
                content=pieces(),
                headers={"content-type": "application/json"},
            )

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


class TestFastApiThatAsks:
    async def test_outlives_the_service_it_asks(self, load, monkeypatch) -> None:
        example = load("fastapi_outbound")
        monkeypatch.setattr(example, "WEATHER", f"http://127.0.0.1:{free_port()}/")

        async with (
            example.api.router.lifespan_context(example.api) as state,
            client_of(with_state(example.app, state)) as client,
        ):
            answers = [await client.get("/weather") for _ in range(8)]

        assert answers[0].status_code == 502
        assert answers[-1].status_code == 503
        assert int(answers[-1].headers["retry-after"]) >= 1

    async def test_hears_when_the_service_wants_to_be_asked_less(self, load) -> None:
        def says(status: int, **headers: str) -> httpx.AsyncClient:
            def reply(_request: httpx.Request) -> httpx.Response:
                return httpx.Response(status, headers=headers, text="fine")

            return httpx.AsyncClient(transport=httpx.MockTransport(reply))

        example = load("fastapi_outbound")
        async with says(429, **{"retry-after": "7"}) as client:
            with pytest.raises(Rejected) as refused:
                await example.get(client, "http://weather.test/")
        async with says(500) as client:
            with pytest.raises(example.Unwell):
                await example.get(client, "http://weather.test/")
        async with says(200) as client:
            said = await example.get(client, "http://weather.test/")

        assert refused.value.retry_after_seconds == 7
        assert said.text == "fine"


def with_state(app: App, state: dict[str, Any]) -> App:
    """What a server does with what an app's lifespan gives it."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = dict(state)
        await app(scope, receive, send)

    return served
