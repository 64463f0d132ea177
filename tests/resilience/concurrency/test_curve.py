import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience.concurrency.curve import Curve


def knee(at, base=0.02):
    """A service that is as fast as it can be up to *at* calls."""
    return lambda n: max(base, base * (n / at) ** 1.5)


class TestLadder:
    @given(st.integers(1, 2000))
    def test_reaches_from_one_to_the_most_in_steps_of_a_twentieth(self, most):
        ladder = Curve(most).ladder

        assert ladder[0] == 1
        assert ladder[-1] == most
        for below, above in itertools.pairwise(ladder):
            assert below < above <= max(below + 1, round(below * 1.05))

    @given(st.integers(1, 300), st.floats(0.5, 400))
    def test_finds_the_nearest_rung(self, most, limit):
        curve = Curve(most)

        found = abs(curve.ladder[curve.rung(limit)] - limit)

        assert found == min(abs(n - limit) for n in curve.ladder)

    def test_goes_beyond_a_share(self):
        curve = Curve(200)
        here = curve.rung(20)

        assert curve.ladder[curve.beyond(here, 0.001)] == 21
        assert curve.ladder[curve.beyond(here, -0.001)] == 19
        assert curve.ladder[curve.beyond(here, 0.2)] == 25
        assert curve.ladder[curve.beyond(here, -0.2)] == 16

    def test_ends_at_its_ends(self):
        curve = Curve(10)

        assert curve.beyond(curve.rung(10), 0.1) == curve.rung(10)
        assert curve.beyond(curve.rung(1), -0.1) == curve.rung(1)


class TestCurve:
    @pytest.mark.parametrize("at", [6, 16, 40, 120])
    def test_knows_the_best_of_what_it_saw(self, at):
        curve, service = Curve(200), knee(at)
        here = curve.rung(at)
        for rung in range(here - 4, here + 5):
            curve.learn(curve.ladder[rung], service(curve.ladder[rung]))

        for start in (here - 3, here, here + 3):
            assert curve.best(start, 0) == here

    def test_an_unknown_neighbourhood_is_best_left_as_it_is(self):
        assert Curve(50).best(12, 0) == 12

    def test_does_not_go_below_the_lowest(self):
        curve = Curve(50)
        for limit in (8, 9, 10):
            curve.learn(limit, knee(2)(limit))

        assert curve.ladder[curve.best(curve.rung(10), curve.rung(9))] == 9

    def test_stays_as_it_is_when_everything_becomes_slower(self):
        curve = Curve(50)
        for limit in (14, 15, 16, 17, 18):
            curve.learn(limit, knee(16)(limit))

        curve.learn(17, 3 * knee(16)(17))

        assert curve.best(curve.rung(17), 0) == curve.rung(16)
        assert curve.weight(curve.rung(16)) < 0.3

    def test_a_step_to_a_level_nobody_was_at_is_told_from_the_last(self):
        curve = Curve(50)
        curve.learn(16, 0.02)

        curve.learn(17, 0.06)

        slope = curve.slope(curve.rung(16), curve.rung(17))
        assert slope == pytest.approx(0, abs=1e-9)

    def test_knows_how_latency_follows_calls(self):
        curve = Curve(50)
        for limit in (20, 22):
            curve.learn(limit, knee(10)(limit))

        assert curve.slope(curve.rung(20), curve.rung(22)) == pytest.approx(1.5)

    def test_learns_how_much_is_chance(self):
        dice, quiet, noisy = random.Random(1), Curve(50), Curve(50)  # noqa: S311 - chance
        for _ in range(300):
            quiet.learn(16, 0.02 * math.exp(dice.gauss(0, 0.005)))
            noisy.learn(16, 0.02 * math.exp(dice.gauss(0, 0.1)))

        assert quiet.noise == pytest.approx(0.005, rel=0.5)
        assert noisy.noise == pytest.approx(0.1, rel=0.5)

    def test_forgets_half_in_fourteen_windows(self):
        curve = Curve(50)
        curve.learn(10, 0.02)
        for _ in range(14):
            curve.learn(20, 0.02)

        assert curve.weight(curve.rung(10)) == pytest.approx(0.5, abs=0.02)

    def test_weights_stay_true_however_long_it_runs(self):
        curve = Curve(50)
        for _ in range(1000):
            curve.learn(20, 0.02)
            curve.learn(21, 0.021)

        assert curve.weight(curve.rung(20)) == pytest.approx(9.74, abs=0.01)
        assert curve.weight(curve.rung(21)) == pytest.approx(10.26, abs=0.01)

    def test_looks_again_at_what_it_hardly_knows(self):
        curve = Curve(50)
        for _ in range(30):
            curve.learn(16, 0.02)

        assert curve.is_doubtful(curve.rung(17), curve.rung(16))

    def test_does_not_look_at_what_is_surely_worse(self):
        curve = Curve(50)
        for _ in range(30):
            curve.learn(16, 0.02)
        curve.learn(17, 0.023)

        assert not curve.is_doubtful(curve.rung(17), curve.rung(16))

    def test_looks_a_few_times_at_what_is_hard_to_tell(self):
        curve, looked = Curve(50), 0
        for _ in range(30):
            curve.learn(16, 0.02)
        alike = 0.02 * (17 / 16) ** 0.7
        while curve.is_doubtful(curve.rung(17), curve.rung(16)):
            curve.learn(17, alike)
            looked += 1

        assert 1 < looked < 6
