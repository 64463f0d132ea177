"""Ranges of numbers and days, as an address has them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.search import FilterInvalid
from holdfast.domain.search.filters import read_chosen, read_measures
from holdfast.domain.search.measures import Measure, path_of

NUMBERS = st.decimals(-(10**9), 10**9, places=3, allow_nan=False)


class TestReadMeasures:
    @pytest.mark.parametrize(
        ("text", "path"),
        [
            ("height:10..20", '$."height" >= 10 && $."height" <= 20'),
            ("height:10..", '$."height" >= 10'),
            ("height:..-2.50", '$."height" <= -2.50'),
            ("height:007..9", '$."height" >= 7 && $."height" <= 9'),
            ("height: 1 .. 2 ", '$."height" >= 1 && $."height" <= 2'),
            (
                "picked:2026-01-31..2026-12-01",
                '$."picked" >= "2026-01-31" && $."picked" <= "2026-12-01"',
            ),
            ("a:1..;wood:oak;b:..2", '$."a" >= 1 && $."b" <= 2'),
            ("wood:oak,elm", None),
            ('wood:"1..2"', None),
            (None, None),
        ],
    )
    def test_says_what_must_hold(self, text, path):
        assert path_of(read_measures(text)) == path

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("a:..", "least or a most"),
            ("a:2..1", "begin after its end"),
            ("a:2026-12-31..2026-01-01", "begin after its end"),
            ("a:1..2026-01-01", "two numbers, or two days"),
            ("a:x..y", "must be numbers"),
            ("a:1e5..", "must be numbers"),
            ("a:NaN..", "must be numbers"),
            ("a:1..2..3", "must be numbers"),
            ("a:2026-02-30..", "must be numbers"),
            (f"a:{'9' * 17}..", "must be numbers"),
            ("a:\u0661..", "must be numbers"),
            ("a:1..2,3..4", "one range"),
            ("a:1..2,5", "one range"),
            ("A:1..2", "no code"),
            ('"a"" == 1 || true":1..2', "no code"),
            ("a:1..2;a:3..4", "twice"),
        ],
    )
    def test_says_what_is_wrong_with_a_range(self, text, reason):
        with pytest.raises(FilterInvalid) as refused:
            read_measures(text)

        assert refused.value.parameter == "attribute"
        assert reason in refused.value.reason

    @given(NUMBERS, NUMBERS)
    def test_takes_any_two_numbers_in_order_and_no_others(self, one, other):
        least, most = sorted((one, other))

        (measure,) = read_measures(f"a:{least:f}..{most:f}")

        assert measure == Measure("a", f"{least:f}", f"{most:f}")
        if least < most:
            with pytest.raises(FilterInvalid):
                read_measures(f"a:{most:f}..{least:f}")


class TestReadChosen:
    def test_leaves_ranges_to_others(self):
        chosen = read_chosen({"attribute": "a:1..2;wood:oak", "vendor": "1..2"})

        assert chosen == {"attribute.wood": ("oak",), "vendor": ("1..2",)}
