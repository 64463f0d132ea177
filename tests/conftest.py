"""The fixtures every test may use: servers that are real, and a clock that is not.

One PostgreSQL and one Valkey a test process, started when the first test asks.
The schema is built once into a template database; ``database_url`` is a fresh
clone of it (about 30 ms), so no test sees another's rows and any may commit.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from holdfast.platform.db import Database
from holdfast.platform.embedded import PostgresServer, ValkeyServer
from holdfast.platform.migrate import migrate

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
_clone_number = itertools.count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the servers they use, so that none has to be marked by hand."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "postgres" in fixtures:
            item.add_marker(pytest.mark.postgres)
        if "valkey" in fixtures:
            item.add_marker(pytest.mark.redis)


class HandClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    home = tmp_path_factory.mktemp("postgres", numbered=True)
    with PostgresServer(home / "server", durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def template(postgres: PostgresServer) -> str:
    """The name of a database with the whole schema and no rows."""
    _run(_sql(postgres, 'CREATE DATABASE "template_shop"'))
    _run(_migrate(postgres.url_of("template_shop")))
    return "template_shop"


@pytest.fixture
def database_url(postgres: PostgresServer, template: str) -> Iterator[str]:
    name = f"shop_{next(_clone_number)}"
    _run(_sql(postgres, f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    yield postgres.url_of(name)
    _run(_sql(postgres, f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    db = await Database.connect(database_url, size=20)
    yield db
    await db.close()


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    home = tmp_path_factory.mktemp("valkey", numbered=True)
    with ValkeyServer(home / "server", durable=False) as server:
        yield server


@pytest.fixture
def shared_data() -> Path:
    """The folder of real input, where a checkout has it beside it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real input is not beside this checkout")
    return SHARED_DATA


async def _sql(server: PostgresServer, statement: str) -> None:
    connection = await asyncpg.connect(server.url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _migrate(url: str) -> None:
    db = await Database.connect(url, size=1)
    try:
        await migrate(db)
    finally:
        await db.close()


def _run(job: Coroutine[Any, Any, None]) -> None:
    # Session fixtures are synchronous, so each errand gets a loop of its own, in
    # a thread where a test's loop may be running already.
    asyncio.run(job)
