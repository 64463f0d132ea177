"""Answers of bounded size, and no time limits but those of the policies."""

import asyncio

import aiohttp
import pytest
from aiohttp import web

from holdfast.platform import http
from holdfast.platform.dependencies import KEYS, LIMITS, MAIL, REDIS, STORAGE


@pytest.fixture
async def answers():
    """A server that answers with as many bytes as its path says."""

    async def handle(request):
        return web.Response(body=b"x" * int(request.path[1:]))

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    yield f"http://{host}:{port}"
    await runner.cleanup()


class TestRead:
    @pytest.mark.parametrize("size", [0, 1, http.MAX_ANSWER_BYTES])
    async def test_gives_the_whole_answer(self, answers, size):
        async with http.session() as session, session.get(f"{answers}/{size}") as got:
            assert await http.read(got) == b"x" * size

    async def test_an_answer_without_end_is_not_read_to_its_end(self, answers):
        url = f"{answers}/{http.MAX_ANSWER_BYTES + 1}"
        async with http.session() as session, session.get(url) as got:
            with pytest.raises(http.AnswerTooLong):
                await http.read(got)


class TestSession:
    async def test_leaves_time_limits_to_the_policies(self):
        async with http.session() as session:
            assert session.timeout.total is None
            assert session.timeout.sock_connect == 2

    async def test_sends_nothing_again_by_itself(self):
        """Retries are counted and bounded in one place, which is not the client."""
        asked = []

        async def serve(reader, writer):
            # Answers once a connection and hangs up on what comes next.
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, http.session() as session:
            async with session.get(url) as got:
                await got.read()
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await session.get(url)

        assert len(asked) == 2

    async def test_opens_more_connections_than_its_dependencies_may_use(self):
        outside = set(LIMITS) - {MAIL, KEYS, REDIS, STORAGE}
        async with http.session() as session:
            assert session.connector.limit == http.CONNECTIONS

        assert sum(LIMITS[name].concurrent for name in outside) <= http.CONNECTIONS


class TestWaitAnnounced:
    @pytest.mark.parametrize(
        ("said", "seconds"),
        [
            ("30", 30.0),
            ("0", 0.0),
            ("9" * 400, 3600.0),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None),
            ("-1", None),
            (None, None),
        ],
        ids=str,
    )
    async def test_is_in_seconds_and_bounded(self, said, seconds):
        async def handle(_):
            headers = {} if said is None else {"Retry-After": said}
            return web.Response(status=503, headers=headers)

        runner = web.ServerRunner(web.Server(handle))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        async with (
            http.session() as session,
            session.get(f"http://{host}:{port}") as got,
        ):
            assert http.wait_announced(got) == seconds
        await runner.cleanup()
