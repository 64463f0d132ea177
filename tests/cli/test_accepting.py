"""While nothing is accepted, whoever is connected is served, and nobody is refused."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest
import uvloop

from holdfast.cli.accepting import LONGEST_SECONDS, SHORTEST_SECONDS, pause, pause_for


@asynccontextmanager
async def serving():
    """A server that sends back what it is sent; gives its list and its socket."""

    async def echo(reader, writer):
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    def listen(one):
        return asyncio.start_server(echo, sock=one)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        servers = [await listen(listener.dup())]
        try:
            yield servers, listener, listen
        finally:
            for server in servers:
                server.close()


async def say(reader, writer, word):
    writer.write(word + b"\n")
    return await reader.readline()


async def a_pause():
    """Before, within and after one, from outside."""
    async with asyncio.timeout(20), serving() as (servers, listener, listen):
        address = listener.getsockname()
        before = await asyncio.open_connection(*address)
        assert await say(*before, b"one") == b"one\n"

        pausing = asyncio.create_task(pause(servers, [listener], listen, 0.2))
        await asyncio.sleep(0)
        # The kernel takes the connection; nobody reads from it yet.
        within = await asyncio.open_connection(*address)
        asked = asyncio.create_task(say(*within, b"two"))
        assert await say(*before, b"three") == b"three\n"
        assert not pausing.done()
        assert not asked.done()

        await pausing
        assert await asked == b"two\n"
        for _, writer in (before, within):
            writer.close()


class TestPause:
    @pytest.mark.parametrize(
        "loop",
        [asyncio.new_event_loop, uvloop.new_event_loop],
        ids=["asyncio", "uvloop"],
    )
    def test_lets_newcomers_wait_and_serves_the_others(self, loop):
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(a_pause())


class TestPauseFor:
    @pytest.mark.parametrize(
        ("spent", "seconds"),
        [(0.031, SHORTEST_SECONDS), (0.13, 0.1), (5.0, LONGEST_SECONDS)],
    )
    def test_is_what_was_too_much_within_bounds(self, spent, seconds):
        assert pause_for(spent, 0.03) == pytest.approx(seconds)
