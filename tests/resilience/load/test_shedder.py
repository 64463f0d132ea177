import math
from collections import Counter
from itertools import pairwise
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience.load import (
    COHORTS,
    LEVELS,
    Controller,
    Flow,
    Shedder,
    cohort_of,
    level_of,
)
from holdfast.resilience.load.shedder import Offered, floor_of

levels = st.integers(0, LEVELS - 1)
CALM = Flow(arrived=100, served=100, spare=0.5, late=-1)
TENFOLD = Flow(arrived=1000, served=100, spare=0)
FULL = Flow(arrived=100, served=100, spare=0, late=-0.2)


class TestCohortOf:
    def test_stays_for_an_hour_then_changes(self):
        names = [b"caller-%d" % n for n in range(200)]

        at, later, after = (
            [cohort_of(name, seconds) for name in names]
            for seconds in (3600.0, 7199.9, 7200.0)
        )

        assert at == later
        assert sum(a != b for a, b in zip(at, after, strict=True)) > 150

    def test_spreads_callers_evenly(self):
        counts = Counter(cohort_of(b"caller-%d" % n, 0.0) for n in range(12_800))

        assert len(counts) == COHORTS
        # 100 each on average; chi-square of 127 degrees of freedom, p = 0.001.
        assert sum((n - 100) ** 2 / 100 for n in counts.values()) < 181

    def test_is_another_with_another_key(self):
        found = {cohort_of(b"caller", 0.0, b"key-%d" % n) for n in range(50)}

        assert len(found) > 20

    def test_is_the_same_in_every_process(self):
        assert cohort_of(b"caller", 0.0, b"key") == 61


class TestLevelOf:
    def test_puts_each_tier_above_all_cohorts_of_the_next(self):
        assert level_of(1, 127) < level_of(2, 0) < level_of(2, 1)
        assert level_of(4, 127) == LEVELS - 1


class TestOffered:
    def test_is_the_last_thousand(self):
        offered = Offered()
        for _ in range(1000):
            offered.note(639)
        for _ in range(900):
            offered.note(0)

        assert len(offered) == 1000
        assert offered.threshold(0.1) == 639

    def test_sheds_nobody_for_no_share(self):
        offered = Offered()
        offered.note(639)

        assert offered.threshold(0) == LEVELS

    def test_sheds_nobody_where_nobody_came(self):
        assert Offered().threshold(0.9) == LEVELS

    def test_divides_a_level_that_is_too_large(self):
        offered = Offered()
        for _ in range(100):
            offered.note(300)

        assert offered.threshold(0.25) == 300.75

    def test_sheds_everybody_for_a_whole_share(self):
        offered = Offered()
        for level in (0, 0, 5):
            offered.note(level)

        assert offered.threshold(1.0) == 0
        assert offered.threshold(1.5) == 0

    @given(st.lists(levels, min_size=1, max_size=300), st.floats(0, 1))
    def test_sheds_the_share_and_of_the_highest_levels(self, noted, share):
        offered = Offered()
        for level in noted:
            offered.note(level)
        threshold = offered.threshold(share)

        above = sum(level > int(threshold) for level in noted)
        at = sum(level == int(threshold) for level in noted)
        part = 1 - (threshold - int(threshold))
        assert above + at * part == pytest.approx(share * len(noted), abs=1e-6)

    @given(st.lists(levels, min_size=1, max_size=50))
    def test_sheds_more_for_a_larger_share(self, noted):
        offered = Offered()
        for level in noted:
            offered.note(level)
        thresholds = [offered.threshold(share / 20) for share in range(21)]

        assert all(a >= b for a, b in pairwise(thresholds))


class TestFlow:
    @pytest.mark.parametrize(
        ("flow", "error"),
        [
            (CALM, math.log(0.5)),
            (TENFOLD, math.log(10)),
            (FULL, 0),
            (Flow(50, 0, 0), math.log(50)),
            (Flow(90, 100, 0.3), math.log(0.7)),
            (Flow(100, 100, 0.9, late=0.5), 0.5),
            (Flow(100, 100, 0.9, late=40), 1),
            (Flow(0, 0, 1, late=-1), -1),
            (Flow(0, 0, 1), math.log(0.05)),
            (Flow(150, 100, 0, excess=math.log(1.5)), 0),
            (Flow(100, 100, 0, excess=0.1), -0.1),
        ],
    )
    def test_tells_by_which_factor_too_many_come(self, flow, error):
        assert flow.error == pytest.approx(error)


class TestController:
    def test_sheds_nothing_while_there_is_room(self):
        controller = Controller()

        assert {controller.update(CALM, 0.5) for _ in range(10)} == {0}

    def test_sheds_most_of_a_flood_at_once_and_no_more_than_is_too_much(self):
        assert 0.8 < Controller().update(TENFOLD, 0.5) < 0.9

    def test_keeps_what_it_sheds_while_all_are_busy(self):
        controller = Controller()
        controller.update(Flow(200, 100, 0), 0.5)
        shares = [controller.update(FULL, 0.5) for _ in range(20)]

        assert max(shares) == min(shares) > 0

    def test_need_not_work_off_a_long_overload(self):
        controller = Controller()
        for _ in range(1000):
            controller.update(TENFOLD, 0.5)
        seconds = 0.0
        while controller.update(Flow(5, 5, 1, late=-1), 0.5):
            seconds += 0.5

        assert seconds <= 2.5

    def test_need_not_work_off_a_long_calm(self):
        controller = Controller()
        for _ in range(1000):
            controller.update(CALM, 0.5)

        assert controller.update(TENFOLD, 0.5) > 0.8

    def test_follows_the_line_in_front_of_the_loop(self):
        controller = Controller()
        shares = [controller.update(Flow(9, 9, 0.9, late=9), 0.5) for _ in range(3)]

        assert 0 < shares[0] < shares[1] < shares[2]

    @given(
        st.lists(
            st.builds(
                Flow,
                st.integers(0, 10_000),
                st.integers(0, 10_000),
                st.floats(0, 1),
                st.floats(-1, 100),
                st.floats(0, 1),
            ),
            max_size=50,
        )
    )
    def test_never_sheds_more_than_it_may_nor_less_than_nothing(self, flows):
        controller = Controller(highest=0.9)

        for flow in flows:
            assert 0 <= controller.update(flow, 0.5) <= 0.9 + 1e-9
            assert 0 <= controller.i <= -math.log(0.1) + 1e-9


class TestFloorOf:
    def test_begins_with_the_last_cohorts_and_ends_with_the_last_tier(self):
        assert floor_of(0) == LEVELS
        assert floor_of(0.5) == LEVELS - 16
        assert floor_of(1) == level_of(4, 0)


class TestShedder:
    @pytest.fixture
    def shedder(self):
        return Shedder()

    def test_admits_everybody_at_first(self, shedder):
        assert not shedder.sheds
        assert all(shedder.admits(level) for level in range(LEVELS))

    def test_sheds_bulk_before_anybody_else_for_the_cpu(self, shedder):
        shedder.update(CALM, pressure=0.79, seconds=0.5)

        assert shedder.sheds
        assert shedder.admits(level_of(3, 127))
        assert not shedder.admits(level_of(4, 127))

    def test_sheds_the_highest_levels_of_what_came(self, shedder):
        for _ in range(50):
            for tier in range(5):
                shedder.admits(level_of(tier, 7))
        shedder.update(Flow(arrived=300, served=100, spare=0), pressure=0, seconds=0.5)

        passed = [shedder.admits(level_of(tier, 7)) for tier in range(5)]
        assert passed[0]
        assert not passed[4]
        assert passed == sorted(passed, reverse=True)

    def test_lets_part_of_one_level_pass_evenly(self, shedder):
        for _ in range(1000):
            shedder.admits(300)
        shedder.update(Flow(arrived=100, served=100, spare=0, late=1), 0, 0.5)
        share = shedder.controller.share

        passed = [shedder.admits(300) for _ in range(100)]
        assert sum(passed) == pytest.approx(100 * (1 - share), abs=1)
        gaps = [i for i, ok in enumerate(passed) if ok]
        assert max(b - a for a, b in pairwise(gaps)) <= 1 / (1 - share) + 1

    @pytest.mark.parametrize("more", [1, 3, 5])
    def test_sheds_nobody_for_a_few_that_came_just_before_the_look(self, shedder, more):
        for _ in range(1000):
            shedder.admits(level_of(2, 64))
        shedder.update(Flow(arrived=290 + more, served=290, spare=0.6), 0, 0.5)

        assert not shedder.sheds
        assert shedder.admits(level_of(3, 0))

    def test_sheds_what_an_operator_says_at_once(self, shedder):
        shedder.hold(level_of(2, 0))

        assert shedder.admits(level_of(1, 127))
        assert not shedder.admits(level_of(2, 0))

    def test_keeps_to_it_whatever_is_measured(self, shedder):
        shedder.hold(level_of(2, 0))
        shedder.update(CALM, pressure=0, seconds=0.5)

        assert shedder.threshold == level_of(2, 0)

    def test_goes_back_to_what_is_measured_at_once(self, shedder):
        shedder.update(CALM, pressure=0.5, seconds=0.5)
        shedder.hold(level_of(2, 0))
        shedder.hold(None)

        assert shedder.threshold == floor_of(0.5)

    @given(st.lists(levels, max_size=400), st.floats(0, 1), st.floats(-1, 20))
    def test_never_sheds_whom_it_admits_a_lesser_for(self, offered, cpu, late):
        shedder = Shedder()
        for level in offered:
            shedder.admits(level)
        shedder.update(Flow(10, 10, 0.1, late), cpu, 0.5)

        answers = [shedder.admits(level) for level in range(LEVELS)]
        assert answers == sorted(answers, reverse=True)


class Burning:
    """A process of *capacity* requests a second in virtual time, and its shedder."""

    def __init__(self, capacity):
        self.capacity = capacity
        self.shedder = Shedder()
        self.backlog = 0.0

    def second(self, demand):
        """Offer *demand* by tier for a second; returns the share admitted by tier."""
        admitted = Counter()
        for _ in range(2):
            arrived = 0
            for tier, rate in demand.items():
                for n in range(rate // 2):
                    if self.shedder.admits(level_of(tier, n % COHORTS)):
                        arrived += 1
                        admitted[tier] += 1
            # What it cannot serve in a tenth of a second is turned away by the queue.
            possible = self.capacity / 2
            served = min(self.backlog + arrived, possible)
            self.backlog = min(self.backlog + arrived - served, self.capacity / 10)
            spare = 1 - served / possible
            flow = Flow(arrived, int(served), spare, late=-1)
            self.shedder.update(flow, 0, 0.5)
        return {t: admitted[t] / max(1, rate) for t, rate in demand.items()}


class TestSteady:
    """In virtual time: what is admitted settles where it can be served."""

    MIX = MappingProxyType({0: 20, 1: 60, 2: 700, 3: 150, 4: 70})

    @pytest.mark.parametrize("times", [2, 5, 10])
    def test_load_fills_what_there_is_and_payments_pass(self, times):
        process = Burning(1000 // times)
        for _ in range(20):
            process.second(self.MIX)
        admitted, shares = 0.0, []
        for _ in range(20):
            shares.append(process.second(self.MIX))
            admitted += sum(shares[-1][t] * n for t, n in self.MIX.items())

        assert admitted / 20 == pytest.approx(process.capacity, rel=0.15)
        assert min(share[0] for share in shares) > 0.99
        assert max(share[4] for share in shares) < 0.05
        assert min(s[2] for s in shares) <= min(s[1] for s in shares)

    def test_load_is_admitted_again_five_seconds_after_a_flood(self):
        process = Burning(1000)
        flood = {tier: 10 * rate for tier, rate in self.MIX.items()}
        for _ in range(60):
            process.second(flood)
        usual = {tier: 7 * rate // 20 * 2 for tier, rate in self.MIX.items()}
        for _ in range(5):
            process.second(usual)

        assert set(process.second(usual).values()) == {1.0}

    def test_load_below_what_there_is_is_never_shed(self):
        process = Burning(1400)

        seen = [process.second(self.MIX) for _ in range(60)]
        assert {share for second in seen for share in second.values()} == {1.0}
