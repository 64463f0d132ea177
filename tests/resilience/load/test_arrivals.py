import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience.load import Arrivals


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

    def test_is_a_twentieth_of_a_second_while_pressed(self, arrivals):
        arrivals.look(is_pressed=True)
        for _ in range(5):
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

    def test_is_never_less_than_a_page_needs(self, hand, cpu):
        arrivals = Arrivals(cpu=cpu, timer=hand, cost_seconds=30)
        arrivals.look(is_pressed=True)
        arrivals.entered()

        assert all(arrivals.has_room(tier) for tier in range(5))

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
        for _ in range(20):
            serve(arrivals, cpu, 10, seconds=0.005)
            arrivals.look(is_pressed=False)

        assert arrivals.cost_seconds == pytest.approx(0.005, rel=0.05)

    def test_of_too_few_waits_for_more(self, arrivals, cpu):
        serve(arrivals, cpu, 4, seconds=1)
        arrivals.look(is_pressed=False)
        assert arrivals.cost_seconds == 0.01
        serve(arrivals, cpu, 4, seconds=1)
        arrivals.look(is_pressed=False)

        assert arrivals.cost_seconds == pytest.approx(0.01 + 0.25 * 0.99)


class TestMeanWait:
    def test_is_from_the_arrival_to_the_start(self, arrivals, hand):
        first = arrivals.entered()
        hand.advance(0.1)
        second = arrivals.entered()
        hand.advance(0.1)
        arrivals.started(first)
        arrivals.started(second)

        assert arrivals.mean_wait() == pytest.approx(0.15)

    def test_is_of_those_since_the_last_time(self, arrivals, hand):
        arrivals.started(arrivals.entered())

        assert arrivals.mean_wait() == 0
        assert arrivals.mean_wait() is None
