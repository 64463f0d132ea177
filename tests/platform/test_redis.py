import asyncio
import os
import signal
from contextlib import contextmanager

import pytest
import structlog

from holdfast.kernel.clock import monotonic
from holdfast.platform.redis import Cache
from holdfast.resilience.deadline import Budget, begin, finish

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
async def cache(valkey):
    cache = Cache.connect(valkey.url)
    yield cache
    await cache.delete("tea", "cup")
    await cache.close()


@pytest.fixture
def quiet():
    """Nothing is printed: these tests make servers fail on purpose."""
    with structlog.testing.capture_logs() as lines:
        yield lines


@contextmanager
def hanging(valkey):
    """The server takes connections and says nothing."""
    os.kill(valkey.child.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(valkey.child.pid, signal.SIGCONT)


class TestCache:
    async def test_keeps_a_value(self, cache):
        await cache.set("tea", b"\x00assam", ttl_seconds=60)

        assert await cache.get("tea") == b"\x00assam"

    async def test_finds_nothing_where_nothing_is(self, cache):
        assert await cache.get("nothing") is None

    async def test_forgets_what_it_is_told_to(self, cache):
        await cache.set("tea", b"1", ttl_seconds=60)
        await cache.set("cup", b"2", ttl_seconds=60)

        await cache.delete("tea", "cup")
        await cache.delete()

        assert (await cache.get("tea"), await cache.get("cup")) == (None, None)

    async def test_keeps_nothing_longer_than_told(self, cache):
        await cache.set("tea", b"1", ttl_seconds=0.01)

        async with asyncio.timeout(20):
            while await cache.get("tea") is not None:
                pass

    async def test_answers_a_ping(self, cache):
        await cache.ping()

        assert cache.failures == 0

    async def test_survives_connections_that_the_server_closed(self, cache):
        await cache.set("tea", b"1", ttl_seconds=60)
        await cache._client.execute_command("CLIENT", "KILL", "SKIPME", "yes")

        async with asyncio.TaskGroup() as group:
            found = [group.create_task(cache.get("tea")) for _ in range(5)]

        assert [task.result() for task in found] == [b"1"] * 5


class TestWithoutServer:
    async def test_nothing_is_found_and_nobody_is_bothered(self, quiet):
        cache = Cache.connect(NOWHERE)

        assert await cache.get("tea") is None
        await cache.set("tea", b"1", ttl_seconds=60)
        await cache.delete("tea")
        await cache.close()

        assert [line["event"] for line in quiet] == ["cache_failed"]

    async def test_a_dead_server_is_left_alone_for_a_moment(self, quiet):
        now = 100.0
        cache = Cache(Cache.connect(NOWHERE)._client, timer=lambda: now)

        for _ in range(10):
            await cache.get("tea")
        assert cache.failures == 1

        now += 1.1
        await cache.get("tea")
        assert cache.failures == 2
        await cache.close()

    async def test_a_ping_says_that_it_is_gone(self):
        cache = Cache.connect(NOWHERE)

        with pytest.raises(OSError):  # noqa: PT011 - whatever the driver says
            await cache.ping()
        await cache.close()

    async def test_a_server_that_hangs_costs_half_a_second_once(self, valkey, quiet):
        cache = Cache.connect(valkey.url)
        await cache.ping()

        with hanging(valkey):
            # Not half a second each time, which were fifty.
            async with asyncio.timeout(10):
                for _ in range(100):
                    assert await cache.get("tea") is None
            with pytest.raises(OSError):  # noqa: PT011 - TimeoutError is one
                await cache.ping()

        assert cache.failures == 1
        await cache.close()


class TestBudget:
    async def test_of_a_request_in_a_hurry_is_all_that_is_waited(self, valkey, quiet):
        cache = Cache.connect(valkey.url)
        await cache.ping()

        waits = []
        with hanging(valkey):
            for _ in range(5):
                began = monotonic()
                token = begin(budget := Budget(began + 0.05))
                assert await cache.get("tea") is None
                finish(budget, token)
                waits.append(monotonic() - began)

        # A machine that is busy adds to some of them, hardly to each.
        assert min(waits) < 0.25
        # That says nothing about the server, and must not take it from the others.
        assert cache.failures == 0
        assert await cache.get("tea") is None
        await cache.set("tea", b"1", ttl_seconds=60)
        assert await cache.get("tea") == b"1"
        await cache.delete("tea")
        await cache.close()

    async def test_that_is_over_asks_nobody(self, quiet):
        cache = Cache.connect(NOWHERE)
        token = begin(budget := Budget(monotonic() - 1))

        assert await cache.get("tea") is None

        finish(budget, token)
        assert cache.failures == 0
        await cache.close()
