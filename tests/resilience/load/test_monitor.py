import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience.load import Last, Looking, Monitor, Reading, Scale, Signal

UNIT = Scale(0, 1)


class Said:
    """A signal that says what it is told to."""

    def __init__(self, value=0.0):
        self.value = value
        self.reads = 0

    def __call__(self):
        self.reads += 1
        return self.value


@pytest.fixture
def said():
    return Said()


def look(monitor, times):
    for _ in range(times):
        monitor.look()
    return monitor.pressure


class TestPressure:
    def test_is_that_of_whatever_is_shortest(self):
        signals = [Signal(str(v), Said(v), UNIT) for v in (0.2, 0.9, 0.5)]

        assert look(Monitor(signals), 5) == 0.9

    @pytest.mark.parametrize(("times", "pressure"), [(1, 0), (2, 0), (3, 1), (9, 1)])
    def test_counts_from_the_third_look_in_five(self, said, times, pressure):
        monitor = Monitor([Signal("lag", said, UNIT)])
        look(monitor, 5)
        said.value = 1

        assert look(monitor, times) == pressure

    @pytest.mark.parametrize(("times", "pressure"), [(2, 1), (3, 0)])
    def test_is_over_after_the_third_look_in_five(self, said, times, pressure):
        monitor = Monitor([Signal("lag", said, UNIT)])
        said.value = 1
        look(monitor, 5)
        said.value = 0

        assert look(monitor, times) == pressure

    @given(st.lists(st.floats(0, 1), min_size=5, max_size=30))
    def test_is_what_three_of_the_last_five_looks_agree_on(self, values):
        said = Said()
        monitor = Monitor([Signal("lag", said, UNIT)])
        for value in values:
            said.value = value
            monitor.look()

        assert monitor.pressure == sorted(values[-5:])[2]

    def test_of_who_is_only_busy_is_no_flood(self, said):
        busy = Signal("busy", Said(1.0), UNIT, most=0.6)
        monitor = Monitor([busy, Signal("late", said, UNIT)])

        assert look(monitor, 5) == 0.6

        said.value = 0.8

        assert look(monitor, 5) == 0.8

    def test_is_nothing_where_there_are_no_signals(self):
        assert look(Monitor([]), 5) == 0


class TestReadings:
    def test_are_what_was_read_and_what_it_means(self, said):
        monitor = Monitor([Signal("cpu", said, Scale(0.6, 1.0))])
        said.value = 0.8
        monitor.look()

        assert monitor.readings == {"cpu": Reading(0.8, pytest.approx(0.5))}

    def test_leave_out_what_cannot_be_read(self, said):
        monitor = Monitor([Signal("psi", said, UNIT)])
        said.value = 1
        look(monitor, 5)
        said.value = None

        assert look(monitor, 3) == 0
        assert monitor.readings == {}

    def test_of_what_costs_a_file_are_taken_once_a_second(self, said):
        monitor = Monitor([Signal("memory", said, UNIT, slow=True)])
        said.value = 1
        look(monitor, 40)

        assert said.reads == 2
        assert monitor.pressure == 1


class TestLooking:
    @pytest.fixture
    def lags(self):
        return []

    @pytest.fixture
    def looking(self, loop, lags):
        return Looking(loop, lags.append)

    def test_happens_twenty_times_a_second(self, loop, looking, lags):
        loop.run(1.001)

        assert lags == pytest.approx([0] * 20)

    def test_tells_how_late_it_was(self, loop, looking, lags):
        loop.block(0.2)
        loop.run(0)

        assert lags == pytest.approx([0.15])

    def test_is_late_once_after_one_pause(self, loop, looking, lags):
        loop.block(1.0)
        loop.run(0.501)

        assert lags == pytest.approx([0.95, *[0] * 10])

    def test_ends_when_it_is_stopped(self, loop, looking, lags):
        looking.stop()
        loop.run(1)

        assert lags == []

    def test_goes_on_after_a_look_that_failed(self, loop, lags):
        def fail(late):
            lags.append(late)
            raise RuntimeError

        Looking(loop, fail)
        for _ in range(2):
            with pytest.raises(RuntimeError):
                loop.run(0.05)

        assert len(lags) == 2


class TestPause:
    """Whether a pause is taken for an overload: never once, always for good."""

    @pytest.fixture
    def watched(self, loop):
        lag = Last()
        monitor = Monitor([Signal("lag", lag, Scale(0.005, 0.05))])

        def look(late):
            lag.note(late)
            monitor.look()

        Looking(loop, look)
        return monitor

    @pytest.mark.parametrize("seconds", [0.1, 0.2, 1.0, 5.0])
    def test_of_any_length_is_no_overload(self, loop, watched, seconds):
        loop.run(1)
        loop.block(seconds)
        seen = []
        for _ in range(100):
            loop.run(0.01)
            seen.append(watched.pressure)

        assert max(seen) == 0

    def test_every_second_is_no_overload(self, loop, watched):
        for _ in range(10):
            loop.run(0.8)
            loop.block(0.2)
            assert watched.pressure == 0

    def test_without_end_is_seen_within_half_a_second(self, loop, hand, watched):
        loop.run(1)
        began = hand()
        while watched.pressure < 1:
            loop.block(0.1)
            loop.run(0)

        assert hand() - began <= 0.5
