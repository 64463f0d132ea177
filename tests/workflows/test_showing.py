"""Whoever writes a product shows it to readers and to the search alike."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

import holdfast
from holdfast.workflows import showing

SOURCE = Path(holdfast.__file__).parent


class TestShow:
    def test_is_how_every_write_ends(self):
        alone = [
            str(path.relative_to(SOURCE))
            for path in sorted(SOURCE.rglob("*.py"))
            if re.search(r"\bcatalog\.project\(", path.read_text())
            and path != Path(showing.__file__)
        ]

        assert not alone, f"these forget the search: {alone}"


class TestRenew:
    async def test_writes_anew_what_an_older_release_wrote(
        self, database, client, a_product
    ):
        made = [await a_product(f"MUG-{number}") for number in range(3)]
        assert await showing.renew(database) == 0
        before = [
            tuple(row)
            for row in await database.fetch(
                "SELECT document, version FROM products ORDER BY id"
            )
        ]
        await database.fetch(
            "UPDATE products SET document_version = 0, document = '{}'"
        )
        await database.fetch("DELETE FROM product_index")

        steps = [await showing.renew(database, limit=2) for _ in range(3)]

        assert steps == [2, 1, 0]
        after = await database.fetch(
            "SELECT document, version FROM products ORDER BY id"
        )
        assert [tuple(row) for row in after] == before
        found = await client.get("/v1/search?q=title")
        assert len(found.json()["items"]) == len(made)

    async def test_leaves_alone_what_somebody_is_writing(self, database, a_product):
        await a_product("MUG")
        await database.fetch("UPDATE products SET document_version = 0")
        async with database.transaction() as tx:
            await tx.fetch("SELECT id FROM products FOR UPDATE")

            assert await showing.renew(database) == 0

        assert await showing.renew(database) == 1


class TestCountWords:
    @pytest.fixture
    def counts(self, database):
        """In how many products each word is, as far as that is known."""

        async def read():
            rows = await database.fetch("SELECT word, products FROM search_words")
            return {row["word"]: row["products"] for row in rows}

        return read

    async def test_counts_each_once_a_day_a_few_at_a_time(
        self, database, clock, counts, a_product, monkeypatch
    ):
        monkeypatch.setattr(showing, "COUNTED_AT_ONCE", 2)
        for number in range(2):
            await a_product(f"MUG-{number}")
        assert set((await counts()).values()) == {1}

        async def count():
            before = clock() - timedelta(days=1)
            return await showing.count_words(database, before=before, clock=clock)

        assert await count() == 3
        assert await counts() == {"title": 2, "of": 2, "mug": 2}
        assert await count() == 0
        clock.advance(seconds=86_401)
        assert await count() == 3

    async def test_forgets_words_until_something_has_them_again(
        self, database, clock, client, counts, a_product
    ):
        await database.fetch(
            "INSERT INTO search_words VALUES ('title', 'titl'), ('tin', 'tin')"
        )
        await showing.count_words(database, before=clock(), clock=clock)
        nobody = (await client.get("/v1/suggestions?q=ti")).json()
        assert (await counts(), nobody["queries"]) == ({"title": 0, "tin": 0}, [])

        await a_product("MUG")

        assert (await counts())["title"] == 1
        again = (await client.get("/v1/suggestions?q=ti")).json()
        assert again["queries"] == ["title"]
