import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience.load import signals
from holdfast.resilience.load.signals import Last, Rate, Samples, Scale, share_of

numbers = st.floats(-1e6, 1e6)
DEFAULTS = {
    "cpu": signals.CPU,
    "inflight": signals.INFLIGHT,
    "lag": signals.LAG,
    "memory": signals.MEMORY,
    "pool": signals.POOL_WAIT,
    "sojourn": signals.SOJOURN,
    "stalled": signals.STALLED,
}


class TestScale:
    @pytest.mark.parametrize(
        ("value", "pressure"),
        [(0.0, 0.0), (0.6, 0.0), (0.775, 0.5), (0.95, 1.0), (7.0, 1.0)],
    )
    def test_rises_from_calm_to_full(self, value, pressure):
        assert signals.CPU.pressure(value) == pytest.approx(pressure)

    @given(numbers, numbers)
    def test_is_a_pressure_for_any_value_and_never_falls(self, one, other):
        scale = Scale(-10.0, 10.0)
        low, high = sorted([one, other])

        assert 0 <= scale.pressure(low) <= scale.pressure(high) <= 1

    @pytest.mark.parametrize("full", [0.5, 0.4, math.nan])
    def test_refuses_to_be_upside_down(self, full):
        with pytest.raises(ValueError, match="below"):
            Scale(0.5, full)

    @pytest.mark.parametrize("scale", DEFAULTS.values(), ids=DEFAULTS)
    def test_is_calm_where_there_is_nothing(self, scale):
        assert scale.pressure(0) == 0


class TestSamples:
    def test_are_a_quantile_of_the_last_seconds(self, hand):
        samples = Samples(within_seconds=1, timer=hand)
        for value in (5, 1, 2, 3, 4, 6, 7, 8, 10, 9):
            samples.note(value)

        assert samples() == 9

    def test_are_no_signal_where_nothing_happened(self, hand):
        assert Samples(within_seconds=1, timer=hand)() is None

    def test_are_forgotten_after_their_time(self, hand):
        samples = Samples(within_seconds=1, timer=hand)
        samples.note(100)
        hand.advance(0.6)
        samples.note(1)

        assert samples() == 100
        hand.advance(0.6)
        assert samples() == 1
        hand.advance(0.6)
        assert samples() is None

    def test_are_bounded(self, hand):
        samples = Samples(within_seconds=1, timer=hand, quantile=1, most=3)
        for value in (9, 1, 2, 3):
            samples.note(value)

        assert samples() == 3

    @given(st.lists(numbers, min_size=1, max_size=50), st.floats(0.01, 1))
    def test_are_the_nearest_rank(self, values, quantile):
        samples = Samples(within_seconds=1, timer=lambda: 0.0, quantile=quantile)
        for value in values:
            samples.note(value)
        found = samples()

        assert sum(v <= found for v in values) >= quantile * len(values)
        assert sum(v < found for v in values) < quantile * len(values)

    @pytest.mark.parametrize("quantile", [0, -1, 1.1])
    def test_refuse_what_is_no_quantile(self, hand, quantile):
        with pytest.raises(ValueError, match="quantile"):
            Samples(within_seconds=1, timer=hand, quantile=quantile)


class TestLast:
    def test_is_said_once(self):
        last = Last()
        last.note(1)
        last.note(2)

        assert (last(), last()) == (2, None)


class TestRate:
    def test_is_the_growth_a_second(self, hand):
        rate = Rate(lambda: (hand() - 1000) * 0.7, timer=hand)
        rate()
        hand.advance(1)

        assert rate() == pytest.approx(0.7)

    def test_is_no_signal_before_half_its_time_has_passed(self, hand):
        rate = Rate(lambda: 0.0, timer=hand)

        assert rate() is None
        hand.advance(0.49)
        assert rate() is None
        hand.advance(0.01)
        assert rate() == 0

    def test_forgets_what_was_more_than_its_time_ago(self, hand):
        used = [0.0]
        rate = Rate(lambda: used[0], timer=hand)
        for _ in range(40):
            rate()
            hand.advance(0.05)
            used[0] += 0.05
        for _ in range(21):
            rate()
            hand.advance(0.05)

        assert rate() == pytest.approx(0, abs=1e-9)

    def test_is_no_signal_where_the_count_is_none(self, hand):
        assert Rate(lambda: None, timer=hand)() is None


class TestShareOf:
    @pytest.mark.parametrize(
        ("part", "whole", "share"),
        [(3, 4, 0.75), (None, 4, None), (3, None, None), (3, 0, None)],
    )
    def test_is_one_in_the_other(self, part, whole, share):
        assert share_of(lambda: part, lambda: whole)() == share
