"""How long a call takes."""

# ruff: noqa: S311 - what takes a while need not be unpredictable

import random
from statistics import mean, median, quantiles, stdev

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.simulators.latency import Latency

SHAPES = st.one_of(
    st.builds(Latency, fixed=st.integers(0, 600_000)),
    st.builds(Latency, min=st.integers(0, 100), max=st.integers(100, 600_000)),
    st.builds(Latency, mean=st.integers(0, 1000), sd=st.integers(0, 600_000)),
    st.builds(Latency, p50=st.integers(1, 100), p99=st.integers(100, 600_000)),
)


class TestLatency:
    @given(latency=SHAPES, seed=st.integers())
    def test_the_same_seed_draws_the_same_and_never_out_of_bounds(self, latency, seed):
        first, second = random.Random(seed), random.Random(seed)

        drawn = [latency.draw_seconds(first) for _ in range(20)]

        assert drawn == [latency.draw_seconds(second) for _ in range(20)]
        assert all(0 <= seconds <= 600 for seconds in drawn)

    @given(latency=SHAPES)
    def test_takes_one_number_from_the_dice_whatever_its_shape(self, latency):
        dice, other = random.Random(1), random.Random(1)

        latency.draw_seconds(dice)
        other.random()

        assert dice.random() == other.random()

    def test_a_lognormal_has_the_quantiles_it_was_given(self):
        dice = random.Random(1)
        latency = Latency(p50=20, p99=400)

        drawn = [latency.draw_seconds(dice) * 1000 for _ in range(20_000)]

        assert median(drawn) == pytest.approx(20, rel=0.05)
        assert quantiles(drawn, n=100)[98] == pytest.approx(400, rel=0.15)

    def test_a_normal_has_the_mean_and_deviation_it_was_given(self):
        dice = random.Random(1)
        latency = Latency(mean=500, sd=50)

        drawn = [latency.draw_seconds(dice) * 1000 for _ in range(20_000)]

        assert mean(drawn) == pytest.approx(500, rel=0.02)
        assert stdev(drawn) == pytest.approx(50, rel=0.05)

    @pytest.mark.parametrize(
        "given",
        [
            {"mean": 5},
            {"p50": 5},
            {"p50": 6, "p99": 5},
            {"p50": 0, "p99": 5},
            {"mean": 5, "sd": 1, "fixed": 5},
            {"fixed": 1.5},
            {"sd": -1, "mean": 2},
        ],
    )
    def test_refuses_half_a_distribution(self, given):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(given, Latency)
