import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience.load.arrivals import FEWEST, Arrivals, Passed


class Cpu:
    def __init__(self):
        self.used = 0.0

    def __call__(self):
        return self.used


@pytest.fixture
def cpu():
    return Cpu()


@pytest.fixture
def arrivals(cpu, hand):
    return Arrivals(cpu=cpu, timer=hand, cost_seconds=0.01)


def serve(arrivals, cpu, requests, seconds):
    """Each of *requests* costs so much."""
    for _ in range(requests):
        at = arrivals.entered()
        arrivals.started(at)
        cpu.used += seconds


class TestRoom:
    def test_is_a_quarter_of_a_second_of_work_at_ease(self, arrivals):
        for _ in range(25):
            assert arrivals.has_room(2)
            arrivals.entered()

        assert not arrivals.has_room(2)

    def test_is_35_ms_while_pressed(self, arrivals):
        arrivals.look(is_pressed=True)
        for _ in range(3):
            assert arrivals.has_room(2)
            arrivals.entered()

        assert not arrivals.has_room(2)

    def test_is_longer_for_who_matters_more(self, arrivals):
        places = []
        for tier in range(5):
            while not arrivals.has_room(tier):
                arrivals.started(arrivals.entered())
                arrivals.unstarted -= 1
            while arrivals.has_room(tier):
                arrivals.entered()
            places.append(arrivals.unstarted)

        assert places == [100, 50, 25, 12, 6]
        assert arrivals.shortest == 6

    def test_is_there_for_the_exempt_however_long_the_line(self, arrivals):
        for _ in range(10_000):
            arrivals.entered()

        assert arrivals.has_room(-1)

    def test_is_there_again_when_they_have_started(self, arrivals):
        entered = [arrivals.entered() for _ in range(25)]
        assert not arrivals.has_room(2)
        arrivals.started(entered[0])

        assert arrivals.has_room(2)

    def test_is_there_for_some_of_each_tier_whatever_they_cost(self, hand, cpu):
        arrivals = Arrivals(cpu=cpu, timer=hand, cost_seconds=30)
        arrivals.look(is_pressed=True)
        for tier, fewest in enumerate(FEWEST):
            arrivals.unstarted = fewest - 1
            assert arrivals.has_room(tier)
            arrivals.unstarted = fewest
            assert not arrivals.has_room(tier)

    @given(st.floats(0, 1e3), st.integers(0, 500), st.booleans())
    def test_for_a_tier_is_room_for_all_above_it(self, cost, line, is_pressed):
        arrivals = Arrivals(cpu=lambda: 0.0, timer=lambda: 0.0, cost_seconds=cost)
        arrivals.look(is_pressed=is_pressed)
        for _ in range(line):
            arrivals.entered()

        rooms = [arrivals.has_room(tier) for tier in range(5)]
        assert rooms == sorted(rooms, reverse=True)


class TestCost:
    def test_is_learned_from_what_was_used(self, arrivals, cpu):
        serve(arrivals, cpu, 50, seconds=0.005)
        arrivals.look(is_pressed=False)

        assert arrivals.cost_seconds == pytest.approx(0.005, rel=0.01)

    def test_of_few_counts_for_little(self, arrivals, cpu):
        serve(arrivals, cpu, 5, seconds=1)
        arrivals.look(is_pressed=False)

        assert 0.3 < arrivals.cost_seconds < 0.5

    def test_of_too_few_waits_for_more(self, arrivals, cpu):
        serve(arrivals, cpu, 4, seconds=1)
        arrivals.look(is_pressed=False)
        assert arrivals.cost_seconds == 0.01
        serve(arrivals, cpu, 4, seconds=1)
        arrivals.look(is_pressed=False)

        assert arrivals.cost_seconds == pytest.approx(1 - 0.99 * 0.9**8)

    def test_is_all_that_passes_while_there_is_none_to_spare(self, arrivals, cpu, hand):
        serve(arrivals, cpu, 50, seconds=0.01)
        hand.advance(1.5)
        arrivals.look(is_pressed=False, late_seconds=1.45)

        assert arrivals.cost_seconds == pytest.approx(0.03, rel=0.01)


class TestPressed:
    @pytest.mark.parametrize(("late", "shortest"), [(0.2, 6), (0.3, 1)])
    def test_is_a_process_that_was_later_than_anybody_may_wait(
        self, arrivals, late, shortest
    ):
        arrivals.look(is_pressed=False, late_seconds=late)

        assert arrivals.shortest == shortest


class TestSpent:
    def test_is_no_part_of_what_others_cost(self, arrivals, cpu):
        serve(arrivals, cpu, 50, seconds=0.01)
        cpu.used += 5
        arrivals.spent(5)
        arrivals.look(is_pressed=False)

        assert arrivals.cost_seconds == pytest.approx(0.01)

    def test_is_forgotten_with_them(self, arrivals, cpu):
        serve(arrivals, cpu, 50, seconds=0.01)
        arrivals.spent(0.1)
        arrivals.look(is_pressed=False)
        serve(arrivals, cpu, 100, seconds=0.01)
        arrivals.look(is_pressed=False)

        assert arrivals.cost_seconds == pytest.approx(0.01, rel=0.001)

    def test_never_makes_others_cost_less_than_nothing(self, arrivals, cpu):
        serve(arrivals, cpu, 200, seconds=0.001)
        arrivals.spent(60)
        arrivals.look(is_pressed=False)

        assert 0 <= arrivals.cost_seconds < 1e-6


class TestPassed:
    def test_tells_how_long_those_had_waited_who_started(self, arrivals, hand):
        first = arrivals.entered()
        hand.advance(0.1)
        second = arrivals.entered()
        hand.advance(0.1)
        arrivals.started(first)
        arrivals.started(second)

        assert arrivals.passed() == Passed(0, 2, pytest.approx(0.15))
        assert arrivals.passed() == Passed(0, 0, None)

    def test_tells_by_how_much_more_came_than_went(self, arrivals):
        entered = [arrivals.entered() for _ in range(30)]
        assert not arrivals.has_room(2)
        arrivals.started(entered[0])

        assert arrivals.passed() == Passed(30, 1, 0)
        for at in entered[1:]:
            arrivals.started(at)
        assert arrivals.passed() == Passed(-29, 29, 0)
