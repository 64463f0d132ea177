"""What a shop says in its own language is compared by the stems of that language."""

from dataclasses import replace

import pytest

from holdfast.platform.db import Database
from holdfast.workflows.catalog import change_product


@pytest.fixture
async def german(database_url):
    """The database of the same shop, as a shop that is written in German opens it."""
    db = await Database.connect(database_url, size=1, language="de-AT")
    yield db
    await db.close()


class TestOwnLanguage:
    async def test_is_that_of_the_shop_that_writes(self, german, put, find, clock):
        made = await put("Regal", description_html="<p>F\u00fcr zwei Lampen</p>")
        as_english, _ = await find("Lampe ", language="de")

        await change_product(
            german, made.id, lambda old: replace(old, vendor="Acme"), clock=clock
        )

        as_german, _ = await find("Lampe ", language="de")
        assert (as_english, as_german) == ([], ["Regal"])
