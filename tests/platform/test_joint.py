"""What a keyed request does in the database: all of it with its answer, or none."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import asyncpg
import pytest

from holdfast.kernel.ids import new_id
from holdfast.platform import idempotency
from holdfast.platform.db import ConstraintViolated, Database, DatabaseBusy
from holdfast.platform.idempotency import Answer, Claim
from holdfast.platform.joint import Joint, KeyHeld, KeyTaken, apart, joined

WANTED = Claim("ann", "POST /things", "key-1", b"print")
SAID = Answer(201, {"content-type": "application/json"}, b'{"id":1}')


@pytest.fixture(autouse=True)
async def things(database):
    async with database.statement() as tx:
        await tx.execute("CREATE TABLE things (name text PRIMARY KEY)")


@pytest.fixture
def add(database):
    async def go(name):
        async with database.transaction() as tx:
            await tx.execute("INSERT INTO things VALUES ($1)", name)

    return go


@pytest.fixture
def names(postgres, database_url):
    """What is committed, as somebody else sees it."""

    async def read(table="things", column="name"):
        connection = await asyncpg.connect(database_url)
        rows = await connection.fetch(f"SELECT {column} FROM {table} ORDER BY 1")  # noqa: S608 - of the test
        await connection.close()
        return [row[0] for row in rows]

    return read


@pytest.fixture
def keys(names):
    return lambda: names("idempotency_keys", "key")


@pytest.fixture
def a_joint(database, clock):
    def make(wanted=WANTED, db=database):
        return Joint(
            db,
            claim=idempotency.claim_alone(wanted, subject=new_id(), at=clock()),
            release=idempotency.release_alone(wanted),
        )

    return make


@pytest.fixture
def answer(vault, clock):
    return idempotency.answer_alone(vault, WANTED, SAID, at=clock(), subject=None)


async def oversleep(database):
    async with database.transaction() as tx:
        await tx.execute("SET LOCAL statement_timeout = 1")
        await tx.execute("SELECT pg_sleep(1)")


class TestCommit:
    async def test_keeps_everything_with_the_answer(
        self, a_joint, add, names, keys, answer, database, vault
    ):
        joint = a_joint()
        with joined(joint):
            await joint.begin()
            await add("one")
            await add("two")
        assert await names() == await keys() == []

        await joint.commit(answer)

        assert await names() == ["one", "two"]
        assert await keys() == ["key-1"]
        assert await idempotency.find(database, vault, WANTED) == SAID
        assert database.in_use == 0

    async def test_of_nothing_keeps_the_answer_alone(self, a_joint, keys, answer):
        await a_joint().commit(answer)

        assert await keys() == ["key-1"]

    async def test_writes_whatever_a_text_may_hold(
        self, a_joint, database, vault, clock
    ):
        wanted = Claim("it's; DROP", "POST /é\\x", "$1' OR '1'='1\"\\", b"\x00\xff")
        said = Answer(201, {"location": "/é'\\\"$1"}, b"\x00'\\$1\xff" * 100)
        joint = a_joint(wanted)

        await joint.commit(
            idempotency.answer_alone(vault, wanted, said, at=clock(), subject=None)
        )

        assert await idempotency.find(database, vault, wanted) == said

    async def test_is_as_exact_about_time_as_a_parameter(
        self, a_joint, database, clock, answer
    ):
        clock.advance(microseconds=123_457)

        await a_joint().commit(answer)

        row = await database.fetchrow(
            "SELECT claimed_at, lease_until FROM idempotency_keys"
        )
        assert row["claimed_at"] == clock()
        assert row["lease_until"] == clock() + timedelta(seconds=30)


class TestBlocks:
    async def test_read_what_those_before_them_wrote(self, a_joint, add, database):
        with joined(joint := a_joint()):
            await add("one")

            assert await database.fetchval("SELECT count(*) FROM things") == 1
            async with database.statement() as tx:
                assert await tx.fetchval("SELECT count(*) FROM things") == 1
        await joint.refuse(keep=False)

    async def test_the_first_undone_holds_no_connection(
        self, a_joint, add, database, names, answer
    ):
        with joined(joint := a_joint()):
            with suppress(LookupError):
                async with database.transaction() as tx:
                    await tx.execute("INSERT INTO things VALUES ('gone')")
                    raise LookupError
            assert (joint.connection, database.in_use) == (None, 0)
            await add("kept")
        await joint.commit(answer)

        assert await names() == ["kept"]

    async def test_a_later_one_is_undone_alone(
        self, a_joint, add, database, names, answer
    ):
        with joined(joint := a_joint()):
            await add("one")
            with pytest.raises(ConstraintViolated):
                await add("one")
            await add("two")
        await joint.commit(answer)

        assert await names() == ["one", "two"]

    async def test_one_within_another_is_undone_alone(
        self, a_joint, add, database, names, answer
    ):
        with joined(joint := a_joint()):
            async with database.transaction() as tx:
                await tx.execute("INSERT INTO things VALUES ('outer')")
                with suppress(LookupError):
                    async with database.transaction() as inner:
                        await inner.execute("INSERT INTO things VALUES ('inner')")
                        raise LookupError
        await joint.commit(answer)

        assert await names() == ["outer"]

    async def test_are_told_what_the_driver_says_in_our_words(
        self, a_joint, add, database
    ):
        with joined(joint := a_joint()):
            await add("one")
            with pytest.raises(DatabaseBusy):
                await oversleep(database)
            await add("two")
        await joint.refuse(keep=True)


class TestRefusal:
    async def test_keeps_what_came_to_its_end_and_frees_the_key(
        self, a_joint, add, names, keys
    ):
        with joined(joint := a_joint()):
            await add("attempt")
        await joint.refuse(keep=True)

        assert (await names(), await keys()) == (["attempt"], [])

    async def test_or_nothing(self, a_joint, add, names, keys, database):
        with joined(joint := a_joint()):
            await add("attempt")
        await joint.refuse(keep=False)

        assert (await names(), await keys(), database.in_use) == ([], [], 0)

    @pytest.mark.parametrize("keep", [True, False])
    async def test_of_one_that_did_nothing_says_nothing(self, a_joint, keep, database):
        await a_joint().refuse(keep=keep)

        assert database.in_use == 0


class TestClaim:
    async def test_is_one_among_many(self, a_joint, answer):
        await a_joint().commit(answer)

        with pytest.raises(KeyTaken):
            await a_joint().begin()

    async def test_waits_for_who_is_at_it(self, a_joint, answer):
        first, second = a_joint(), a_joint()
        await first.begin()
        waiting = asyncio.create_task(second.begin())
        await asyncio.sleep(0)
        await first.refuse(keep=False)

        await waiting

        await second.commit(answer)

    async def test_but_not_for_long(self, a_joint, database_url):
        impatient = await Database.connect(database_url, lock_timeout_ms=20)
        first, second = a_joint(), a_joint(db=impatient)
        await first.begin()

        with pytest.raises(KeyHeld):
            await second.begin()

        assert impatient.in_use == 0
        await impatient.close()
        await first.refuse(keep=False)

    async def test_of_a_connection_that_is_lost_frees_the_key(
        self, a_joint, add, keys, database, answer
    ):
        joint = a_joint()
        await joint.begin()
        pid = joint.connection.get_server_pid()
        await database.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)

        with joined(joint), pytest.raises(Exception, match="database"):
            await add("one")
        await joint.refuse(keep=True)

        assert await keys() == []
        await a_joint().commit(answer)


class TestOthers:
    async def test_another_task_is_not_part_of_it(self, a_joint, add, names):
        with joined(joint := a_joint()):
            await joint.begin()
            async with asyncio.TaskGroup() as group:
                group.create_task(add("theirs"))
        await joint.refuse(keep=False)

        assert await names() == ["theirs"]

    async def test_what_is_done_apart_stays(self, a_joint, add, names, keys):
        with joined(joint := a_joint()):
            with apart():
                await add("attempt")
            await add("undone")
        await joint.refuse(keep=False)

        assert (await names(), await keys()) == (["attempt"], [])

    async def test_another_database_is_another(self, a_joint, database_url, names):
        other = await Database.connect(database_url, size=1)
        with joined(joint := a_joint()):
            async with other.transaction() as tx:
                await tx.execute("INSERT INTO things VALUES ('theirs')")
        await joint.refuse(keep=False)
        await other.close()

        assert await names() == ["theirs"]


class TestCancellation:
    async def test_at_any_moment_leaves_all_or_nothing(
        self, a_joint, add, names, keys, database, answer
    ):
        async def request(number):
            joint = a_joint()
            try:
                with joined(joint):
                    await joint.begin()
                    await add(f"{number}-one")
                    await add(f"{number}-two")
            except BaseException:
                await joint.refuse(keep=False)
                raise
            await joint.commit(answer)

        for turns in range(40):
            task = asyncio.create_task(request(turns))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError, KeyTaken):
                await task

        assert database.in_use == 0
        kept, found = await keys(), await names()
        assert (len(kept), len(found)) in {(0, 0), (1, 2)}
