"""The peak of a server: what it serves, and goes on to serve."""

import pytest

from holdfast.cli.bench.instance import CannotBench
from holdfast.cli.bench.protection.peaks import climb, keeps_up, peak
from holdfast.cli.bench.protection.plan import Count, Seen, worst_of


def seen(rate: float, share: float = 1.0, *, in_flight: int = 0, late: float = 0.0):
    due = round(rate)
    looks = Count("look", due=due, ok=round(due * share))
    return Seen("trial", 1.0, [looks], in_flight=in_flight, late_p99_ms=late)


class TestKeepsUp:
    def test_with_99_of_100_that_are_ok(self):
        assert keeps_up(seen(200, 0.99), 200)
        assert not keeps_up(seen(200, 0.985), 200)

    def test_not_with_a_line_that_grows(self):
        assert keeps_up(seen(200, in_flight=10), 200)
        assert not keeps_up(seen(200, in_flight=11), 200)
        assert keeps_up(seen(20, in_flight=4), 20)


class TestPeak:
    @pytest.mark.parametrize("most", [81.0, 150.0, 195.0, 219.0])
    async def test_is_found_within_two_in_a_hundred(self, most):
        async def attempt(rate):
            return seen(rate, 1.0 if rate <= most else 0.5)

        assert await peak(attempt, 200) == pytest.approx(most, rel=0.03)

    async def test_is_not_guessed_for_a_server_that_is_far_too_slow(self):
        async def attempt(rate):
            return seen(rate, 0.5)

        with pytest.raises(CannotBench, match="not even keep up with 80 a second"):
            await peak(attempt, 200)

    async def test_is_not_known_where_the_load_was_not_what_it_says(self):
        async def attempt(rate):
            return seen(rate, late=30.0)

        with pytest.raises(CannotBench, match="came 30 ms late"):
            await peak(attempt, 200)


class TestClimb:
    @pytest.mark.parametrize("most", [130.0, 1_900.0, 7_777.0])
    async def test_finds_a_peak_of_which_nobody_has_an_idea(self, most):
        async def attempt(rate):
            return seen(rate, 1.0 if rate <= most else 0.5)

        assert await climb(attempt, 100) == pytest.approx(most, rel=0.03)

    async def test_has_to_find_one_somewhere(self):
        async def attempt(rate):
            return seen(rate)

        with pytest.raises(CannotBench, match="no peak is near"):
            await climb(attempt, 100)

        async def slow(rate):
            return seen(rate, 0.5)

        with pytest.raises(CannotBench, match="not even keep up with 100"):
            await climb(slow, 100)


class TestWorstOf:
    def test_tells_of_many_void_phases_the_worst(self):
        phases = [seen(10, late=late) for late in (0.0, 12.0, 30.0)]

        (told,) = worst_of(phases)

        assert told.startswith("Of 2 phases, the worst trial: the load came 30 ms")
        assert worst_of(phases[:1]) == []
