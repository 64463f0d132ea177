"""Who is turned away on the doorstep gets an answer like any other, and no more."""

import asyncio
import io
import socket
from contextlib import asynccontextmanager

import msgspec
import pytest
import uvicorn
from loading import Loaded

from holdfast.api.app import Application
from holdfast.api.connection import Connection
from holdfast.api.doorstep import DOORSTEP, Doorstep, Rule
from holdfast.api.match import Router
from holdfast.api.protection.gate import Gate
from holdfast.api.routes import ROUTES
from holdfast.cli.serve import Server
from holdfast.domain.accounts import Hasher, SignInBusy
from holdfast.platform.metrics import Metrics
from holdfast.platform.telemetry import AccessLog
from holdfast.resilience.load.shedder import LEVELS

POST = b"POST /tea HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nmilk"
GET = b"GET /tea HTTP/1.1\r\nhost: x\r\n\r\n"
LOOK = b"GET /v1/products HTTP/1.1\r\nhost: x\r\n\r\n"


class Room:
    """An application with a doorstep: what it has, and what came to it."""

    def __init__(self):
        self.is_full = True
        self.came = []
        self.slow = asyncio.Event()
        self.slow.set()
        self.lines = io.BytesIO()
        self.log = AccessLog("json", self.lines)
        self.metrics = Metrics({})
        self.gate = None
        self.refusals = [SignInBusy(8.0), SignInBusy(9.0)]

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            rule = Rule("POST", "/tea", lambda: self.is_full, self.refusals)
            doorstep = Doorstep(
                [rule], metrics=self.metrics, log=self.log, gate=self.gate
            )
            scope["state"][DOORSTEP] = doorstep
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await self.slow.wait()
        body = (await receive())["body"]
        self.came.append((scope["method"], scope["path"], bytes(body)))
        fields = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": b"ok"})


class Answer:
    """A response, in parts."""

    def __init__(self, head, body):
        first, *fields = head.decode().split("\r\n")[:-2]
        self.status = int(first.split()[1])
        self.headers = dict(field.split(": ", 1) for field in fields)
        self.body = body

    @property
    def said(self):
        return msgspec.json.decode(self.body)


class Client:
    """One connection."""

    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer

    def send(self, request):
        self._writer.write(request)

    async def answer(self):
        head = await self._reader.readuntil(b"\r\n\r\n")
        answer = Answer(head, b"")
        answer.body = await self._reader.readexactly(
            int(answer.headers["content-length"])
        )
        return answer

    async def ask(self, request):
        self.send(request)
        return await self.answer()

    async def rest(self):
        return await self._reader.read()


@asynccontextmanager
async def served(app, **config):
    """A real server on a real port; gives the way to connect to it."""
    server = Server(
        uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            **config,
        ),
        parent=None,
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            running = group.create_task(server._serve([listener]))
            writers = []

            async def connect():
                address = listener.getsockname()
                reader, writer = await asyncio.open_connection(*address)
                writers.append(writer)
                return Client(reader, writer)

            try:
                yield connect
            finally:
                for writer in writers:
                    writer.close()
                server.should_exit = True
                await running


@pytest.fixture
async def room():
    return Room()


@pytest.fixture
async def client(room):
    async with served(room) as connect:
        yield await connect()


class TestAnswer:
    async def test_is_a_problem_document_that_says_when_to_come_back(
        self, client, room
    ):
        answer = await client.ask(POST)

        assert answer.status == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"] == "8"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "date" in answer.headers
        assert answer.said == {
            "type": "/problems/sign-in-busy",
            "title": "Too many people are signing in at the moment.",
            "status": 503,
            "instance": f"/requests/{answer.headers['x-request-id']}",
        }
        assert room.came == []

    async def test_takes_the_clients_request_id(self, client):
        asked = POST.replace(b"host: x", b"host: x\r\nX-Request-Id: %d100%")

        answer = await client.ask(asked)

        assert answer.headers["x-request-id"] == "%d100%"
        assert answer.said["instance"] == "/requests/%d100%"

    async def test_gives_each_another_time_to_come_back(self, client):
        waits = [(await client.ask(POST)).headers["retry-after"] for _ in range(3)]

        assert waits == ["8", "9", "8"]

    async def test_is_logged_and_counted_like_any_other(self, client, room):
        request_id = (await client.ask(POST)).headers["x-request-id"]

        room.log.flush()
        (line,) = room.lines.getvalue().splitlines()
        noted = msgspec.json.decode(line)
        assert noted["request_id"] == request_id
        assert noted["decisions"] == ["doorstep:/tea=full"]
        assert noted["level"] == "error"
        assert (noted["method"], noted["path"], noted["route"], noted["status"]) == (
            *("POST", "/tea", "/tea", 503),
        )
        assert noted["client"] == "127.0.0.1"
        counted = room.metrics.expose().decode()
        count = 'requests_total{method="POST",route="/tea",status="503"} 1.0'
        assert count in counted


class TestWho:
    async def test_is_let_in_where_there_is_room(self, client, room):
        room.is_full = False

        answer = await client.ask(POST)

        assert (answer.status, answer.body) == (200, b"ok")
        assert room.came == [("POST", "/tea", b"milk")]

    @pytest.mark.parametrize(
        "request_",
        [GET, POST.replace(b"/tea", b"/milk"), POST.replace(b"/tea", b"/te%61")],
    )
    async def test_goes_its_way_if_it_is_another_request(self, client, room, request_):
        assert (await client.ask(request_)).status == 200
        assert len(room.came) == 1

    async def test_is_turned_away_whatever_the_query(self, client):
        answer = await client.ask(POST.replace(b"/tea", b"/tea?x=1"))

        assert answer.status == 503


class TestConnection:
    async def test_is_good_for_the_next_request(self, client, room):
        await client.ask(POST)
        room.is_full = False

        answer = await client.ask(POST.replace(b"milk", b"lime"))

        assert answer.status == 200
        assert room.came == [("POST", "/tea", b"lime")]

    async def test_is_answered_before_the_body_which_is_read_past(self, client, room):
        head, body = POST[:-4], POST[-4:]
        early = await client.ask(head)
        client.send(body[:1])
        client.send(body[1:])

        later = await client.ask(GET)

        assert early.status == 503
        assert later.status == 200
        assert room.came == [("GET", "/tea", b"")]

    async def test_is_closed_where_the_client_asks_for_that(self, client):
        client.send(POST.replace(b"host: x", b"host: x\r\nconnection: close"))

        answer = await client.answer()

        assert answer.headers["connection"] == "close"
        assert await client.rest() == b""

    async def test_answers_in_the_order_of_the_requests(self, client, room):
        room.slow.clear()
        client.send(GET + POST + GET)
        await asyncio.sleep(0)
        room.slow.set()

        statuses = [(await client.answer()).status for _ in range(3)]

        assert statuses == [200, 200, 200]
        assert [method for method, _, _ in room.came] == ["GET", "POST", "GET"]

    @pytest.mark.parametrize("pieces", [[POST], [POST[:-4], POST[-4:]]])
    async def test_that_is_not_used_again_is_closed(self, room, pieces):
        async with served(room, timeout_keep_alive=0.05) as connect:
            client = await connect()
            client.send(pieces[0])
            answer = await client.answer()
            for piece in pieces[1:]:
                client.send(piece)

            assert await client.rest() == b""
        assert answer.status == 503


class TestFlood:
    @pytest.fixture
    def flooded(self, room):
        """A gate at the highest level of load: who only looks is refused."""
        loaded = Loaded()
        loaded.force(4)
        room.gate = Gate(loaded.load, Router(ROUTES))
        return loaded

    async def test_is_refused_without_being_parsed(
        self, flooded, client, room, monkeypatch
    ):
        monkeypatch.delattr(Connection, "on_message_begin")
        monkeypatch.delattr(Connection, "on_headers_complete")

        answers = [await client.ask(LOOK) for _ in range(3)]

        assert [answer.status for answer in answers] == [503] * 3
        waits = {int(answer.headers["retry-after"]) for answer in answers}
        assert waits <= set(range(2, 9))
        assert len({answer.headers["x-request-id"] for answer in answers}) == 3
        assert room.came == []
        counted = flooded.load.metrics.offered
        assert sum(counted) == 3
        told = room.metrics.expose().decode()
        line = 'holdfast_http_requests_total{method="GET",route="/v1/products",'
        assert f'{line}status="503"}} 3.0' in told

    async def test_lets_who_is_judged_in_pass_and_judges_them_once(
        self, flooded, client, room
    ):
        flooded.load.shedder.hold(LEVELS - 1)

        answer = await client.ask(LOOK)

        assert answer.status == 200
        assert room.came == [("GET", "/v1/products", b"")]
        assert sum(flooded.load.metrics.offered) == 1

    async def test_leaves_a_connection_that_serves_when_it_is_over(
        self, flooded, client, room
    ):
        refused = [await client.ask(LOOK), await client.ask(LOOK)]
        flooded.load.guard.levels.release()
        served = await client.ask(LOOK)
        whole = await client.ask(POST.replace(b"/tea", b"/v1/carts"))

        assert [answer.status for answer in refused] == [503, 503]
        assert (served.status, whole.status) == (200, 200)
        assert room.came[1] == ("POST", "/v1/carts", b"milk")

    async def test_keeps_a_connection_for_as_long_as_it_is_used(self, flooded, room):
        async with served(room, timeout_keep_alive=0.2) as connect:
            client = await connect()
            flooded.load.guard.levels.release()
            await client.ask(LOOK)
            flooded.force(4)
            now = asyncio.get_running_loop().time
            used_until = now() + 0.5
            while now() < used_until:
                assert (await client.ask(LOOK)).status == 503

            assert await client.rest() == b""


class TestSignIn:
    async def test_is_turned_away_as_the_whole_application_would(self, shop):
        shop.access_log = None

        @asynccontextmanager
        async def opened():
            yield shop

        body = msgspec.json.encode(
            {"email": "a@example.com", "password": "x", "client_id": "y"}
        )
        request = b"POST /v1/%s HTTP/1.1\r\nhost: x\r\nx-request-id: r1\r\n"
        request += b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
        async with served(Application(opened, ROUTES)) as connect:
            client = await connect()
            # After the start, so that each way tells another time to wait.
            open_, shop.hasher = shop.hasher, Hasher(places=1, waiting=-1)
            short = await client.ask(request % (b"sessions", len(body), body))
            long = await client.ask(request % (b"session%73", len(body), body))
            shop.hasher.close()
            shop.hasher = open_

        assert short.status == long.status == 503
        assert short.said == long.said
        assert short.headers.pop("retry-after") == "8"
        assert long.headers.pop("retry-after") == "1"
        assert {**short.headers, "date": ""} == {**long.headers, "date": ""}
