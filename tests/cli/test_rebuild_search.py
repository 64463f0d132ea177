"""``holdfast search rebuild``: what it finds again."""

import asyncio

import pytest

from holdfast.cli import rebuild_search


class TestRun:
    @pytest.fixture
    def command(self, monkeypatch, settings, capsys):
        """Run the command on the test's shop; returns what it said."""
        for name, value in settings.raw.items():
            monkeypatch.setenv(name, value)

        async def run():
            # The command has a loop of its own.
            await asyncio.to_thread(rebuild_search.run)
            return capsys.readouterr().out

        return run

    async def test_makes_the_index_what_the_products_say(
        self, command, database, a_product, client
    ):
        await a_product("MUG-1")
        await a_product("MUG-2")
        await database.fetch("DELETE FROM product_index")
        await database.fetch("INSERT INTO search_words VALUES ('gone', 'gone')")
        lost = await client.get("/v1/search?q=title")

        said = await command()

        assert said == "2 products can be found\n"
        found = await client.get("/v1/search?q=title")
        assert (len(lost.json()["items"]), len(found.json()["items"])) == (0, 2)
        words = await database.fetch(
            "SELECT word, products FROM search_words WHERE products > 0 ORDER BY word"
        )
        assert [tuple(row) for row in words] == [("mug", 2), ("of", 2), ("title", 2)]
