"""``schema.sql`` is the whole of what the migrations add up to."""

import re
import subprocess
from importlib import resources

import asyncpg
import pytest

from holdfast.platform import migrate
from holdfast.platform.embedded.postgres_build import Build

MIGRATIONS = resources.files("holdfast.migrations")


class TestFiles:
    def test_are_numbered_without_a_gap_and_say_their_phase(self):
        for number, migration in enumerate(migrate.available(), start=1):
            assert re.fullmatch(
                rf"{number:04}_(expand|contract)_[a-z0-9_]+\.sql", migration.name
            ), f"{migration.name}: wanted {number:04}_expand_... or _contract_..."

    def test_begin_by_saying_why(self):
        for migration in migrate.available():
            assert migration.sql.startswith("-- "), migration.name


class TestSchema:
    @pytest.fixture
    async def written_by_hand(self, postgres):
        """The URL of a database made from ``schema.sql`` alone."""
        server = await asyncpg.connect(postgres.url)
        await server.execute('CREATE DATABASE "schema_by_hand"')
        url = postgres.url_of("schema_by_hand")
        connection = await asyncpg.connect(url)
        await connection.execute((MIGRATIONS / "schema.sql").read_text())
        await connection.close()
        yield url
        await server.execute('DROP DATABASE "schema_by_hand"')
        await server.close()

    def test_is_what_the_migrations_make(self, written_by_hand, database_url):
        dumps = []
        for url in (written_by_hand, database_url):
            done = subprocess.run(  # noqa: S603 - the server's own tool
                [
                    Build.find().bin_dir / "pg_dump",
                    *("--schema-only", "--no-owner", "--no-privileges"),
                    "--exclude-table=schema_migrations",
                    url,
                ],
                check=True,
                capture_output=True,
                text=True,
            )
            # A line with \restrict carries a random word.
            dumps.append([x for x in done.stdout.splitlines() if x[:1] != "\\"])

        assert dumps[0] == dumps[1]
