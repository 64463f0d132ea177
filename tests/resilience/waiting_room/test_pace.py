"""People come in at a share of what can be served, and at less under pressure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience.waiting_room.capacity import Capacity
from holdfast.resilience.waiting_room.pace import Pace, estimate


class TestPace:
    @given(st.floats(0.1, 500), st.lists(st.floats(0.01, 2), min_size=1, max_size=200))
    def test_lets_in_its_share_and_loses_nobody(self, capacity, steps) -> None:
        pace = Pace()
        admitted = sum(pace.step(seconds, capacity, 0.0) for seconds in steps)

        share = capacity * 0.75 * sum(steps)
        assert share - 1 - 1e-6 <= admitted <= share + 1e-6

    def test_is_cut_under_pressure_and_grows_back(self) -> None:
        pace = Pace()
        calm = pace.per_second(100)
        for _ in range(3):
            pace.step(1, 100, 0.9)
        pressed = pace.per_second(100)
        for _ in range(20):
            pace.step(1, 100, 0.2)

        assert pressed == pytest.approx(calm * 0.7**3)
        assert pace.per_second(100) == calm
        assert pace.damping == 1.0

    def test_does_not_catch_up_on_a_long_pause(self) -> None:
        assert Pace().step(3_600, 100, 0.0) == 375

    def test_of_no_time_is_nobody(self) -> None:
        assert Pace().step(-1, 100, 0.0) == 0

    @pytest.mark.parametrize("share", [0, -0.1, 1.1])
    def test_refuses_a_share_that_is_none(self, share: float) -> None:
        with pytest.raises(ValueError, match="share"):
            Pace(share)


class TestEstimate:
    def test_is_how_long_those_ahead_take(self) -> None:
        assert estimate(120, 4.0) == 30.0

    def test_is_nothing_for_who_is_next(self) -> None:
        assert estimate(0, 0.0) == 0.0

    def test_is_unknown_while_nobody_is_let_in(self) -> None:
        assert estimate(5, 0.0) is None


class TestCapacity:
    def test_is_what_was_finished_by_how_busy_it_was(self) -> None:
        capacity = Capacity(presumed=10)
        for _ in range(60):
            for _ in range(50):
                capacity.finished()
            capacity.measure(1.0, 0.25)

        assert capacity.per_second == pytest.approx(200, rel=0.01)

    def test_is_presumed_until_enough_was_seen(self) -> None:
        capacity = Capacity(presumed=10)
        capacity.finished()
        capacity.measure(1.0, 0.9)
        capacity.measure(0.0, 0.9)

        assert capacity.per_second == 10

    def test_of_an_idle_server_is_not_beyond_all_bounds(self) -> None:
        capacity = Capacity(presumed=10)
        for _ in range(10):
            capacity.finished()
        capacity.measure(1.0, 0.0)

        assert capacity.per_second == pytest.approx(10 + 0.3 * (200 - 10))

    def test_cannot_be_presumed_to_be_nothing(self) -> None:
        with pytest.raises(ValueError, match="positive"):
            Capacity(presumed=0)
