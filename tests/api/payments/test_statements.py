"""How many SQL statements an order takes, as PostgreSQL itself counts them."""

import pytest

MOST = 12
"""`BEGIN` and `COMMIT` counted: a promise of `docs/reference/performance.md`."""

# Reading these numbers, and looking now and then whether controls, keys or drops have
# changed, is no part of an order.
_COUNT = """
SELECT query, sum(calls)::bigint AS calls FROM pg_stat_statements
WHERE query NOT ILIKE '%pg_stat_statements%' AND query NOT LIKE '%FROM controls%'
  AND query NOT LIKE '%FROM data_keys%' AND query NOT LIKE '%FROM drops%'
  AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
GROUP BY query
"""


@pytest.fixture
async def counted(database):
    """Begin to count the statements of this shop; call it for what there were."""
    async with database.statement() as connection:
        await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")

    async def begin():
        async with database.statement() as connection:
            await connection.execute("SELECT pg_stat_statements_reset()")

    async def read():
        return {row["query"]: row["calls"] for row in await database.fetch(_COUNT)}

    return begin, read


class TestAnOrder:
    async def test_takes_no_more_statements_than_promised(
        self, client, a_bag, tell, control, counted
    ):
        begin, read = counted
        # What is only done once: plans, types, a carrier's quote.
        await (await a_bag(TEA=1, CUP=2)).check_out("first")

        await begin()
        bag = await a_bag(TEA=1, CUP=2)
        placed = await bag.check_out("second")
        shown = await client.get(f"/v1/orders/{placed.json()['id']}", headers=bag.owner)
        made = control("GET", "/v1/charges")["items"]
        (charge,) = [c for c in made if c["key"] == placed.json()["id"]]
        told = await tell(data=charge)
        statements = await read()

        assert (placed.status_code, shown.status_code, told.status_code) == (
            201,
            200,
            204,
        )
        assert sum(statements.values()) <= MOST, statements
