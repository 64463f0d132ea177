"""What PostgreSQL does once for all searches alike, and what it never does."""

import pytest

from holdfast.domain import search
from holdfast.domain.search.store import _ALIKE
from holdfast.platform.db import Database

_PREPARED = """
SELECT generic_plans, custom_plans FROM pg_prepared_statements
WHERE statement LIKE 'WITH RECURSIVE shelves%'
"""
_MANY_WORDS = """
INSERT INTO search_words (word, stem)
SELECT word, left(word, 5) FROM (
    SELECT translate(md5(n::text), '0123456789', 'ghijklmnop') AS word
    FROM generate_series(1, 5000) AS n) AS words
"""


@pytest.fixture
async def one(database_url, database):
    """A database of one connection, so that it is the one that has searched."""
    found = await Database.connect(database_url, size=1)
    yield found
    await found.close()


class TestPlanning:
    async def test_is_done_once_for_searches_that_ask_alike(self, one, put, clock):
        finder = search.Finder(one)
        await put("Red mug", vendor="Acme")
        await put("Blue mug", vendor="Bolt")

        for typed, vendor in (("mug", "Acme"), ("red", "Bolt"), ("blue", "Acme")):
            await finder.find(
                await finder.understand(typed),
                search.Filters(chosen={"vendor": (vendor,)}),
                sort="relevance",
                language="en",
                now=clock(),
                after=None,
                limit=20,
                facets=True,
            )

        prepared = [tuple(row) for row in await one.fetch(_PREPARED)]
        assert prepared == [(3, 0)], prepared

    async def test_never_reads_all_words_to_look_some_up(self, one):
        async with one.acquire() as connection:
            await connection.execute(_MANY_WORDS)
            await connection.execute("ANALYZE search_words")
            await connection.execute(
                f"PREPARE look_up (text, integer, integer) AS {_ALIKE}"
            )

            plan = await connection.fetch("EXPLAIN EXECUTE look_up ('a mug', 16, 20)")

        lines = [line for (line,) in plan if "on search_words" in line]
        assert len(lines) == 6, lines
        assert not [line for line in lines if "Seq Scan" in line]

    async def test_prefers_an_index_where_it_cannot_know_how_few_there_are(
        self, database_url
    ):
        """Of a table as small as this, reading all of it would be the shorter way."""
        db = await Database.connect(database_url, size=1, indexed=True)
        try:
            plan = await db.fetch(
                "EXPLAIN SELECT FROM product_index WHERE words @@ 'mug'::tsquery"
            )
        finally:
            await db.close()

        assert not [line for (line,) in plan if "Seq Scan" in line]
