"""The adaptive limit in virtual time, beside the best limit there is.

A window is half a second; the service does most with as many calls at once as its
capacity, whatever a call takes (``queueing``).
"""

from statistics import mean

import pytest
from published_rules import PublishedRules
from queueing import Play, Service

from holdfast.resilience.concurrency import COHORTS, Fixed, Gradient

OPTIMA = (8, 16, 40)
# Millions of steps through code each line of which is tried beside this; traced, they
# took three times as long.
pytestmark = pytest.mark.no_cover
LONG_MIX = pytest.param(100, 10, marks=pytest.mark.long)


def windows_until_near(result, optimum, begins, ends):
    """Windows after *begins* until the limit stays within a quarter of *optimum*."""
    limits = [step.limit for at, step in result.steps if begins < at < ends]
    far = [n for n, limit in enumerate(limits) if abs(limit - optimum) > optimum / 4]
    return max(far, default=-1) + 1


def best_fixed(service, rate, around, seconds, **fields):
    """Throughput and p99 of the best limit that does not move."""
    tried = [
        Play(Fixed(limit), service, rate, **fields).run(seconds)
        for limit in (around - 1, around, around + 1)
    ]
    best = max(tried, key=lambda result: result.throughput(15, seconds))
    return best.throughput(15, seconds), best.p99(15, seconds)


class TestConvergence:
    @pytest.mark.parametrize("optimum", OPTIMA)
    def test_within_a_quarter_when_calls_take_three_times_as_long_and_back(
        self, optimum
    ):
        def base(now):
            return 0.06 if 20 <= now < 40 else 0.02

        result = Play(
            Gradient(), Service(optimum, base), lambda now: 1.2 * optimum / base(now)
        ).run(60)

        for begins in (0, 20, 40):
            assert windows_until_near(result, optimum, begins, begins + 20) <= 20

    @pytest.mark.parametrize(("much", "little"), [(40, 10), (16, 8)])
    def test_follows_a_capacity_that_is_lost_in_ten_windows(self, much, little):
        def capacity(now):
            return little if now >= 20 else much

        result = Play(Gradient(), Service(capacity), 1.2 * much / 0.02).run(40)

        assert windows_until_near(result, little, 20, 40) <= 10

    @pytest.mark.parametrize(("much", "little"), [(40, 10), (40, 20)])
    def test_follows_a_capacity_that_is_gained(self, much, little):
        def capacity(now):
            return much if now >= 20 else little

        result = Play(Gradient(), Service(capacity), 1.2 * much / 0.02).run(50)

        assert windows_until_near(result, much, 20, 50) <= 20

    def test_a_service_that_one_call_fills_gets_the_least(self):
        class OneCore(Service):
            def seconds(self, now, inflight, dice):
                return 0.002 * inflight * dice.uniform(0.8, 1.2)

        result = Play(Gradient(), OneCore(), 600).run(40)

        assert max(result.between(25, 40)) <= 6
        assert result.throughput(25, 40) > 0.97 * 500


class TestGoodput:
    @pytest.mark.parametrize(
        ("optimum", "load"), [(16, 1.2), (40, 1.2), (16, 4), LONG_MIX]
    )
    def test_is_that_of_the_best_fixed_limit(self, optimum, load):
        service, rate = Service(optimum), load * optimum / 0.02
        throughput, p99 = best_fixed(service, rate, optimum, 35)

        result = Play(Gradient(), service, rate).run(35)

        assert result.throughput(15, 35) >= 0.97 * throughput
        assert result.p99(15, 35) <= 1.3 * p99

    @pytest.mark.parametrize("optimum", [8, 16])
    def test_is_close_to_it_where_calls_are_as_random_as_can_be(self, optimum):
        service = Service(optimum, is_memoryless=True)
        rate = 1.2 * optimum / 0.02
        shares, delays = [], []
        # One play lies between 0.89 and 1.0 of it.
        for seed in (1, 2, 3):
            throughput, p99 = best_fixed(service, rate, optimum, 45, seed=seed)

            result = Play(Gradient(), service, rate, seed=seed).run(45)

            shares.append(result.throughput(15, 45) / throughput)
            delays.append(result.p99(15, 45) / p99)

        assert mean(shares) >= 0.93
        assert mean(delays) <= 1.3

    def test_is_more_than_the_published_rules_reach(self):
        ours, theirs = (
            Play(limit, Service(16), 960).run(45).throughput(15, 45)
            for limit in (Gradient(), PublishedRules())
        )

        assert theirs < 0.9 * ours

    def test_of_who_matters_most_is_whole_at_five_times_the_load(self):
        payments, browsing, exports = 0, 2 * COHORTS, 4 * COHORTS
        mix = (payments,) * 4 + (browsing,) * 80 + (exports,) * 16

        result = Play(Gradient(), Service(16), 4000, levels=mix).run(30)

        shares = {n: result.served[n] / result.came[n] for n in (0, 2, 4)}
        assert shares[0] >= 0.999
        assert 0.15 < shares[2] < 0.25
        assert shares[4] < 0.001

    def test_waits_are_short_at_three_times_the_load(self):
        result = Play(Gradient(), Service(16), 2400).run(30)

        waits = sorted(result.waits)
        # Twice the target and one call.
        assert waits[int(0.99 * len(waits))] <= 2 * 0.005 + 0.03


class TestStability:
    @pytest.mark.parametrize("minutes", [2, pytest.param(60, marks=pytest.mark.long)])
    def test_does_not_drift_under_a_mild_overload(self, minutes):
        result = Play(Gradient(), Service(16), 960).run(60 * minutes)

        assert {12 <= n <= 20 for n in result.between(30, 60 * minutes)} == {True}
        last = 60 * (minutes - 1), 60 * minutes
        assert result.throughput(*last) >= 0.97 * 800

    def test_bursts_leave_it_where_it_was(self):
        def rate(now):
            return 4000 if now % 10 < 2 else 300

        result = Play(Gradient(), Service(16), rate).run(60)

        assert {13 <= n <= 19 for n in result.between(10, 60)} == {True}

    def test_a_limit_nobody_ran_into_is_not_raised(self):
        result = Play(Gradient(), Service(40), 400).run(60)

        assert max(n for _, n in result.limits) == 16

    def test_one_that_is_far_from_what_is_used_is_lowered(self):
        result = Play(Gradient(initial=150), Service(40), 200).run(60)

        assert result.limit_at(60) <= 5 * 15

    def test_timeouts_that_are_always_the_same_do_not_raise_it(self):
        class Hangs(Service):
            def seconds(self, now, inflight, dice):
                return 9.0 if now >= 20 else super().seconds(now, inflight, dice)

        result = Play(Gradient(), Hangs(deadline=1.0), 960).run(120)

        assert max(result.between(20, 120)) <= 18
        assert result.limit_at(120) == 4

    def test_nor_when_somebody_calls_them_answers(self):
        class Hangs(Service):
            def seconds(self, now, inflight, dice):
                return 1.0 if now >= 20 else super().seconds(now, inflight, dice)

        result = Play(Gradient(), Hangs(), 960).run(200)

        assert max(n for _, n in result.limits) <= 3 * 16
