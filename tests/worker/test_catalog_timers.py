"""What the worker does for the catalogue from time to time."""

import pytest

from holdfast.worker.catalog_timers import catalog_timers
from holdfast.worker.handlers import Reach


@pytest.fixture
def timers(database, vault, clock):
    """The timers by name."""
    reach = Reach(database, vault, None, clock)
    return {timer.name: timer for timer in catalog_timers(reach)}


class TestCatalogTimers:
    async def test_write_anew_what_an_older_release_wrote(
        self, timers, database, a_product
    ):
        await a_product("MUG")
        await database.fetch("UPDATE products SET document_version = 0")

        await timers["renew_products"].run()

        assert await database.fetchval("SELECT document_version FROM products") == 1

    async def test_count_new_words(self, timers, database, a_product):
        for number in range(2):
            await a_product(f"MUG-{number}")

        await timers["count_words"].run()

        counts = await database.fetch("SELECT DISTINCT products FROM search_words")
        assert [row["products"] for row in counts] == [2]
