import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.api.protection.limits import (
    KINDS,
    MOST,
    Bounds,
    Limits,
    Rule,
    made,
    usual_bounds,
)
from holdfast.resilience.concurrency import Aimd, Fixed, Gradient

USUAL = Bounds(36, 4, 56)


class TestUsualBounds:
    @given(st.integers(1, 1000))
    def test_are_some_for_any_pool(self, pool_size):
        for bounds in usual_bounds(pool_size).values():
            assert 1 <= bounds.least <= bounds.initial <= bounds.most

    def test_let_as_many_upload_as_fit_however_slow_their_lines_are(self):
        assert usual_bounds(10)["upload"] == Bounds(32, 32, 32)

    def test_leave_reports_half_of_the_pool(self):
        assert usual_bounds(10)["report"].most == 5
        assert usual_bounds(1)["report"] == Bounds(1, 1, 1)


class TestRule:
    @pytest.mark.parametrize(
        ("rule", "bounds"),
        [
            (Rule(), USUAL),
            (Rule(most=3), Bounds(3, 3, 3)),
            (Rule(most=20), Bounds(20, 4, 20)),
            (Rule(most=200), Bounds(36, 4, 200)),
            (Rule(least=50), Bounds(50, 50, 56)),
            (Rule(least=80), Bounds(80, 80, 80)),
            (Rule(initial=2), Bounds(2, 2, 56)),
            (Rule(initial=5, least=5, most=5), Bounds(5, 5, 5)),
        ],
    )
    def test_leaves_what_is_not_said_to_give_way(self, rule, bounds):
        assert rule.bounds(USUAL) == bounds

    @pytest.mark.parametrize(
        "rule",
        [
            Rule(most=0),
            Rule(least=5, most=4),
            Rule(initial=60),
            Rule(initial=1, least=2),
            Rule(most=MOST + 1),
        ],
    )
    def test_refuses_bounds_that_are_none(self, rule):
        with pytest.raises(ValueError, match="least"):
            rule.bounds(USUAL)


class TestMade:
    @pytest.mark.parametrize(
        ("rule", "kind", "limit"),
        [
            (Rule(), Gradient, 36),
            (Rule("aimd", most=9), Aimd, 9),
            (Rule("fixed", most=9), Fixed, 9),
            (Rule("fixed"), Fixed, 36),
            (Rule("fixed", initial=7), Fixed, 7),
            (Rule("off"), Fixed, MOST),
        ],
    )
    def test_is_what_the_rule_says(self, rule, kind, limit):
        found = made(rule, USUAL)

        assert isinstance(found, kind)
        assert found.current == limit


class TestLimits:
    @pytest.fixture
    def limits(self):
        return Limits(10, [].append)

    def test_has_one_for_each_kind(self, limits):
        assert list(limits.limiters) == list(KINDS)

    def test_keeps_what_it_has_learned_where_nothing_is_said(self, limits):
        algorithm = limits.limiters["read"]._limit
        limits.take({"write": {"algorithm": "off"}})
        limits.take({})

        assert limits.limiters["read"]._limit is algorithm
        assert limits.limiters["write"].limit == 36
