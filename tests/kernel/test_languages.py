"""Tags are written in one way, and what is none is told from what is."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.kernel.languages import MAX_TAG, broader, canonical

subtags = st.text("abdeinorstuxz0159", min_size=1, max_size=8)
tags = st.lists(subtags, min_size=1, max_size=6).map("-".join)
real = st.sampled_from(
    ["de", "DEU", "pt-br", "zh-hant-tw", "sr-Latn-XK", "es-419", "iw-IL", "sl-rozaj"]
)


class TestCanonical:
    @pytest.mark.parametrize(
        ("said", "written"),
        [
            ("de", "de"),
            ("DE-at", "de-AT"),
            ("zh-hant-tw", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("sr-latn-xk", "sr-Latn-XK"),
            ("de-CH-1996", "de-CH-1996"),
            ("sl-IT-NEDIS", "sl-IT-nedis"),
            ("en-u-co-phonebk-a-foo", "en-a-foo-u-co-phonebk"),
            ("de-x-Ours", "de-x-ours"),
            ("deu", "de"),
            ("ger-CH", "de-CH"),
            ("iw", "he"),
            ("mo", "ro"),
            ("my-BU", "my-MM"),
            ("zh-cmn-hans", "cmn-Hans"),
            ("fil", "fil"),
            ("i-klingon", "tlh"),
            ("EN-GB-oed", "en-GB-oxendict"),
            ("zh-min-nan", "nan"),
        ],
    )
    def test_writes_a_tag_as_the_standard_does(self, said, written):
        assert canonical(said) == written
        assert canonical(written) == written

    @pytest.mark.parametrize(
        "said",
        [
            *("", "-", "d", "de-", "-de", "de--AT", "de_AT", "de-AT\n", "d\u00e9"),
            *("english", "xx", "de-UK", "de-1996-1996", "en-a-foo-a-bar", "x-ours"),
            *("*", "de-*", "a-de", "zh-min", "cel-gaulish", "de-" + "abcde" * 8),
        ],
    )
    def test_knows_what_is_none(self, said):
        assert canonical(said) is None

    @given(tags | real)
    @example("no-nyn")
    def test_is_the_same_for_what_it_wrote(self, said):
        written = canonical(said)

        if written is not None:
            assert canonical(written) == written
            assert canonical(written.upper()) == written
            assert len(written) <= MAX_TAG

    @given(st.text(max_size=50))
    def test_takes_whatever_somebody_says(self, said):
        written = canonical(said)

        assert written is None or written.isascii()


class TestBroader:
    @pytest.mark.parametrize(
        ("tag", "found"),
        [
            ("de", ("de",)),
            ("zh-Hant-TW", ("zh-Hant-TW", "zh-Hant", "zh")),
            ("de-u-co-phonebk", ("de-u-co-phonebk", "de-u-co", "de")),
            ("de-x-ours", ("de-x-ours", "de")),
        ],
    )
    def test_takes_off_one_part_after_another(self, tag, found):
        assert broader(tag) == found
