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
