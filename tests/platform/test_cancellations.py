"""Cancelled anywhere: no connection is lost, no reply goes to another, all or nothing.

A cancelled statement leaves its answer on the way, and whoever gets the connection next
must not be given it for their own (asyncpg #467, #955; redis-py 4.5.3).
"""

import asyncio
import random

import pytest

from holdfast.platform.db import Database
from holdfast.platform.redis import Cache

AT_ONCE = 24


class Wrong(Exception):
    """A reply to what another asked."""


def ask(db, n):
    async def read():
        if await db.fetchval("SELECT $1::int + 0", n) != n:
            raise Wrong

    return read


def write(db, n):
    async def twice(tx):
        await tx.execute("INSERT INTO cups VALUES ($1, 1)", n)
        if await tx.fetchval("SELECT $1::int + 0", n) != n:
            raise Wrong
        await tx.execute("INSERT INTO cups VALUES ($1, 2)", n)

    async def transaction():
        async with db.transaction() as tx:
            await twice(tx)

    async def attempt():
        await db.attempt(twice)

    return transaction if n % 2 else attempt


def state(db, n):
    async def both():
        async with db.statement() as tx:
            await tx.execute("INSERT INTO cups VALUES ($1, 1), ($1, 2)", n)

    return both


def cached(cache, n):
    async def remember():
        key = f"cup:{n}"
        await cache.set(key, str(n).encode(), ttl_seconds=60)
        if await cache.get(key) not in {str(n).encode(), None}:
            raise Wrong

    return remember


async def cut_short(works, chance):
    """Run all of them, some at a time, each cancelled at some await; tells how many."""
    places = asyncio.Semaphore(AT_ONCE)
    cut = 0

    async def run(work, turns, wait):
        nonlocal cut
        async with places:
            task = asyncio.create_task(work())
            if turns is None:
                asyncio.get_running_loop().call_later(wait, task.cancel)
            else:
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
            await asyncio.wait([task])
            cut += task.cancelled()
            if not task.cancelled() and (error := task.exception()):
                raise error

    async with asyncio.TaskGroup() as group:
        for n, work in enumerate(works):
            turns = None if n % 3 else chance.randrange(40)
            group.create_task(run(work, turns, chance.random() * 0.02))
    return cut


@pytest.fixture
async def cups(database_url):
    db = await Database.connect(database_url, size=6, acquire_timeout=30)
    async with db.statement() as tx:
        await tx.execute("CREATE TABLE cups (id int, half int)")
    yield db
    await db.close()


@pytest.mark.parametrize(
    "cancellations", [300, pytest.param(10_000, marks=pytest.mark.long)]
)
class TestCancellations:
    async def test_of_the_database_leave_nothing_behind(
        self, cups, cancellations, promised
    ):
        chance = random.Random(cancellations)  # noqa: S311 - the same each time
        kinds = (ask, write, write, state)
        works = [
            chance.choice(kinds)(cups, n) for n in range(1, int(cancellations * 1.5))
        ]

        cut = await cut_short(works, chance)

        assert cut >= cancellations / 3

        async def all_are_back():
            return cups.in_use == 0

        await promised(all_are_back)
        halves = await cups.fetch(
            "SELECT id FROM cups GROUP BY id HAVING count(*) <> 2"
        )
        assert halves == []
        # Every place of the pool works, at the same time, and none is in a transaction.
        async with asyncio.TaskGroup() as group:
            states = [
                group.create_task(cups.fetchval("SELECT pg_sleep(0.05)::text || $1", n))
                for n in "abcdef"
            ]
        assert [one.result() for one in states] == list("abcdef")
        open_ones = await cups.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND state LIKE 'idle in transaction%'"
        )
        assert open_ones == 0

    @pytest.mark.filterwarnings("ignore:.*Resetting connection with an active.*")
    async def test_of_the_cache_give_nobody_anothers_answer(
        self, valkey, cancellations
    ):
        cache = Cache.connect(valkey.url, size=4)
        chance = random.Random(cancellations)  # noqa: S311 - the same each time
        works = [cached(cache, n) for n in range(int(cancellations * 1.5))]

        cut = await cut_short(works, chance)

        assert cut >= cancellations / 10
        await cache.set("last", b"1", ttl_seconds=60)
        assert await cache.get("last") == b"1"
        await cache.close()
