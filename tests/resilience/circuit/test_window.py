"""What a window counts is what a list of all calls says."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience.circuit import Window

steps = st.lists(
    st.tuples(
        st.one_of(
            st.just(0.0),
            st.floats(0, 3),
            st.floats(9, 11),
            st.floats(0, 1e5),
        ),
        st.booleans(),
        st.booleans(),
    ),
    max_size=60,
)


class TestWindow:
    @given(steps, st.integers(1, 12), st.sampled_from([0.5, 1.0, 10.0]))
    def test_counts_what_lies_in_its_buckets(self, steps, buckets, seconds):
        window, now, all_calls = Window(seconds, buckets), 0.0, []
        for gap, failed, slow in steps:
            now += gap
            window.add(now, failed=failed, slow=slow)
            tick = int(now * (buckets / seconds))
            all_calls.append((tick, failed, slow))
            inside = [call for call in all_calls if call[0] > tick - buckets]
            assert window.calls == len(inside)
            assert window.failures == sum(failed for _, failed, _ in inside)
            assert window.slow == sum(slow for _, _, slow in inside)

    def test_forgets_without_a_call(self):
        window = Window(10, 10)
        window.add(3.5, failed=1, slow=1)

        window.roll(12.9)
        assert (window.calls, window.failures, window.slow) == (1, 1, 1)
        window.roll(13.0)
        assert (window.calls, window.failures, window.slow) == (0, 0, 0)

    def test_takes_no_notice_of_a_clock_that_runs_backwards(self):
        window = Window(10, 10)
        window.add(50)

        window.roll(20)

        assert window.calls == 1
