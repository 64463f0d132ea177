import asyncio
from contextlib import AsyncExitStack

import pytest

from holdfast.api.health import Health
from holdfast.api.routes import ROUTES
from holdfast.platform.db import DatabaseUnavailable
from holdfast.platform.redis import Cache
from holdfast.platform.vault import Vault

NOWHERE = "redis://127.0.0.1:1/0"


class Dead:
    """A database that is away."""

    def __init__(self):
        self.asked = 0

    async def fetchval(self, query):
        self.asked += 1
        raise DatabaseUnavailable

    fetch = fetchval


class Hanging:
    async def fetchval(self, query):
        await asyncio.Event().wait()

    fetch = fetchval


@pytest.fixture
async def cache(valkey):
    cache = Cache.connect(valkey.url)
    yield cache
    await cache.close()


class TestLivez:
    async def test_answers_without_looking_at_anything(self, edge):
        site = edge(*ROUTES)
        answer = await site.client.get("/livez")

        assert (answer.status_code, answer.json()) == (200, {"status": "alive"})
        assert site.database.asked == 0


class TestReadyz:
    async def test_says_ready_and_how_long_each_check_took(self, client):
        answer = await client.get("/readyz")

        assert answer.status_code == 200
        assert answer.json()["status"] == "ready"
        checks = answer.json()["checks"]
        assert checks["postgres"]["status"] == checks["migrations"]["status"] == "ok"
        assert checks["postgres"]["milliseconds"] >= 0
        assert checks["redis"] == {"status": "not_configured"}

    async def test_says_503_while_the_keys_of_personal_data_are_not_here(
        self, database
    ):
        readiness = await Health(database, None, Vault()).look()

        assert readiness.status == "unavailable"
        assert readiness.checks["data_keys"].status == "failed"

    async def test_says_503_when_the_database_is_gone(self, client, shop, database):
        await database.close()
        shop.health = Health(Dead(), None, Vault.fresh())

        answer = await client.get("/readyz")

        assert answer.status_code == 503
        assert answer.json()["status"] == "unavailable"
        assert answer.json()["checks"]["postgres"]["status"] == "failed"
        # What drivers say holds addresses.
        assert answer.json()["checks"]["postgres"]["detail"] == "no answer"

    async def test_says_503_when_a_migration_is_missing(self, client, database):
        await database.fetch("DELETE FROM schema_migrations WHERE name LIKE '0002%'")

        answer = await client.get("/readyz")

        assert answer.status_code == 503
        checks = answer.json()["checks"]
        assert checks["postgres"]["status"] == "ok"
        assert checks["migrations"]["detail"] == "1 to be applied"

    async def test_says_503_before_the_first_migration(self, client, database):
        await database.fetch("DROP TABLE schema_migrations")

        assert (await client.get("/readyz")).status_code == 503

    async def test_does_not_mind_a_database_that_is_ahead(self, client, database):
        await database.fetch(
            "INSERT INTO schema_migrations VALUES ('9999_expand_x.sql', '', now())"
        )

        assert (await client.get("/readyz")).json()["status"] == "ready"

    async def test_is_degraded_but_ready_without_redis(self, client, shop, database):
        gone = Cache.connect(NOWHERE)
        shop.health = Health(database, gone, Vault.fresh())

        answer = await client.get("/readyz")

        assert answer.status_code == 200
        assert answer.json()["status"] == "degraded"
        assert answer.json()["checks"]["redis"]["status"] == "failed"
        await gone.close()


class TestHealth:
    async def test_sees_redis(self, database, cache):
        assert (await Health(database, cache, Vault.fresh()).look()).checks[
            "redis"
        ].status == "ok"

    async def test_does_not_wait_for_what_hangs(self):
        async with asyncio.timeout(20):
            readiness = await Health(Hanging(), None, Vault.fresh()).look()

        assert readiness.status == "unavailable"

    async def test_looks_once_a_second_however_often_it_is_asked(self):
        now, dead = 100.0, Dead()
        health = Health(dead, None, Vault.fresh(), timer=lambda: now)

        for _ in range(20):
            await health.look()
        assert dead.asked == 3  # three checks ask the database

        now += 1.1
        await health.look()
        assert dead.asked == 6

    async def test_looks_at_the_database_on_a_connection_of_its_own(self, shop):
        async with AsyncExitStack() as borrowed:
            for _ in range(shop.settings.database_pool_size):
                await borrowed.enter_async_context(shop.db.acquire())

            readiness = await shop.health.look()

        assert readiness.status == "ready"
