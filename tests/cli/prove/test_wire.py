"""A client that is left alone by one process goes to another."""

import asyncio
import random

import pytest

from holdfast.cli.prove.wire import Line, Lost

BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\ncontent-length: 2\r\n\r\n{}"
)
FINE = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ntrue"
REQUEST = b"GET / HTTP/1.1\r\nhost: shop\r\n\r\n"


@pytest.fixture
async def listening():
    """Start a server that answers each request so, or hangs up for b""."""
    servers = []

    async def start(*answers):
        said = iter(answers)

        async def serve(reader, writer):
            while await reader.readuntil(b"\r\n\r\n"):
                answer = next(said, b"")
                if not answer:
                    writer.close()
                    return
                writer.write(answer)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        servers.append(server)
        return server.sockets[0].getsockname()[1]

    yield start
    for server in servers:
        server.close()


class TestLine:
    async def test_asks_again_over_the_same_connection(self, listening):
        line = Line([await listening(BUSY, FINE)], random.Random(1))  # noqa: S311

        first, second = await line.ask(REQUEST), await line.ask(REQUEST)

        assert (first.status, first.retry_after) == (503, 2.0)
        assert (second.status, second.body, second.retry_after) == (200, b"true", None)
        line.hang_up()

    async def test_goes_to_another_process_when_the_connection_ends(self, listening):
        ports = [await listening(b""), await listening(FINE)]
        line = Line(ports, random.Random(1))  # noqa: S311
        line.process = 0

        with pytest.raises(Lost):
            await line.ask(REQUEST)

        assert line.asked == 0
        assert (await line.ask(REQUEST)).status == 200
        assert line.asked == 1
        line.hang_up()

    async def test_nobody_there_is_an_answer_lost(self, unused_tcp_port):
        line = Line([unused_tcp_port], random.Random(1))  # noqa: S311

        with pytest.raises(Lost):
            await line.ask(REQUEST)

    async def test_goes_away_when_it_takes_too_long(self, listening):
        port = await listening(BUSY)
        line = Line([port], random.Random(1))  # noqa: S311
        await line.ask(REQUEST)

        with pytest.raises(Lost):
            await line.ask(REQUEST[:-2], hang_up_after=0.01)
