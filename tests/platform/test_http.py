"""Answers of bounded size, and no time limits but those of the policies."""

import pytest
from aiohttp import web

from holdfast.platform import http


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
