"""Short transactions, and faults said in words: ours, busy, or unavailable."""

import asyncio

import asyncpg
import pytest

from holdfast.platform.db import (
    ConstraintViolated,
    Database,
    DatabaseBusy,
    DatabaseUnavailable,
)
from holdfast.platform.embedded import PostgresServer

TABLE = "CREATE TABLE cups (id int CONSTRAINT cups_id_unique UNIQUE, note jsonb)"


@pytest.fixture
async def cups(database):
    async with database.transaction() as tx:
        await tx.execute(TABLE)
    return database


async def count(db):
    return await db.fetchval("SELECT count(*) FROM cups")


class TestTransaction:
    async def test_commits_at_the_end_of_the_block(self, cups):
        async with cups.transaction() as tx:
            await tx.execute("INSERT INTO cups VALUES (1)")
            await tx.executemany("INSERT INTO cups VALUES ($1)", [(2,), (3,)])

        assert await count(cups) == 3

    async def test_rolls_back_when_the_block_raises(self, cups):
        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is the point
            async with cups.transaction() as tx:
                await tx.execute("INSERT INTO cups VALUES (1)")
                raise ZeroDivisionError

        assert await count(cups) == 0

    async def test_rolls_back_when_the_task_is_cancelled(self, cups):
        begun = asyncio.Event()

        async def work():
            async with cups.transaction() as tx:
                await tx.execute("INSERT INTO cups VALUES (1)")
                begun.set()
                await tx.fetchval("SELECT pg_sleep(10)")

        task = asyncio.create_task(work())
        await begun.wait()
        task.cancel()
        await asyncio.wait([task])

        assert task.cancelled()
        assert await count(cups) == 0
        assert cups.in_use == 0

    async def test_a_broken_constraint_is_told_by_its_name(self, cups):
        with pytest.raises(ConstraintViolated) as broken:
            async with cups.transaction() as tx:
                await tx.execute("INSERT INTO cups VALUES (1), (1)")

        assert broken.value.constraint_name == "cups_id_unique"

    async def test_jsonb_goes_in_and_comes_out_as_python(self, cups):
        async with cups.statement() as tx:
            note = {"a": [1, None, "ü"]}
            await tx.execute("INSERT INTO cups VALUES (1, $1)", note)

        row = await cups.fetchrow("SELECT note FROM cups")
        assert row["note"] == note


class TestBusy:
    async def test_a_lock_that_does_not_come_is_given_up(self, cups):
        async with cups.transaction() as tx:
            await tx.execute("LOCK TABLE cups")
            with pytest.raises(DatabaseBusy):  # noqa: PT012
                async with cups.transaction() as other:
                    await other.execute("SET LOCAL lock_timeout = '50ms'")
                    await other.execute("INSERT INTO cups VALUES (1)")

    async def test_a_statement_that_takes_too_long_is_given_up(self, cups):
        with pytest.raises(DatabaseBusy):  # noqa: PT012
            async with cups.transaction() as tx:
                await tx.execute("SET LOCAL statement_timeout = '50ms'")
                await tx.fetchval("SELECT pg_sleep(10)")

    async def test_of_two_that_wait_for_each_other_one_goes_on(self, cups):
        async with cups.transaction() as tx:
            await tx.execute("SET LOCAL deadlock_timeout = '50ms'")
            await tx.execute("INSERT INTO cups VALUES (1), (2)")
        meet = asyncio.Barrier(2)

        async def cross(first, second):
            async with cups.transaction() as tx:
                await tx.execute("SET LOCAL deadlock_timeout = '50ms'")
                await tx.execute("UPDATE cups SET note = '1' WHERE id = $1", first)
                await meet.wait()
                await tx.execute("UPDATE cups SET note = '1' WHERE id = $1", second)

        tasks = [asyncio.create_task(cross(1, 2)), asyncio.create_task(cross(2, 1))]
        await asyncio.wait(tasks)

        faults = [task.exception() for task in tasks]
        assert sorted(type(fault) for fault in faults if fault) == [DatabaseBusy]

    async def test_a_pool_without_a_free_connection_is_not_waited_for_long(
        self, database_url
    ):
        db = await Database.connect(database_url, size=1, acquire_timeout=0.05)
        async with db.transaction():
            assert (db.in_use, db.size) == (1, 1)
            with pytest.raises(DatabaseBusy):
                await db.fetchval("SELECT 1")
        assert await db.fetchval("SELECT 1") == 1
        await db.close()


class TestUnavailable:
    async def test_nobody_there_is_said_so(self):
        url = "postgresql://nobody:x@127.0.0.1:1/nothing"
        db = await Database.connect(url, size=1)

        with pytest.raises(DatabaseUnavailable):
            await db.fetchval("SELECT 1")
        await db.close()

    async def test_a_connection_lost_in_a_transaction_is_said_so(self, cups):
        with pytest.raises(DatabaseUnavailable):  # noqa: PT012
            async with cups.transaction() as tx:
                pid = await tx.fetchval("SELECT pg_backend_pid()")
                await cups.fetchval("SELECT pg_terminate_backend($1)", pid)
                await tx.execute("INSERT INTO cups VALUES (1)")

        assert await count(cups) == 0

    async def test_a_reader_does_not_notice_a_connection_that_died(self, database_url):
        """Every pooled connection is dead, as after a restart of the server."""
        db = await Database.connect(database_url, size=3)
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(db.fetchval("SELECT pg_sleep(0.05)"))
        other = await asyncpg.connect(database_url)
        await other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

        reads = [asyncio.create_task(db.fetchval("SELECT 1")) for _ in range(6)]

        assert [await read for read in reads] == [1] * 6
        await other.close()
        await db.close()

    @pytest.mark.slow
    async def test_a_server_started_again_is_found_again(self, quick_folder):
        with PostgresServer(quick_folder / "restarted", durable=False) as server:
            db = await Database.connect(server.url, size=2)
            assert await db.fetchval("SELECT 1") == 1
            server.stop()
            with pytest.raises(DatabaseUnavailable):
                await db.fetch("SELECT 1")
            server.start()

            assert [row[0] for row in await db.fetch("SELECT 1")] == [1]
            await db.close()


class TestOurFault:
    async def test_a_value_that_fits_no_parameter_is_not_the_databases_fault(
        self, cups
    ):
        with pytest.raises(asyncpg.DataError):
            await cups.fetchval("SELECT $1::bigint", 2**70)

        assert cups.size > 0

    async def test_a_statement_that_is_wrong_is_not_translated(self, cups):
        with pytest.raises(asyncpg.PostgresSyntaxError):
            await cups.fetchval("SELECT FROM WHERE")


class TestClose:
    async def test_does_not_wait_for_ever_for_a_connection_in_use(
        self, database_url, monkeypatch
    ):
        monkeypatch.setattr("holdfast.platform.db._CLOSE_SECONDS", 0.05)
        db = await Database.connect(database_url, size=1)
        begun = asyncio.Event()

        async def work():
            async with db.transaction():
                begun.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await begun.wait()

        async with asyncio.timeout(20):
            await db.close()

        task.cancel()
        await asyncio.wait([task])
