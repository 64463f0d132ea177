"""Fills a shop as its own imports do: rows, projection, index and stock together.

In batches of a thousand variants, each a transaction through the catalogue's writing
functions. What autovacuum and the nightly rebuild of the search would come round to is
done at once, so that every size is measured in the same state.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from holdfast.cli.bench.catalogue.generated import (
    ATTRIBUTES,
    arrivals,
    shelves,
)
from holdfast.cli.bench.instance import CannotBench
from holdfast.domain import catalog
from holdfast.domain.catalog import NewCategory
from holdfast.kernel.clock import monotonic, system_clock
from holdfast.platform.db import Database
from holdfast.workflows import attributes, showing
from holdfast.workflows import catalog as workflows

_BATCH_VARIANTS = 1_000
_SLOWEST = 250
"""Variants a second: what takes longer is broken, and is given up."""
_START_SECONDS = 60.0
_VACUUM = 900.0
"""Seconds for one table."""
# Tables that are empty are left alone: told that they are, the planner would scan them
# for ever.
_TABLES = """
SELECT quote_ident(relname) AS name FROM pg_stat_user_tables
WHERE n_live_tup > 0 AND schemaname = current_schema()
"""


@dataclass(frozen=True, slots=True)
class Filled:
    """What is in the shop now."""

    products: int
    variants: int
    handles: Sequence[str]
    titles: Sequence[str]
    seconds: float


async def fill(db: Database, names: Sequence[str], variants: int) -> Filled:
    """Put so many variants into an empty shop; ``CannotBench`` if it takes too long."""
    began, patience = monotonic(), _START_SECONDS + variants / _SLOWEST
    try:
        async with asyncio.timeout(patience):
            await _prepare(db)
            handles, titles = await _fill(db, names, variants)
            await _settle(db)
    except TimeoutError:
        raise CannotBench(
            f"{variants:,} variants are not in after {patience:,.0f} s."
        ) from None
    return Filled(len(handles), variants, handles, titles, monotonic() - began)


async def _prepare(db: Database) -> None:
    for wanted in ATTRIBUTES:
        await attributes.define(db, wanted, clock=system_clock)
    async with db.transaction() as tx:
        ids: dict[str, UUID] = {}
        for level in shelves():
            new = [
                NewCategory(
                    shelf.handle,
                    shelf.name,
                    place,
                    parent_id=ids[shelf.parent] if shelf.parent else None,
                )
                for place, shelf in enumerate(level)
            ]
            added = await catalog.add_categories(tx, new, at=system_clock())
            ids |= {category.handle: category.id for category in added}


async def _fill(
    db: Database, names: Sequence[str], variants: int
) -> tuple[list[str], list[str]]:
    handles: list[str] = []
    titles: list[str] = []
    batch: list[catalog.Arrival] = []
    waiting = 0
    for arrival in arrivals(names, variants):
        batch.append(arrival)
        waiting += len(arrival.draft.variants)
        handles.append(arrival.draft.handle)
        titles.append(arrival.draft.title)
        if waiting >= _BATCH_VARIANTS:
            await _take_in(db, batch)
            batch, waiting = [], 0
    if batch:
        await _take_in(db, batch)
    return handles, titles


async def _take_in(db: Database, batch: Sequence[catalog.Arrival]) -> None:
    await workflows.import_products(db, batch, clock=system_clock, actor="bench")


async def _settle(db: Database) -> None:
    await showing.count_words(db, before=system_clock(), clock=system_clock)
    async with db.statement() as connection:
        rows = await connection.fetch(_TABLES)
        # The session and the driver allow a statement a few seconds; the index of a
        # million variants is read for longer.
        patient: Any = connection
        await patient.execute("SET statement_timeout = 0")
        for row in rows:
            await patient.execute(f"VACUUM ANALYZE {row['name']}", timeout=_VACUUM)
        await patient.execute("CHECKPOINT", timeout=_VACUUM)
        await patient.execute("RESET statement_timeout")
