"""Clients that leave, on real connections: they are not served, and nothing is lost."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager

import pytest
import uvicorn

from holdfast.api.app import serving
from holdfast.api.connection import Connection
from holdfast.cli.serve import Server
from holdfast.resilience import deadline


@asynccontextmanager
async def served(app):
    """A real server on a real port; gives the way to connect to it."""
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="off",
    )
    server = Server(config, parent=None)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            running = group.create_task(server._serve([listener]))
            port = listener.getsockname()[1]
            try:
                yield lambda: asyncio.open_connection("127.0.0.1", port)
            finally:
                server.should_exit = True
                await running


def request(method, path="/v1/tea", **headers):
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{fields}\r\n".encode()


class Handler:
    """Waits for what never comes, after an effect or before."""

    def __init__(self, *, effect=False):
        self.effect = effect
        self.began = asyncio.Event()
        self.goes_on = asyncio.Event()
        self.ended = None

    async def __call__(self):
        if self.effect:
            deadline.note_effect()
        self.began.set()
        try:
            await self.goes_on.wait()
        except asyncio.CancelledError:
            self.ended = "cancelled"
            raise
        self.ended = "finished"
        return {"tea": True}

    def as_function(self):
        async def handle():
            return await self()

        return handle


@pytest.fixture
def leave_during(edge, route, promised):
    """Send a request, leave while it is handled; gives what became of it."""

    async def run(method, handler):
        site = edge(route(method, "/v1/tea", handler.as_function()))
        async with served(site.app) as connect:
            _, writer = await connect()
            writer.write(request(method, **{"Content-Length": "0"}))
            await handler.began.wait()
            writer.close()

            async def noticed():
                told = site.shop.metrics.expose().decode()
                return "holdfast_client_disconnects_total{" in told

            await promised(noticed)
            handler.goes_on.set()

            async def is_over():
                return site.logged

            await promised(is_over)
        (line,) = site.logged
        return line

    return run


class TestClientGone:
    @pytest.mark.parametrize(
        ("method", "effect", "end", "phase"),
        [
            ("GET", False, "cancelled", "safe"),
            ("POST", False, "cancelled", "before-effect"),
            ("POST", True, "finished", "after-effect"),
        ],
    )
    async def test_is_served_only_what_has_begun_to_matter(
        self, leave_during, method, effect, end, phase
    ):
        handler = Handler(effect=effect)

        line = await leave_during(method, handler)

        assert handler.ended == end
        assert line["status"] == 499
        assert f"client:left@{phase}={end}" in line["decisions"]

    async def test_leaves_no_statement_running(
        self, edge, route, shop, database, promised
    ):
        async def sleeping():
            return await shop.db.fetchval("SELECT pg_sleep(30)::text")

        async def count():
            return await database.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
                "AND query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid()"
            )

        site = edge(route("GET", "/v1/tea", sleeping))
        async with served(site.app) as connect:
            _, writer = await connect()
            writer.write(request("GET"))
            await promised(count)
            writer.close()

            async def is_gone():
                return not await count()

            await promised(is_gone, seconds=8)
        assert shop.db.in_use == 0

    async def test_waits_for_no_connection_any_more(self, edge, route, shop, promised):
        """The pool is in full use, and whoever waits in it has left."""
        waiting = 0

        async def wait():
            nonlocal waiting
            waiting += 1
            try:
                return await shop.db.fetchval("SELECT 1")
            finally:
                waiting -= 1

        site = edge(route("GET", "/v1/tea", wait))
        size = shop.settings.database_pool_size
        async with served(site.app) as connect, asyncio.TaskGroup() as group:
            enough = asyncio.Event()
            held = 0

            async def hold():
                nonlocal held
                async with shop.db.transaction():
                    held += 1
                    await enough.wait()

            for _ in range(size):
                group.create_task(hold())

            async def all_held():
                return held == size

            await promised(all_held)
            writers = [(await connect())[1] for _ in range(5)]
            for writer in writers:
                writer.write(request("GET"))

            async def all_wait():
                return waiting == 5

            await promised(all_wait)
            for writer in writers:
                writer.close()

            async def none_waits():
                return waiting == 0

            await promised(none_waits)
            enough.set()

    async def test_that_reads_no_answer_to_an_effect_finds_it_done(
        self, client, shop, a_bag, payment_provider, promised
    ):
        bag = await a_bag(TEA=1)
        payment_provider.misbehave(latency_ms={"fixed": 300})
        body = json.dumps({"payment_method": "pm_card_ok"})
        head = {
            **bag.owner,
            "Idempotency-Key": "key-1",
            "Content-Type": "application/json",
            "Content-Length": len(body),
        }
        async with served(serving(shop)) as connect:
            _, writer = await connect()
            writer.write(
                request("POST", f"{bag.path}/checkout", **head) + body.encode()
            )

            async def is_ordered():
                return await shop.db.fetchval("SELECT count(*) FROM orders")

            await promised(is_ordered)
            writer.close()

            async def is_paid():
                return await shop.db.fetchval(
                    "SELECT count(*) FROM orders WHERE status = 'confirmed'"
                )

            await promised(is_paid)
        again = await bag.check_out("key-1")
        assert again.status_code == 201
        assert again.headers["idempotent-replayed"] == "true"


class TestConnection:
    async def test_is_good_for_the_next_request_after_a_cut_one(self, edge, route):
        """Also while the first one goes on."""
        handler = Handler(effect=True)

        async def quick():
            return {"cup": True}

        site = edge(
            route("POST", "/v1/tea", handler.as_function()),
            route("GET", "/v1/cup", quick),
        )
        async with served(site.app) as connect:
            reader, writer = await connect()
            writer.write(
                request("POST", **{"Content-Length": "0", "X-Request-Timeout-Ms": "50"})
            )
            first = await reader.readuntil(b'"}')
            writer.write(request("GET", "/v1/cup"))
            second = await reader.readuntil(b"}")
            handler.goes_on.set()
            writer.write(request("GET", "/v1/cup"))
            third = await reader.readuntil(b"}")
            writer.close()

        assert first.startswith(b"HTTP/1.1 504 ")
        assert b'"outcome":"unknown"' in first
        assert second.startswith(b"HTTP/1.1 200 ")
        assert third.startswith(b"HTTP/1.1 200 ")
        assert handler.ended == "finished"

    async def test_that_waited_behind_a_busy_loop_has_waited(self, edge, route):
        """The budget begins when the head has arrived, not when somebody looks."""
        left = []

        async def look():
            left.append(deadline.remaining())

        site = edge(route("GET", "/v1/tea", look))
        async with served(site.app) as connect:
            reader, writer = await connect()
            writer.write(request("GET"))
            await reader.readuntil(b"\r\n\r\n")
            writer.close()

        assert 9 < left[0] < 10
