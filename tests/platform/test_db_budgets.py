"""Time runs out in the database: nothing waits longer, and what came of it is known."""

import asyncio
from contextlib import contextmanager

import asyncpg
import pytest

from holdfast.kernel.clock import monotonic
from holdfast.platform.db import (
    CommitUnclear,
    ConstraintViolated,
    Database,
    DatabaseBusy,
    DatabaseUnavailable,
)
from holdfast.platform.transactions import NotCommitted
from holdfast.resilience import NotEnoughTime
from holdfast.resilience.deadline import Budget, begin, finish

TABLE = """
CREATE TABLE cups (id int CONSTRAINT cups_id_unique UNIQUE DEFERRABLE);
CREATE FUNCTION spill() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_sleep(0.3); PERFORM pg_terminate_backend(pg_backend_pid());
RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON cups DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.id < 0) EXECUTE FUNCTION spill()
"""
# What a busy machine adds to a tenth of a second. Without a limit, each of these would
# end after ten seconds, by the general ones.
SLACK = 6.0
LIMITS = (
    "SELECT name, setting FROM pg_settings WHERE name IN "
    "('statement_timeout', 'lock_timeout', 'transaction_timeout')"
)


@contextmanager
def budget_of(seconds):
    budget = Budget(monotonic() + seconds)
    token = begin(budget)
    try:
        yield budget
    finally:
        finish(budget, token)


@pytest.fixture
async def cups(database):
    async with database.statement() as tx:
        await tx.execute(TABLE)
    return database


@pytest.fixture
async def onlooker(database_url):
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
def idle(onlooker, promised):
    """Wait until no statement runs, and no transaction is open."""

    async def wait():
        async def nothing_runs():
            return not await onlooker.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' "
                "AND datname = current_database() AND pid <> pg_backend_pid()"
            )

        await promised(nothing_runs, seconds=SLACK)

    return wait


async def limits(tx):
    return {row["name"]: int(row["setting"]) for row in await tx.fetch(LIMITS)}


class TestPool:
    async def test_is_waited_for_as_long_as_there_is_time(self, database_url):
        db = await Database.connect(database_url, size=1, acquire_timeout=30)
        async with db.transaction():
            began = monotonic()
            with budget_of(0.1) as budget:
                with pytest.raises(NotEnoughTime) as refused:
                    await db.fetchval("SELECT 1")

                assert budget.may_be_cut
        assert refused.value.stage == "pool"
        assert monotonic() - began < 0.1 + SLACK
        await db.close()

    async def test_is_not_asked_when_there_is_none(self, database):
        with budget_of(-1), pytest.raises(NotEnoughTime):
            await database.fetchval("SELECT 1")

    async def test_that_is_in_full_use_is_busy_while_there_is_time(self, database_url):
        db = await Database.connect(database_url, size=1, acquire_timeout=0.05)
        async with db.transaction():
            with budget_of(30), pytest.raises(DatabaseBusy):
                await db.fetchval("SELECT 1")
        await db.close()

    async def test_is_waited_for_by_what_has_to_be_finished(self, database):
        with budget_of(-1) as budget:
            budget.is_lasting = True

            assert await database.fetchval("SELECT 1") == 1

    async def test_keeps_its_connection_after_a_statement_was_stopped(self, database):
        pid = await database.fetchval("SELECT pg_backend_pid()")
        with budget_of(0.05), pytest.raises(NotEnoughTime):
            await database.fetchval("SELECT pg_sleep(10)")

        assert await database.fetchval("SELECT pg_backend_pid()") == pid


class TestRead:
    async def test_ends_with_the_budget_and_leaves_nothing_running(
        self, database, idle
    ):
        with budget_of(0.1), pytest.raises(NotEnoughTime) as refused:
            await database.fetchval("SELECT pg_sleep(10)")

        assert refused.value.stage == "database"
        await idle()

    async def test_changes_nothing_about_the_outcome(self, database):
        with budget_of(5) as budget:
            await database.fetchval("SELECT 1")

            assert budget.may_be_cut


class TestTransaction:
    async def test_says_nothing_about_limits_with_the_usual_budget(self, database):
        async with database.transaction() as tx:
            before = await limits(tx)
        with budget_of(10):
            async with database.transaction() as tx:
                assert await limits(tx) == before

        assert before["statement_timeout"] == 10_000
        assert before["lock_timeout"] == 3_000

    @pytest.mark.parametrize("way", ["transaction", "statement"])
    async def test_is_given_what_is_left(self, database, way):
        with budget_of(2):
            async with getattr(database, way)() as tx:
                said = await limits(tx)

        assert 1_000 < said["statement_timeout"] <= 2_070
        assert said["lock_timeout"] <= 1_010
        async with database.transaction() as tx:
            assert (await limits(tx))["statement_timeout"] == 10_000

    async def test_is_ended_by_the_server_if_nobody_else_does(self, cups, idle):
        """As in a process that hangs: nothing in it would cancel."""
        began = monotonic()
        with budget_of(0.2), pytest.raises(DatabaseBusy):  # noqa: PT012
            async with cups.transaction() as tx:
                await tx.execute("INSERT INTO cups VALUES (1)")
                await tx.fetchval("SELECT pg_sleep(10)")

        assert monotonic() - began < 0.3 + SLACK
        await idle()
        assert await cups.fetchval("SELECT count(*) FROM cups") == 0

    async def test_that_nobody_goes_on_with_is_ended_too(self, cups, idle):
        with budget_of(0.1), pytest.raises((DatabaseBusy, DatabaseUnavailable)):  # noqa: PT012
            async with cups.transaction() as tx:
                await tx.execute("INSERT INTO cups VALUES (1)")
                await idle()
                await tx.fetchval("SELECT 1")

        assert await cups.fetchval("SELECT count(*) FROM cups") == 0

    async def test_gives_a_lock_up_before_its_time_is_over(self, cups):
        async with cups.transaction() as tx:
            await tx.execute("LOCK TABLE cups")
            with budget_of(0.8) as budget:
                with pytest.raises(DatabaseBusy):
                    async with cups.transaction() as other:
                        await other.execute("INSERT INTO cups VALUES (1)")

                # Others wait for a lock for three seconds.
                assert monotonic() < budget.due + 2
                assert budget.may_be_cut

    async def test_may_be_cut_until_it_commits(self, cups):
        with budget_of(10) as budget:
            async with cups.transaction() as tx:
                await tx.execute("INSERT INTO cups VALUES (1)")
                assert budget.may_be_cut
                assert budget.stage == "database"

            assert budget.is_lasting
            assert budget.stage == "handler"

    async def test_is_not_to_be_cut_while_it_commits(self, cups, promised):
        with budget_of(10) as budget:

            async def commit():
                async with cups.transaction() as tx:
                    await tx.execute("INSERT INTO cups VALUES (-1)")

            task = asyncio.create_task(commit())

            async def is_committing():
                return budget.stage == "commit"

            await promised(is_committing)
            assert budget.is_held
            await asyncio.wait([task])

    async def test_that_was_rolled_back_leaves_nothing(self, cups):
        with budget_of(10) as budget:
            with pytest.raises(ZeroDivisionError):  # noqa: PT012
                async with cups.transaction() as tx:
                    await tx.execute("INSERT INTO cups VALUES (1)")
                    raise ZeroDivisionError

            assert budget.may_be_cut

    @pytest.mark.parametrize("seconds", [5, 10])
    async def test_whose_commit_has_no_answer_is_unclear(self, cups, seconds):
        with budget_of(seconds) as budget:
            with pytest.raises(CommitUnclear):
                async with cups.transaction() as tx:
                    await tx.execute("INSERT INTO cups VALUES (-1)")

            assert not budget.may_be_cut

    async def test_whose_commit_is_refused_has_not_happened(self, cups):
        with budget_of(10) as budget:
            with pytest.raises(ConstraintViolated):  # noqa: PT012
                async with cups.transaction() as tx:
                    await tx.execute("SET CONSTRAINTS ALL DEFERRED")
                    await tx.execute("INSERT INTO cups VALUES (1), (1)")

            assert budget.may_be_cut

    async def test_does_not_pass_for_committed_after_a_statement_failed(self, cups):
        with pytest.raises(NotCommitted):  # noqa: PT012
            async with cups.transaction() as tx:
                await tx.execute("INSERT INTO cups VALUES (1)")
                with pytest.raises(asyncpg.PostgresError):
                    await tx.execute("SELECT 1 / 0")

        assert await cups.fetchval("SELECT count(*) FROM cups") == 0

    async def test_lost_before_its_commit_has_not_happened(self, cups):
        with budget_of(10) as budget:
            with pytest.raises(DatabaseUnavailable) as lost:  # noqa: PT012
                async with cups.transaction() as tx:
                    pid = await tx.fetchval("SELECT pg_backend_pid()")
                    await cups.fetchval("SELECT pg_terminate_backend($1)", pid)
                    await tx.execute("INSERT INTO cups VALUES (1)")

            assert not isinstance(lost.value, CommitUnclear)
            assert budget.may_be_cut


class TestStatement:
    async def test_is_an_effect_by_itself(self, cups):
        with budget_of(10) as budget:
            async with cups.statement() as tx:
                assert budget.is_held
                await tx.execute("INSERT INTO cups VALUES (1)")

            assert budget.is_lasting

    async def test_that_is_refused_is_none(self, cups):
        with budget_of(10) as budget:
            with pytest.raises(ConstraintViolated):
                async with cups.statement() as tx:
                    await tx.execute("INSERT INTO cups VALUES (1), (1)")

            assert budget.may_be_cut

    async def test_lost_on_its_way_is_unclear(self, cups):
        with budget_of(10) as budget:
            with pytest.raises(CommitUnclear):
                async with cups.statement() as tx:
                    await tx.execute("INSERT INTO cups VALUES (-1)")

            assert not budget.may_be_cut

    async def test_with_little_time_is_all_or_nothing_too(self, cups):
        with budget_of(0.2) as budget:
            with pytest.raises(DatabaseBusy):
                async with cups.statement() as tx:
                    await tx.fetch("INSERT INTO cups SELECT 1 FROM pg_sleep(10)")

            assert budget.may_be_cut
        assert await cups.fetchval("SELECT count(*) FROM cups") == 0
