"""What the server is told of a request's time, in the message that begins."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.platform.transactions import Limits
from holdfast.resilience.deadline import Budget, begin, finish

LIMITS = Limits(10.0, 3.0)


def opening(seconds, *, limits=LIMITS, lasting=False):
    """How a transaction begins with so many seconds left."""
    budget = Budget(100.0 + seconds)
    budget.is_lasting = lasting
    token = begin(budget)
    try:
        return limits.opening(lambda: 100.0)
    finally:
        finish(budget, token)


def told(seconds, **options):
    """The limits in it, in milliseconds."""
    said = opening(seconds, **options)
    return {
        name: int(value) for name, value in re.findall(r"LOCAL (\w+) = (\d+)", said)
    }


class TestOpening:
    def test_says_nothing_where_time_is_not_limited(self):
        assert LIMITS.opening() == "BEGIN"

    @pytest.mark.parametrize("seconds", [9.95, 10, 15, 60])
    def test_says_nothing_where_the_session_says_as_much(self, seconds):
        assert opening(seconds) == "BEGIN"

    @given(seconds=st.floats(0.001, 9.89))
    def test_no_statement_outlives_the_request_by_a_tenth_of_a_second(self, seconds):
        limits = told(seconds)

        for name in ("statement_timeout", "transaction_timeout"):
            # The request itself gives up first, and says so in its own words.
            assert seconds * 1000 < limits[name] <= seconds * 1000 + 100

    @given(seconds=st.floats(0.001, 9.89))
    def test_a_lock_is_waited_for_half_of_the_time(self, seconds):
        lock = told(seconds)["lock_timeout"]

        assert 1 <= lock <= 3_000
        assert lock <= max(250, seconds * 1000 / 2 + 20)

    def test_a_pool_in_a_hurry_stays_so(self):
        assert told(1.5, limits=Limits(2.0, 0.3))["lock_timeout"] == 300

    def test_there_are_few_texts(self):
        assert len({opening(n / 10_000) for n in range(100_000)}) <= 500

    def test_what_has_to_be_finished_gets_the_time_for_it(self):
        limits = told(0.001, lasting=True)

        assert limits["statement_timeout"] == 1050
