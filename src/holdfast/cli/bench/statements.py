"""How many SQL statements an order takes, as PostgreSQL itself counts them."""

import asyncio

import aiohttp

from holdfast.cli.bench.stages import Stages
from holdfast.platform.db import Database

_ORDERS = 50
_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.1

# BEGIN and COMMIT are statements too (`track_utility` is on by default); what this
# connection says to read the numbers is not the shop's, and looking now and then
# whether keys, controls or drops have changed is no part of an order.
_COUNT = """
SELECT query, sum(calls)::bigint AS calls FROM pg_stat_statements
WHERE query NOT ILIKE '%pg_stat_statements%' AND query NOT LIKE '%FROM data_keys%'
  AND query NOT LIKE '%FROM controls%' AND query NOT LIKE '%FROM drops%'
  AND dbid = (
    SELECT oid FROM pg_database WHERE datname = current_database())
GROUP BY query ORDER BY calls DESC
"""


async def prepare(db: Database) -> None:
    """Make the counters readable."""
    async with db.statement() as connection:
        await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")


async def count_of_an_order(stages: Stages) -> dict[str, float]:
    """Calls of each statement for one order, the jobs of the worker left out.

    One buyer with nobody beside them; the worker is stopped meanwhile, so that its
    polling is not taken for theirs.
    """
    worker = stages.shop.worker()
    worker.suspend()
    try:
        await stages.buy(1)  # what is only done once: plans, types, a carrier's quote
        # What the provider still tells of the orders before is not of these.
        await _all_told(stages)
        async with stages.db.statement() as connection:
            await connection.execute("SELECT pg_stat_statements_reset()")
        await stages.buy(_ORDERS)
        await _all_told(stages)
        rows = await stages.db.fetch(_COUNT)
    finally:
        worker.resume()
    return {row["query"]: row["calls"] / _ORDERS for row in rows if row["calls"]}


async def _all_told(stages: Stages) -> None:
    """Wait until the payment provider's webhooks have arrived: the newest come last."""
    url = stages.shop.addresses["HOLDFAST_PAYMENT_URL"] + "/control/webhooks"
    async with (
        asyncio.timeout(_PATIENCE_SECONDS),
        aiohttp.ClientSession(trust_env=False) as session,
    ):
        while True:
            async with session.get(url, params={"limit": _ORDERS}) as answer:
                newest = (await answer.json())["items"]
            if all(delivery["status"] != "pending" for delivery in newest):
                return
            await asyncio.sleep(_LOOK_SECONDS)
