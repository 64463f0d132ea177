"""Round trips to PostgreSQL, counted where they pass."""

from holdfast.cli.bench.protection.round_trips import relayed
from holdfast.platform.db import Database


class TestRelay:
    async def test_counts_answers_and_not_statements(self, database_url):
        async with relayed(database_url) as (relay, url):
            db = await Database.connect(url, size=1)
            async with db.acquire() as connection:
                await connection.fetch("SELECT 1")
                before = relay.count
                await connection.fetch("SELECT 1")
                assert relay.count == before + 1

                await connection.execute("BEGIN; SELECT 1; SELECT 2; COMMIT")
                assert relay.count == before + 2

                long = await connection.fetchval("SELECT repeat('Z', 1000000)")
                assert len(long) == 1_000_000
            await db.close()
            assert relay.count >= before + 3
