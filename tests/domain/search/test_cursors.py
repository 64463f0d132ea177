"""Cursors of searches: what was given out leads on, and nothing else does."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.search.cursors import cursor, place
from holdfast.kernel.page import BadCursor, encode_cursor

LAST = UUID("01a205b5-8c52-787d-a479-e3a655f76aae")
WEIGHTS = st.floats(allow_nan=False, allow_infinity=False, width=64).filter(
    lambda weight: abs(weight) < 2**63
)
NUMBERS = st.integers(-(2**63) + 1, 2**63 - 1)


class TestPlace:
    @given(WEIGHTS, st.booleans())
    def test_reads_every_weight_that_was_written(self, weight, few):
        assert place(cursor("relevance", few, weight, LAST), "relevance") == (
            *(few, repr(weight)),
            LAST,
        )

    @given(NUMBERS, st.sampled_from(["newest", "price", "-price"]))
    def test_reads_every_number_that_was_written(self, number, sort):
        found = place(cursor(sort, False, number, LAST), sort)  # noqa: FBT003

        assert found == (None, str(number), LAST)

    @pytest.mark.parametrize(
        "key",
        [
            *("\uff11", "\u0661\u0662", "1_0", " 1", "1 ", "1\n", "+1", "01", "-0"),
            *("", "x", "1.0", "0x1", "1e3", "9" * 30, "9" * 400),
        ],
    )
    def test_takes_no_number_that_it_would_not_have_written(self, key):
        with pytest.raises(BadCursor):
            place(encode_cursor("newest", key, str(LAST)), "newest")

    @pytest.mark.parametrize(
        "key",
        [
            *("1e-400", "-1e-400", "1e400", "nan", "inf", "-inf", "Infinity"),
            *("\uff11.\uff15", "1_0.5", " 1.0", "1.", ".5", "1", "1.50", "1E5", "+1.0"),
        ],
    )
    def test_takes_no_weight_that_it_would_not_have_written(self, key):
        with pytest.raises(BadCursor):
            place(encode_cursor("relevancew", key, str(LAST)), "relevance")

    @pytest.mark.parametrize("title", ["", "\uff11", "1_0", "te\u0301a"])
    def test_reads_titles_as_they_are(self, title):
        found = place(cursor("title", False, title, LAST), "title")  # noqa: FBT003

        assert found == (None, title, LAST)
