import pytest

from holdfast.api.protection.extras import EXTRAS, NONE_FROM, Extra, Extras


class TestExtra:
    @pytest.mark.parametrize("until", [0, 4])
    def test_goes_at_a_level_that_there_is(self, until):
        with pytest.raises(ValueError, match="from 1 to 3"):
            Extra("facets", until, "no facets")


class TestExtras:
    @pytest.mark.parametrize(("level", "has"), [(0, True), (1, True), (2, False)])
    def test_are_there_below_their_level(self, level, has):
        extra = Extra("facets", 2, "no facets")

        assert Extras(lambda: level).has(extra) is has

    def test_are_all_off_from_the_last_level_on(self):
        assert Extras(lambda: NONE_FROM).off == list(EXTRAS)
        assert Extras(lambda: 0).off == []

    def test_have_names_of_their_own(self):
        assert len({extra.name for extra in EXTRAS}) == len(EXTRAS)


class TestLargePages:
    @pytest.fixture
    async def shelf(self, a_product):
        for number in range(22):
            await a_product(f"SKU-{number}")

    async def test_are_cut_and_said_to_be_under_load(self, shelf, client, shop):
        whole = (await client.get("/v1/products?limit=50")).json()
        shop.load.guard.levels.force(2, until=float("inf"))
        first = await client.get("/v1/products?limit=50")
        rest = await client.get(first.links["next"]["url"])

        assert "degraded" not in whole
        cut = first.json()
        assert cut["degraded"] == ["large_pages"]
        assert len(cut["items"]) == 20
        assert cut["items"] + rest.json()["items"] == whole["items"]
        assert rest.json()["next"] is None

    async def test_are_as_asked_for_where_they_are_small(self, shelf, client, shop):
        shop.load.guard.levels.force(4, until=float("inf"))

        shown = (await client.get("/v1/products?limit=20")).json()

        assert "degraded" not in shown
        assert len(shown["items"]) == 20
