import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience.load import Levels


@pytest.fixture
def levels():
    return Levels()


class TestLevel:
    @pytest.mark.parametrize(
        ("pressure", "level"),
        [(0, 0), (0.29, 0), (0.3, 1), (0.5, 2), (0.69, 2), (0.7, 3), (0.99, 3), (1, 4)],
    )
    def test_begins_as_soon_as_the_pressure_is_there(self, levels, pressure, level):
        assert levels.update(pressure, 0.0) == level

    def test_ends_two_seconds_after_the_pressure_fell_a_tenth(self, levels):
        levels.update(0.5, 0.0)

        assert levels.update(0.46, 1.0) == 2
        assert levels.update(0.45, 2.99) == 2
        assert levels.update(0.45, 3.0) == 1

    def test_stays_while_the_pressure_is_just_below_it(self, levels):
        levels.update(0.5, 0.0)
        seen = {levels.update(0.46, now / 10) for now in range(100)}

        assert seen == {2}

    def test_waits_anew_after_a_peak(self, levels):
        levels.update(0.5, 0.0)
        levels.update(0.1, 1.9)
        levels.update(0.5, 1.95)

        assert levels.update(0.1, 3.9) == 2

    def test_falls_through_all_it_may_at_once(self, levels):
        levels.update(1.0, 0.0)

        assert levels.update(0.0, 2.0) == 0

    @given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 3)), max_size=60))
    def test_is_never_below_its_pressure_nor_left_early(self, steps):
        levels, now, entries = Levels(), 0.0, (0.3, 0.5, 0.7, 1.0)
        # An exact model: each level by itself, over the whole history.
        history = []
        for pressure, pause in steps:
            now += pause
            history.append((now, pressure))
            found = levels.update(pressure, now)

            expected = 0
            for number, entry in enumerate(entries, 1):
                held_at = None
                for at, value in history:
                    if value >= entry or (held_at is not None and value > entry * 0.9):
                        held_at = at
                    elif held_at is not None and at - held_at >= 2:
                        held_at = None
                if held_at is not None:
                    expected = number
            assert found == expected

    @pytest.mark.parametrize("entries", [(), (0, 0.5), (0.5, 0.3), (0.5, 0.5)])
    def test_refuses_entries_that_do_not_rise(self, entries):
        with pytest.raises(ValueError, match="rise"):
            Levels(entries)


class TestForce:
    def test_holds_whatever_the_pressure(self, levels):
        levels.force(3, until=10.0)

        assert levels.update(0.0, 1.0) == 3
        assert levels.update(1.0, 2.0) == 3
        assert (levels.forced, levels.measured) == (3, 4)

    def test_holds_at_once(self, levels):
        levels.force(2, until=10.0)

        assert levels.level == 2

    def test_holds_nothing_off_too(self, levels):
        levels.force(0, until=10.0)

        assert levels.update(1.0, 1.0) == 0

    def test_ends_at_its_time(self, levels):
        levels.force(4, until=10.0)

        assert levels.update(0.0, 9.99) == 4
        assert levels.update(0.0, 10.0) == 0
        assert levels.forced is None

    def test_ends_when_it_is_released(self, levels):
        levels.force(4, until=10.0)
        levels.release()

        assert levels.level == 0

    @pytest.mark.parametrize("level", [-1, 5])
    def test_refuses_a_level_there_is_not(self, levels, level):
        with pytest.raises(ValueError, match="between 0 and 4"):
            levels.force(level, until=10.0)
