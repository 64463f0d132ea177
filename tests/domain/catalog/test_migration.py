"""What an older release kept beyond the calendar can be read and changed again."""

from datetime import UTC, datetime
from importlib import resources
from uuid import UUID

import msgspec
import pytest

from holdfast.domain import catalog, pricing
from holdfast.domain.catalog.exporting import export
from holdfast.kernel.clock import system_clock
from holdfast.workflows.catalog import change_product
from holdfast.workflows.showing import renew

AT = datetime(2026, 11, 27, tzinfo=UTC)
KEPT = """
UPDATE products SET status = 'active', publish_at = NULL,
    unpublish_at = '9999-12-31T23:59:59-05:00'
WHERE title = 'Title of NEVER-ENDS';
UPDATE products SET status = 'scheduled', unpublish_at = NULL,
    publish_at = '9999-12-31T23:59:59-05:00'
WHERE title = 'Title of NEVER-BEGINS';
INSERT INTO prices (id, variant_id, currency, min_quantity, amount, starts_at, ends_at,
                    created_by, created_at)
SELECT gen_random_uuid(), v.id, 'GBP', 1, 100 + n, '9999-12-31T23:59:59-05:00',
       '9999-12-31T23:59:59-05:00'::timestamptz + n * interval '1 day', 'a', now()
FROM variants v CROSS JOIN generate_series(1, 2) n;
INSERT INTO prices (id, variant_id, currency, min_quantity, amount, starts_at,
                    created_by, created_at)
SELECT gen_random_uuid(), id, 'JPY', 1, 100, '0001-01-01T00:00:00+01:00', 'a', now()
FROM variants;
"""


@pytest.fixture
async def kept(database, a_product):
    """Two products and their prices, as an older release could keep them."""
    for sku in ("NEVER-ENDS", "NEVER-BEGINS"):
        await a_product(sku)
    async with database.transaction() as tx:
        await tx.execute(KEPT)
        rows = await tx.fetch("SELECT id FROM products ORDER BY title")
        await catalog.project(tx, [row["id"] for row in rows])
    return [row["id"] for row in rows]


@pytest.fixture
def come_to_this_release(database):
    """Do what this release's migration does with what is kept."""

    async def migrate():
        files = resources.files("holdfast.migrations")
        sql = (files / "0027_expand_files.sql").read_text()
        async with database.transaction() as tx:
            await tx.execute(sql[sql.index("-- An older release") :])

    return migrate


class TestMomentsBeyond:
    async def test_are_the_nearest_there_is_at_once(
        self, database, kept, come_to_this_release
    ):
        with pytest.raises(msgspec.ValidationError, match="RFC3339"):
            [d.product() for d in (await catalog.read_by_id(database, kept)).values()]

        await come_to_this_release()

        found = await catalog.read_by_id(database, kept, at=AT)
        begins, ends = (found[id_].product() for id_ in kept)
        assert (begins.status, ends.status) == ("scheduled", "active")
        assert begins.publish_at.year == ends.unpublish_at.year == 8999

    async def test_can_be_changed_and_written_to_a_file(
        self, database, clock, kept, come_to_this_release
    ):
        await come_to_this_release()
        await renew(database)

        for id_ in kept:
            changed = await change_product(
                database, id_, lambda draft: draft, clock=clock
            )
            assert changed.product().id == id_
        where = {"location_id": UUID(int=0), "at": system_clock()}
        parts = [part async for part in export(database, "jsonl", **where)]
        assert b"".join(parts).count(b"\n") == 2
        page = await pricing.prices(database, sku="NEVER-ENDS", after=None, limit=9)
        assert len(page.items) == 3

    async def test_that_are_on_the_calendar_stay(
        self, database, a_product, come_to_this_release
    ):
        await a_product("TEA")
        before = await database.fetch("SELECT * FROM products")

        await come_to_this_release()

        assert await database.fetch("SELECT * FROM products") == before
