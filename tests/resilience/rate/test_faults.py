"""The store is killed, stopped, emptied and cut off while callers keep calling."""

import asyncio
import os
import random
import signal
from contextlib import contextmanager

import pytest
from redis.asyncio import Redis

from holdfast.platform.embedded import ValkeyServer
from holdfast.resilience.rate import FallbackLimiter, Quota, StoreUnavailable
from holdfast.resilience.rate.redis import RedisLimiter

QUOTA = Quota("customer", burst=50, tokens=50, period_seconds=3_600)
# A machine that runs all tests at once is slow to answer; what has to fail fails.
PATIENT = 2.0


@pytest.fixture
def own(tmp_path):
    """A server that this test may treat badly."""
    with ValkeyServer(tmp_path / "server", durable=False) as server:
        yield server


@pytest.fixture
async def store(own):
    limiter = RedisLimiter.connect(own.url, seconds=PATIENT)
    yield limiter
    await limiter.close()


@pytest.fixture
async def redis(own):
    client = Redis.from_url(own.url)
    yield client
    await client.aclose()


@contextmanager
def stopped(server):
    """The server takes connections and says nothing."""
    os.kill(server.child.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.child.pid, signal.SIGCONT)


class TestFlush:
    async def test_of_the_scripts_is_not_noticed(self, store, redis):
        taken = 0
        for turn in range(60):
            if turn % 5 == 0:
                await redis.script_flush()
            taken += (await store.take("ada", [QUOTA])).allowed

        assert taken == 50
        assert store.sent_by_source == 12

    async def test_of_everything_costs_one_burst_and_no_more(self, store, redis):
        taken = 0
        for turn in range(150):
            if turn == 75:
                await redis.flushall()
            taken += (await store.take("ada", [QUOTA])).allowed

        assert taken == 100


class TestClientKill:
    async def test_is_not_noticed_and_grants_nothing(self, store, redis):
        taken = 0
        for _ in range(60):
            await redis.execute_command("CLIENT", "KILL", "SKIPME", "yes")
            taken += (await store.take("ada", [QUOTA])).allowed

        # A check that was cut off after the server had counted it is asked again.
        assert 45 <= taken <= 50

    async def test_of_connections_in_use_leaks_none(self, store, redis):
        for _ in range(20):
            async with asyncio.TaskGroup() as group:
                for number in range(40):
                    group.create_task(store.take(f"caller {number}", [QUOTA]))
                await redis.execute_command("CLIENT", "KILL", "SKIPME", "yes")

        assert await connections(redis) <= 2


class TestServerGone:
    async def test_fails_at_once(self, own, store):
        await store.take("ada", [QUOTA])
        own.stop()
        loop = asyncio.get_running_loop()
        started = loop.time()

        with pytest.raises(StoreUnavailable):
            await store.take("ada", [QUOTA])

        assert loop.time() - started < PATIENT / 2

    async def test_is_used_again_when_it_is_back(self, own, store):
        await store.take("ada", [QUOTA])
        own.stop()
        with pytest.raises(StoreUnavailable):
            await store.take("ada", [QUOTA])

        own.start()

        assert (await store.take("ada", [QUOTA])).allowed


class TestServerHanging:
    async def test_fails_in_time_and_counts_nothing_afterwards(self, own, redis):
        store = RedisLimiter.connect(own.url, seconds=0.1)
        await store.take("warm", [QUOTA])
        with stopped(own):
            for _ in range(3):
                with pytest.raises(StoreUnavailable):
                    await store.take("ada", [QUOTA])
        await store.close()

        store = RedisLimiter.connect(own.url, seconds=PATIENT)
        verdict = await store.take("ada", [QUOTA])
        await store.close()

        # What was sent before it hung was counted; what was asked later was not.
        assert verdict.standings[0].remaining >= 48

    async def test_answers_again_when_it_goes_on(self, own, store):
        await store.take("ada", [QUOTA])
        with stopped(own), pytest.raises(StoreUnavailable):
            await store.take("ada", [QUOTA])

        assert (await store.take("ada", [QUOTA])).allowed

    async def test_that_says_it_is_a_replica_is_connected_to_anew(self, store, redis):
        await store.take("ada", [QUOTA])
        before = {client["id"] for client in await redis.client_list()}
        await redis.execute_command("REPLICAOF", "127.0.0.1", "1")

        with pytest.raises(StoreUnavailable, match="ReadOnly"):
            await store.take("ada", [QUOTA])
        await redis.execute_command("REPLICAOF", "NO", "ONE")

        assert (await store.take("ada", [QUOTA])).allowed
        after = {client["id"] for client in await redis.client_list()}
        assert len(before & after) == 1  # that of the test


class TestFallback:
    async def test_nobody_notices_and_it_is_over_two_seconds_after(self, own):
        """A steady load while the server hangs, dies and comes back."""
        loop = asyncio.get_running_loop()
        limiter = FallbackLimiter(
            store := RedisLimiter.connect(own.url, seconds=0.1), processes=lambda: 1
        )
        quota = Quota("wide", burst=10_000, tokens=10_000)
        sources = []

        async def load(until):
            while loop.time() < until:
                started = loop.time()
                sources.append((await limiter.take("ada", [quota])).source)
                waits.append(loop.time() - started)
                await asyncio.sleep(0.002)

        for outage in (lambda: stopped(own), lambda: killed(own)):
            waits: list[float] = []
            await load(loop.time() + 0.2)
            assert "store" in sources[-20:]
            with outage():
                await load(loop.time() + 1.0)
                assert sources[-10:].count("local") >= 9
            back = loop.time()
            while sources[-1] != "store" and loop.time() < back + 10:
                await load(loop.time() + 0.01)
            assert loop.time() - back < 2.0 + 1.0  # the second is the machine's
            waits.sort()
            assert waits[len(waits) // 2] < 0.05
        await store.close()


@contextmanager
def killed(server):
    server.stop()
    yield
    server.start()


async def connections(redis):
    clients = await redis.client_list()
    return len(clients) - 1  # without the one that asks


class TestCancellation:
    """Callers are cancelled at any of their awaits, and every answer is right."""

    @pytest.fixture
    def cancel(self, own, redis, promised):
        async def cancel(times):
            dice = random.Random(23)  # noqa: S311 - the same each time
            store = RedisLimiter.connect(own.url, seconds=PATIENT)
            slow = Quota("slow", burst=100, tokens=1, period_seconds=86_400)
            for number in range(50):
                await store.take(f"caller {number}", [slow], number)

            async def look(number):
                """Nobody else has as many tokens left."""
                verdict = await store.take(f"caller {number}", [slow], 0)
                assert verdict.standings[0].remaining == 100 - number

            cancelled = done = 0
            while cancelled < times:
                tasks = [asyncio.create_task(look(n)) for n in range(50)]
                for _ in range(dice.randrange(12)):
                    await asyncio.sleep(0)
                for task in dice.sample(tasks, dice.randrange(50)):
                    cancelled += task.cancel()
                await asyncio.wait(tasks)
                done += sum(not task.cancelled() for task in tasks)
                assert not any(t.exception() for t in tasks if not t.cancelled())

            assert done
            assert await connections(redis) <= 2
            await store.close()

            async def gone():
                return await connections(redis) == 0

            await promised(gone)

        return cancel

    async def test_of_500_callers_leaks_nothing_and_mixes_nothing_up(self, cancel):
        await cancel(500)

    @pytest.mark.long
    async def test_of_10_000_callers_leaks_nothing_and_mixes_nothing_up(self, cancel):
        await cancel(10_000)
