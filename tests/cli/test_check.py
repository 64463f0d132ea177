"""What ``holdfast check`` and ``holdfast migrate`` tell an operator."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.platform.db import Database
from holdfast.platform.embedded import PostgresServer, ValkeyServer
from holdfast.platform.vault import Vault

Holdfast = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def settings_of_shop(
    database_url: str,
    valkey: ValkeyServer,
    payment_provider,
    carrier,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """The environment that our commands are started with."""
    values = {
        "COLUMNS": "200",
        "HOLDFAST_HOME": str(tmp_path / "home"),
        "DATABASE_URL": database_url,
        "REDIS_URL": valkey.url,
        "HOLDFAST_PAYMENT_URL": payment_provider.url,
        "HOLDFAST_CARRIER_URL": carrier.url,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


@pytest.fixture
def holdfast(
    settings_of_shop: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Holdfast:
    def run(*arguments: str, **changed: str) -> "subprocess.CompletedProcess[str]":
        for name, value in changed.items():
            monkeypatch.setenv(name, value)
        return subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "holdfast", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


class TestCheck:
    def test_everything_answers(self, holdfast: Holdfast) -> None:
        done = holdfast("check")

        assert done.returncode == 0, done.stderr
        assert "version 18" in done.stdout
        assert "up to date" in done.stdout

    def test_shows_no_password(
        self, holdfast: Holdfast, settings_of_shop: dict[str, str]
    ) -> None:
        password = settings_of_shop["DATABASE_URL"].split(":")[2].split("@")[0]

        done = holdfast("check")

        assert password not in done.stdout + done.stderr
        assert "postgresql://127.0.0.1" in done.stdout

    @pytest.mark.parametrize(
        ("setting", "url", "name"),
        [
            ("REDIS_URL", "redis://127.0.0.1:1/0", "Redis"),
            ("DATABASE_URL", "postgresql://x@127.0.0.1:1/x", "PostgreSQL"),
            ("HOLDFAST_PAYMENT_URL", "http://127.0.0.1:1", "payment provider"),
            (
                "HOLDFAST_MEDIA_URL",
                "s3://k:s@b?endpoint=http://127.0.0.1:1",
                "pictures",
            ),
        ],
    )
    def test_names_what_does_not_answer_and_fails(
        self, holdfast: Holdfast, setting: str, url: str, name: str
    ) -> None:
        done = holdfast("check", **{setting: url})

        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        (line,) = [n for n in done.stdout.splitlines() if f"│ {name} " in n]
        assert "answers" not in line

    def test_says_whether_the_data_key_opens_the_keys(
        self, holdfast: Holdfast, vault: Vault, data_key: str
    ) -> None:
        right = holdfast("check", HOLDFAST_DATA_KEY=data_key)
        wrong = holdfast("check", HOLDFAST_DATA_KEY="base64:" + "A" * 43 + "=")

        assert "opens the keys" in right.stdout
        assert (right.returncode, wrong.returncode) == (0, 1)
        assert "is not the key that this shop's" in wrong.stdout
        assert "A" * 43 not in wrong.stdout + wrong.stderr

    def test_makes_no_key(self, holdfast: Holdfast, tmp_path: Path) -> None:
        done = holdfast("check")

        assert "no keys yet: the first process makes them" in done.stdout
        assert not (tmp_path / "home" / "data.key").exists()

    def test_shows_a_key_service_as_it_is(self, holdfast: Holdfast) -> None:
        where = "aws-kms://arn:aws:kms:eu-central-1:1:key/1"

        done = holdfast("check", HOLDFAST_DATA_KEY=where)

        assert where in done.stdout
        assert "Traceback" not in done.stderr

    def test_names_the_migrations_that_are_missing(
        self, holdfast: Holdfast, postgres: PostgresServer
    ) -> None:
        done = holdfast("check", DATABASE_URL=postgres.url)

        assert done.returncode == 1
        assert "0001_expand_first_sale.sql" in done.stdout

    def test_reports_every_bad_setting_at_once(self, holdfast: Holdfast) -> None:
        done = holdfast("check", HOLDFAST_CURRENCY="XYZ", HOLDFAST_ENV="prod")

        assert done.returncode == 1
        assert "HOLDFAST_CURRENCY" in done.stderr
        assert "HOLDFAST_ENV" in done.stderr


class TestMigrate:
    def test_says_that_there_is_nothing_to_do(self, holdfast: Holdfast) -> None:
        done = holdfast("migrate")

        assert done.returncode == 0
        assert done.stdout == "the schema is up to date\n"

    async def test_names_what_it_applied(
        self, holdfast: Holdfast, database: Database
    ) -> None:
        async with database.transaction() as tx:
            await tx.execute("DROP SCHEMA public CASCADE")
            await tx.execute("CREATE SCHEMA public")

        done = holdfast("migrate")

        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[0] == "applied 0001_expand_first_sale.sql"

    async def test_refuses_a_database_of_a_newer_release(
        self, holdfast: Holdfast, database: Database
    ) -> None:
        async with database.transaction() as tx:
            await tx.execute(
                "INSERT INTO schema_migrations (name, checksum) VALUES ('9999_x', '')"
            )

        done = holdfast("migrate")

        assert done.returncode == 1
        assert "9999_x" in done.stderr
        assert done.stderr.count("\n") == 1

    def test_a_database_out_of_reach_is_one_sentence(self, holdfast: Holdfast) -> None:
        done = holdfast("migrate", DATABASE_URL="postgresql://x@127.0.0.1:1/x")

        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "Traceback" not in done.stderr
