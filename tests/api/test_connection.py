import asyncio
import gc
import socket
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import msgspec
import pytest
import uvicorn
import uvloop
from litestar import Request

from holdfast.api.access import Telemetry
from holdfast.api.connection import MAX_ADDRESS_BYTES, MAX_FIELDS, Connection
from holdfast.api.decoding import pieces
from holdfast.cli.serve import Server
from holdfast.platform.metrics import Metrics
from holdfast.resilience.asgi import Rejection, Reply, RequestDeadline, stack

BIG = 1 << 20


class Impatient(Connection):
    """Gives up sooner than a test does."""

    head_seconds = 0.05
    body_seconds = 0.05
    write_seconds = 0.05


@asynccontextmanager
async def served(app, protocol=Connection):
    """A real server on a real port; gives the way to connect to it."""
    config = uvicorn.Config(
        app, http=protocol, ws="none", log_config=None, access_log=False, lifespan="off"
    )
    server = Server(config, parent=None)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            running = group.create_task(server._serve([listener]))
            port = listener.getsockname()[1]

            async def connect():
                return await asyncio.open_connection("127.0.0.1", port)

            try:
                yield connect
            finally:
                server.should_exit = True
                await running


async def show():
    return {"tea": True}


async def echo(data: dict[str, object]):
    return data


async def large():
    return "x" * (8 << 20)


async def broken(_scope, _receive, _send):
    raise ValueError


@pytest.fixture
def site(edge, route):
    return edge(
        route("GET", "/v1/tea", show),
        route("POST", "/v1/echo", echo),
        route("GET", "/v1/large", large),
    )


async def talk(connect, *pieces):
    """Send the pieces and read until the server closes."""
    reader, writer = await connect()
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        answer = await reader.read()
    except ConnectionError:
        # Cut while still sending: what had been answered may be lost.
        answer = b""
    finally:
        writer.close()
    return answer


def parts(answer):
    """Status, header fields and problem type of a raw answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *fields = head.decode().split("\r\n")
    headers = dict(field.lower().split(": ", 1) for field in fields)
    return int(first.split()[1]), headers, msgspec.json.decode(body)


class TestHead:
    @pytest.mark.parametrize(
        ("pieces", "status", "slug"),
        [
            ((b"garbage\r\n\r\n",), 400, "malformed-request"),
            ((b"GET / HTTP/9.9\r\n\r\n",), 400, "malformed-request"),
            ((b"\x16\x03\x01\x02\x00\x01\x00",), 400, "malformed-request"),
            ((b"GET /v1/tea HTTP/1.1\r\nA B: x\r\n\r\n",), 400, "malformed-request"),
            (
                (
                    b"POST /v1/echo HTTP/1.1\r\nContent-Length: 2\r\n",
                    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                ),
                400,
                "malformed-request",
            ),
            (
                (
                    b"GET /v1/tea HTTP/1.1\r\n",
                    *[b"X-%d: 1\r\n" % n for n in range(MAX_FIELDS + 1)],
                    b"\r\n",
                ),
                431,
                "head-too-large",
            ),
            (
                (b"GET /v1/tea HTTP/1.1\r\nX: ", *[b"x" * 4096] * 17, b"\r\n\r\n"),
                431,
                "head-too-large",
            ),
            (
                (b"GET /v1/tea HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",),
                431,
                "head-too-large",
            ),
            (
                (b"GET /" + b"x" * MAX_ADDRESS_BYTES + b" HTTP/1.1\r\n\r\n",),
                414,
                "address-too-long",
            ),
        ],
    )
    async def test_that_breaks_a_bound_is_answered_and_closed(
        self, site, pieces, status, slug
    ):
        async with served(site.app) as connect:
            answer = await talk(connect, *pieces)

        got, headers, problem = parts(answer)
        assert (got, problem["type"]) == (status, f"/problems/{slug}")
        assert headers["content-type"] == "application/problem+json"
        assert headers["connection"] == "close"
        assert problem["instance"] == f"/requests/{headers['x-request-id']}"

    @pytest.mark.parametrize("start", [b"GET /v1/tea HTTP/1.1\r\nX: ", b"GET /", b"A"])
    async def test_without_end_is_cut_off_early(self, site, start):
        async with served(site.app) as connect:
            _, writer = await connect()
            writer.write(start)
            sent = 0
            try:
                while sent < 64 * BIG:
                    writer.write(b"x" * 65536)
                    await writer.drain()
                    sent += 65536
            except ConnectionError:
                # The server has hung up, as it should.
                pass
            finally:
                writer.close()

            # And it serves others as before.
            fine = await talk(
                connect, b"GET /v1/tea HTTP/1.1\r\nConnection: close\r\n\r\n"
            )

        assert sent < 64 * BIG
        assert fine.startswith(b"HTTP/1.1 200")

    async def test_that_comes_too_slowly_is_answered_and_closed(self, site):
        async with served(site.app, Impatient) as connect:
            answer = await talk(connect, b"GET /v1/tea HTTP/1.1\r\nHost:")

        status, _, problem = parts(answer)
        assert status == 408
        assert problem["type"] == "/problems/request-too-slow"

    async def test_that_never_comes_is_not_waited_for(self, site):
        async with served(site.app, Impatient) as connect:
            assert await talk(connect) == b""

    async def test_in_small_pieces_is_read(self, site):
        request = b"GET /v1/tea HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

        async with served(site.app) as connect:
            answer = await talk(connect, *[bytes([byte]) for byte in request])

        assert answer.startswith(b"HTTP/1.1 200")


class TestBody:
    async def test_that_comes_too_slowly_is_answered_and_closed(self, site):
        async with served(site.app, Impatient) as connect:
            answer = await talk(
                connect,
                b"POST /v1/echo HTTP/1.1\r\nContent-Length: 100\r\n\r\n{",
            )

        assert parts(answer)[0] == 408
        assert [line["status"] for line in site.logged] == [499]

    async def test_of_a_file_has_time_as_long_as_it_goes_on_coming(self, edge, route):
        begun = []

        class Watched(Connection):
            def data_received(self, data):
                super().data_received(data)
                begun.append(self._since)

        async def count(request: Request[Any, Any, Any]):
            return sum([len(piece) async for piece in pieces(request.receive)])

        site = edge(route("POST", "/v1/files", count, body_limit_bytes=4 * BIG))
        length = b"Content-Length: %d\r\n" % (3 * BIG)
        async with served(site.app, Watched) as connect:
            answer = await talk(
                connect,
                b"POST /v1/files HTTP/1.1\r\nConnection: close\r\n%s\r\n" % length,
                *[b"x" * BIG] * 3,
            )

        assert answer.endswith(b"%d" % (3 * BIG))
        # Once a MiB its minute begins again.
        assert len(set(begun)) > 2

    async def test_with_a_broken_chunk_is_answered_and_closed(self, site):
        async with served(site.app) as connect:
            answer = await talk(
                connect,
                b"POST /v1/echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
                b"zz\r\n",
            )

        assert parts(answer)[0] == 400

    async def test_with_trailer_fields_is_refused(self, site):
        async with served(site.app) as connect:
            answer = await talk(
                connect,
                b"POST /v1/echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
                b"2\r\n{}\r\n0\r\nAuthorization: Bearer x\r\n\r\n",
            )

        assert parts(answer)[0] == 400

    async def test_is_asked_for_where_the_client_waits_to_be_asked(self, site):
        async with served(site.app) as connect:
            reader, writer = await connect()
            writer.write(
                b"POST /v1/echo HTTP/1.1\r\nContent-Length: 2\r\n"
                b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
            )
            asked = await reader.readuntil(b"\r\n\r\n")
            writer.write(b"{}")
            answer = await reader.read()
            writer.close()

        assert asked == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert answer.startswith(b"HTTP/1.1 201")

    async def test_that_is_too_large_is_refused_before_it_is_asked_for(self, site):
        async with served(site.app) as connect:
            answer = await talk(
                connect,
                b"POST /v1/echo HTTP/1.1\r\nContent-Length: 10000000\r\n"
                b"Expect: 100-continue\r\nConnection: close\r\n\r\n",
            )

        assert parts(answer)[0] == 413

    async def test_of_a_client_that_leaves_is_given_up_quietly(self, site, log):
        async with served(site.app) as connect:
            _, writer = await connect()
            writer.write(b"POST /v1/echo HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        assert [line["status"] for line in site.logged] == [499]
        assert log() == []


class TestAnswer:
    async def test_that_nobody_takes_is_given_up(self, site):
        async with served(site.app, Impatient) as connect:
            reader, writer = await connect()
            writer.write(b"GET /v1/large HTTP/1.1\r\n\r\n")
            await writer.drain()
            # Read nothing until the server has cut the connection.
            while site.logged == []:
                await asyncio.wait([asyncio.create_task(reader.read(1))], timeout=0.05)
            writer.close()

        assert [line["route"] for line in site.logged] == ["/v1/large"]

    async def test_that_nobody_was_there_to_get_is_logged_as_499(self, edge, route):
        started = asyncio.Event()

        async def slow(request: Request[Any, Any, Any]):
            started.set()
            # Done when the client has gone, as a payment might be.
            while (await request.receive())["type"] != "http.disconnect":
                pass

        site = edge(route("GET", "/v1/slow", slow))
        async with served(site.app) as connect:
            _, writer = await connect()
            writer.write(b"GET /v1/slow HTTP/1.1\r\n\r\n")
            await started.wait()
            writer.close()
            await writer.wait_closed()

        assert [line["status"] for line in site.logged] == [499]

    @pytest.mark.parametrize("inner", [Reply(200, b"."), broken], ids=["200", "500"])
    def test_leaves_nothing_for_the_collector_to_find(self, inner):
        app = stack(
            inner,
            partial(Telemetry, metrics=Metrics({}), log=None),
            Rejection,
            RequestDeadline,
        )

        async def found():
            async with served(app) as connect:
                reader, writer = await connect()

                async def ask(times):
                    for _ in range(times):
                        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                        await reader.readuntil(b"\r\n\r\n")
                        await reader.readuntil(b".")

                await ask(5)
                gc.collect()
                gc.disable()
                try:
                    await ask(20)
                    return gc.collect()
                finally:
                    gc.enable()
                    writer.close()

        # The loop it is served with: that of asyncio keeps contexts.
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            # A circle is of nine objects at least: there is not one in each.
            assert runner.run(found()) < 20

    async def test_to_several_requests_in_one_piece_come_in_order(self, site):
        one = b"GET /v1/tea HTTP/1.1\r\n\r\n"
        last = b"GET /nowhere HTTP/1.1\r\nConnection: close\r\n\r\n"

        async with served(site.app) as connect:
            answer = await talk(connect, one * 5 + last)

        assert answer.count(b"HTTP/1.1 200") == 5
        assert answer.rindex(b"HTTP/1.1 404") > answer.rindex(b"HTTP/1.1 200")

    async def test_to_an_upgrade_is_that_of_plain_http(self, site):
        async with served(site.app) as connect:
            answer = await talk(
                connect,
                b"GET /v1/tea HTTP/1.1\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade, close\r\nSec-WebSocket-Key: x\r\n\r\n",
            )

        assert answer.startswith(b"HTTP/1.1 200")
