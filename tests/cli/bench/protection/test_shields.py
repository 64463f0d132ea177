"""A bare application behind everything: it is served, and refuses in time."""

import asyncio

from holdfast.api.doorstep import DOORSTEP
from holdfast.api.protection.gate import Refused
from holdfast.cli.bench.protection.handlers import HANDLERS, Served
from holdfast.cli.bench.protection.server import Application
from holdfast.cli.bench.protection.shields import SHIELDS


class Asked:
    """One request to an application, and what it answers."""

    def __init__(self, port: int = 4_000) -> None:
        self.said = []
        self._scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
        self._scope["client"] = ("127.0.0.1", port)

    async def of(self, app) -> int:
        heard = asyncio.Event()

        async def receive():
            if heard.is_set():
                await asyncio.Event().wait()
            heard.set()
            return {"type": "http.request", "body": b""}

        async def send(message):
            self.said.append(message)

        await app(self._scope, receive, send)
        return self.said[0]["status"]


class TestHandlers:
    async def test_use_the_time_that_they_are_named_for(self):
        served = Served()

        for handler in HANDLERS.values():
            assert await Asked().of(handler.make(served)) == 200

        assert served.count == len(HANDLERS)


class TestProtected:
    async def test_serves_what_it_can(self):
        served = Served()
        async with (
            SHIELDS["all"](HANDLERS["io"].make(served)) as (app, _),
            asyncio.TaskGroup() as group,
        ):
            asked = [group.create_task(Asked(n).of(app)) for n in range(10)]

        assert [one.result() for one in asked] == [200] * 10
        assert served.count == 10

    async def test_refuses_what_would_wait_too_long(self):
        served = Served()
        async with (
            SHIELDS["all"](HANDLERS["io"].make(served)) as (app, _),
            asyncio.TaskGroup() as group,
        ):
            asked = [group.create_task(Asked(n).of(app)) for n in range(400)]

        told = [one.result() for one in asked]
        assert set(told) <= {200, 503, 504}
        assert 10 <= told.count(200) <= served.count < 300

    async def test_refuses_in_the_connection_once_the_line_is_long(self):
        async with SHIELDS["all"](HANDLERS["w20"].make(Served())) as (_, state):
            door = state[DOORSTEP]

            def knock() -> object:
                return door.turn_away(b"GET", b"/", [], "4000")

            assert isinstance(knock(), int)
            while not isinstance(refused := knock(), Refused):
                door.gate.arrivals.entered()
            assert refused.head.startswith(b"HTTP/1.1 503 ")
            assert refused.is_kept
            assert 40e-6 < door.gate.spent() < 0.1
            assert door.gate.spent() == 0
            door.gate.paused()


class TestApplication:
    async def test_protects_as_long_as_the_server_runs(self):
        served, told = Served(), []
        app = Application(HANDLERS["io"].make(served), SHIELDS["all"])
        started, over = asyncio.Event(), asyncio.Event()

        async def receive():
            if started.is_set():
                await over.wait()
            return {"type": "lifespan.startup"}

        async def send(message):
            told.append(message["type"])
            started.set()

        scope = {"type": "lifespan", "state": {}}
        async with asyncio.TaskGroup() as group:
            group.create_task(app(scope, receive, send))
            await started.wait()
            assert await Asked().of(app) == 200
            assert DOORSTEP in scope["state"]
            over.set()

        assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
