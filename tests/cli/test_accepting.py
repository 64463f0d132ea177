"""Connections are taken as they come, by a busy loop too; or none for a moment."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest
import uvloop

from holdfast.cli.accepting import (
    LONGEST_SECONDS,
    SHORTEST_SECONDS,
    Accepting,
    pause_for,
)

LOOPS = [
    pytest.param(asyncio.new_event_loop, id="asyncio"),
    pytest.param(uvloop.new_event_loop, id="uvloop"),
]


class Echo(asyncio.Protocol):
    """Sends back what it is sent."""

    made = 0

    def connection_made(self, transport):
        self._transport = transport
        Echo.made += 1

    def data_received(self, data):
        self._transport.write(data)


@asynccontextmanager
async def serving():
    """A server of echoes; gives its list, its address, and what accepts."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        servers = [await loop.create_server(Echo, sock=listener.dup())]
        accepting = Accepting([listener], Echo, backlog=100)
        try:
            yield servers, listener.getsockname(), accepting
        finally:
            accepting.stop()
            for server in servers:
                server.close()


async def say(reader, writer, word):
    writer.write(word + b"\n")
    return await reader.readline()


async def a_pause():
    """Before, within and after one, from outside."""
    async with asyncio.timeout(20), serving() as (servers, address, accepting):
        accepting.start()
        before = await asyncio.open_connection(*address)
        assert await say(*before, b"one") == b"one\n"

        pausing = asyncio.create_task(accepting.pause(servers, 0.2))
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


async def a_crowd():
    """Fifty come while the loop turns twice; how many are in."""
    async with asyncio.timeout(20), serving() as (_, address, accepting):
        Echo.made = 0
        crowd = [socket.create_connection(address) for _ in range(50)]
        accepting.start()
        for _ in range(3):
            await asyncio.sleep(0)
        made = Echo.made
        for one in crowd:
            one.close()
        # What closes is noticed before the loop ends.
        await asyncio.sleep(0.01)
        return made


async def nobody():
    """A socket that is closed already."""
    listener = socket.create_server(("127.0.0.1", 0))
    accepting = Accepting([listener], Echo, backlog=100)
    listener.close()
    accepting.start()
    accepting.stop()


class TestAccepting:
    @pytest.mark.parametrize("loop", LOOPS)
    def test_takes_a_crowd_at_once(self, loop):
        with asyncio.Runner(loop_factory=loop) as runner:
            assert runner.run(a_crowd()) == 50

    @pytest.mark.parametrize("loop", LOOPS)
    def test_lets_newcomers_wait_in_a_pause_and_serves_the_others(self, loop):
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(a_pause())

    def test_bears_a_socket_it_cannot_accept_from(self):
        asyncio.run(nobody())


class TestPauseFor:
    @pytest.mark.parametrize(
        ("spent", "seconds"),
        [(0.031, SHORTEST_SECONDS), (0.13, 0.1), (5.0, LONGEST_SECONDS)],
    )
    def test_is_what_was_too_much_within_bounds(self, spent, seconds):
        assert pause_for(spent, 0.03) == pytest.approx(seconds)
