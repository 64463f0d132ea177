"""A database comes to the schema of this release, once, whoever begins."""

import asyncio

import pytest

from holdfast.platform import migrate as migrations
from holdfast.platform.db import Database, DatabaseBusy
from holdfast.platform.migrate import (
    Migration,
    MigrationFailed,
    available,
    lacking,
    migrate,
    pending,
)

TEA = Migration("0001_expand_tea.sql", "CREATE TABLE tea (id int)")
CUPS = Migration("0002_expand_cups.sql", "CREATE TABLE cups (id int)")


@pytest.fixture
def release(monkeypatch):
    """Say which migrations this release has."""

    def has(*found):
        monkeypatch.setattr(migrations, "available", lambda: list(found))

    return has


@pytest.fixture
async def bare(database):
    """A database with no schema at all."""
    async with database.transaction() as tx:
        await tx.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return database


class TestAvailable:
    def test_are_numbered_without_gaps(self):
        names = [migration.name for migration in available()]

        assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
        assert all(name[4:12] in ("_expand_", "_contrac") for name in names)


class TestMigrate:
    async def test_applies_what_is_missing_in_order_and_once(self, bare, release):
        release(TEA)
        assert await pending(bare) == await lacking(bare) == [TEA.name]
        assert await migrate(bare) == [TEA.name]
        release(TEA, CUPS)
        assert await pending(bare) == await lacking(bare) == [CUPS.name]

        assert await migrate(bare) == [CUPS.name]
        assert await migrate(bare) == await pending(bare) == await lacking(bare) == []

    async def test_of_several_processes_at_once_one_does_it(
        self, bare, release, database_url
    ):
        release(TEA, CUPS)
        pools = [await Database.connect(database_url, size=1) for _ in range(4)]

        async with asyncio.TaskGroup() as group:
            runs = [group.create_task(migrate(db)) for db in pools]

        assert sorted(len(run.result()) for run in runs) == [0, 0, 0, 2]
        for db in pools:
            await db.close()

    async def test_one_that_fails_leaves_nothing_of_itself(self, bare, release):
        broken = Migration(
            "0002_expand_x.sql", "CREATE TABLE cups (id int); SELECT FROM WHERE"
        )
        release(TEA, broken)

        with pytest.raises(Exception, match="syntax error"):
            await migrate(bare)

        assert await bare.fetchval("SELECT to_regclass('cups')") is None
        assert await pending(bare) == [broken.name]
        release(TEA, CUPS)
        assert await migrate(bare) == [CUPS.name]

    async def test_has_a_patience_of_its_own(self, bare, release, monkeypatch):
        release(TEA, Migration("0002_expand_x.sql", "SELECT pg_sleep(10)"))
        monkeypatch.setattr(migrations, "_PATIENCE_SECONDS", 0.2)

        with pytest.raises(DatabaseBusy):
            await migrate(bare)

        assert await pending(bare) == ["0002_expand_x.sql"]

    async def test_a_file_that_was_changed_afterwards_is_refused(self, bare, release):
        release(TEA)
        await migrate(bare)
        release(Migration(TEA.name, TEA.sql + " -- better"))

        with pytest.raises(MigrationFailed, match=r"tea\.sql was changed"):
            await migrate(bare)
        with pytest.raises(MigrationFailed):
            await pending(bare)

    async def test_a_database_of_a_newer_release_is_refused(self, bare, release):
        release(TEA, CUPS)
        await migrate(bare)
        release(TEA)

        with pytest.raises(MigrationFailed, match="0002_expand_cups"):
            await migrate(bare)
        assert await lacking(bare) == []

    async def test_the_sessions_limits_are_ordinary_again_afterwards(
        self, bare, release, database_url
    ):
        db = await Database.connect(database_url, size=1)
        release(TEA)
        await migrate(db)

        assert await db.fetchval("SHOW lock_timeout") == "3s"
        assert await db.fetchval("SHOW statement_timeout") == "10s"
        await db.close()
