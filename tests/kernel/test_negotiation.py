"""Somebody is given the best of the languages there are, and never refused."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.kernel.languages import broader
from holdfast.kernel.negotiation import MAX_CHARS, MAX_RANGES, Preference, preferred

TAGS = (
    "de",
    "de-AT",
    "de-CH",
    "fr",
    "fr-CA",
    "pt-BR",
    "zh-Hant-TW",
    "zh-Hant",
    "en-GB",
)
OWN = ("en", "en-GB", "de")

weights = st.integers(0, 1000)
headers = st.dictionaries(st.sampled_from((*TAGS, "en", "zh", "pt", "*")), weights)


def written(ranges):
    return ", ".join(f"{tag};q={weight / 1000:.3f}" for tag, weight in ranges.items())


class TestPreferred:
    @pytest.mark.parametrize(
        ("header", "chains"),
        [
            ("de", (("de",),)),
            ("DE-at", (("de-AT", "de"),)),
            ("de-AT, fr;q=0.5", (("de-AT", "de"), ("fr",))),
            ("fr;q=0.2,de;q=0.9", (("de",), ("fr",))),
            ("de;q=0.5,fr;q=0.5", (("de",), ("fr",))),
            ("de;q=0.1,de;q=0.9,fr;q=0.5", (("de",), ("fr",))),
            ("de , fr\t; q=1.000", (("de",), ("fr",))),
            ("iw", (("he",),)),
            ("de-UK", (("de",),)),
        ],
    )
    def test_ranks_by_weight_and_then_by_order(self, header, chains):
        assert preferred(header, "en").chains == chains

    @pytest.mark.parametrize(
        ("header", "chains"),
        [
            ("en", ()),
            ("en-US,en;q=0.9,de;q=0.8", (("en-US",),)),
            ("de,en;q=0.9,fr;q=0.8", (("de",),)),
            ("*, de", ()),
            ("fr, *;q=0.5, de;q=0.1", (("fr",),)),
        ],
    )
    def test_wants_nothing_less_than_what_the_shop_is_written_in(self, header, chains):
        assert preferred(header, "en").chains == chains

    def test_takes_the_english_of_the_shop_for_english(self):
        assert preferred("en, de;q=0.5", "en-GB").tags == ()

    @pytest.mark.parametrize(
        ("header", "chains"),
        [
            ("de-AT, de;q=0", (("de-AT",),)),
            ("de;q=0", ()),
            ("en;q=0, de;q=0.1", (("de",),)),
            ("de, *;q=0", (("de",),)),
        ],
    )
    def test_leaves_out_what_is_refused(self, header, chains):
        assert preferred(header, "en").chains == chains

    @pytest.mark.parametrize(
        "header",
        [
            *(
                "",
                ",,,",
                "-",
                "de-",
                "de_AT",
                "de;q=2",
                "de;q=0.1234",
                "de;q",
                "de;q=-1",
            ),
            *(
                "de;level=1",
                "english",
                "\x00",
                "de\x00",
                "d\u00e9",
                "de fr",
                "12",
                "q=1",
            ),
        ],
    )
    def test_is_as_if_nothing_was_said_where_that_is_nonsense(self, header):
        assert preferred(header, "en").tags == ()
        assert preferred(f"{header},fr", "en").tags == ("fr",)

    def test_looks_at_so_many_ranges_and_no_more(self):
        many = ",".join(["fr", *["de"] * (MAX_RANGES - 1), "pt"])

        assert preferred(many, "en").tags == ("fr", "de")

    def test_looks_at_so_many_characters_and_cuts_no_range_in_two(self):
        long = "fr," + " " * (MAX_CHARS - 5) + "de-AT,pt"

        assert preferred(long, "en").tags == ("fr",)
        assert preferred("de-" + "x" * 10**6, "en").tags == ()

    @given(st.text(max_size=200), st.sampled_from(OWN))
    @example("de;q=1.", "en")
    def test_never_fails(self, header, own):
        assert own not in preferred(header, own).tags

    @given(headers, st.sampled_from(OWN))
    def test_has_nothing_of_weight_zero(self, ranges, own):
        refused = {tag for tag, weight in ranges.items() if weight == 0}

        assert refused.isdisjoint(preferred(written(ranges), own).tags)


def looked_up(ranges, there, own):
    """RFC 4647 3.4, word by word; the language shown first, None for the shop's own."""
    for tag in sorted(ranges, key=lambda tag: -ranges[tag]):
        if ranges[tag] == 0:
            return None
        for each in (tag,) if tag == "*" else broader(tag):
            if each == "*" or (each in broader(own) and ranges.get(each) != 0):
                return None
            if each in there and ranges.get(each) != 0:
                return each
    return None


class TestChoose:
    @given(headers, st.sets(st.sampled_from(TAGS)), st.sampled_from(OWN))
    @example({"de-AT": 1000, "fr": 500}, {"fr", "de"}, "en")
    @example({"de": 500, "en": 0}, {"de"}, "en")
    def test_is_the_lookup_of_the_standard(self, ranges, there, own):
        there = there - {own}

        chosen = preferred(written(ranges), own).choose(there)

        assert (chosen[0] if chosen else None) == looked_up(ranges, there, own)

    @given(headers, st.sets(st.sampled_from(TAGS)), st.sampled_from(OWN))
    def test_falls_back_to_what_it_is_a_kind_of_and_to_nothing_else(
        self, ranges, there, own
    ):
        chosen = preferred(written(ranges), own).choose(there)

        assert set(chosen) <= there
        assert all(tag in broader(chosen[0]) for tag in chosen)

    def test_is_the_shops_own_where_nothing_is_wanted(self):
        assert Preference("en").choose({"de"}) == ()
