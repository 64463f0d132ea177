import pytest

from holdfast.resilience.concurrency import Collector


def collector(**changes):
    return Collector(0.0, **{"warmup_samples": 0, **changes})


def fill(it, samples, *, begin=0.0, seconds=0.02, inflight=3):
    """So many successes, one a hundredth of a second; every window they closed."""
    closed = []
    for number in range(samples):
        window = it.success(begin + 0.02 + number / 100, seconds, inflight)
        if window is not None:
            closed.append(window)
    return closed


class TestCollector:
    def test_needs_half_a_second(self):
        assert fill(collector(), 48) == []
        assert len(fill(collector(), 49)) == 1

    def test_needs_thirty_samples(self):
        it = collector()

        early = [it.success(1.0 + n, 0.02, 1) for n in range(29)]

        assert early == [None] * 29
        window = it.success(40.0, 0.02, 1)
        assert window.successes == 30
        assert window.seconds == 40.0

    def test_is_not_fed_by_a_trickle(self):
        it = collector()

        assert it.success(3600.0, 0.02, 1) is None

    def test_says_what_it_saw(self):
        it = collector(window_seconds=1.0, min_samples=10)
        for number in range(1, 10):
            it.success(0.9, number / 10, number)

        window = it.success(1.0, 1.0, 2)

        assert window.successes == 10
        assert window.p50_seconds == 0.5
        assert window.p90_seconds == 0.9
        assert window.useful_seconds == pytest.approx(0.55)
        assert window.max_inflight == 9
        assert window.mean_inflight == 4.7
        assert window.drop_ratio == 0
        assert not window.was_full

    def test_ignores_the_first_fifty(self):
        it = Collector(0.0, min_samples=1)

        assert [it.success(1.0, 0.02, 1) for _ in range(50)] == [None] * 50
        assert it.success(1.0, 0.02, 1).successes == 1

    def test_a_late_call_counts_by_its_number_and_its_time_but_is_no_latency(self):
        it = collector(min_samples=2)
        it.success(0.3, 0.1, 4)

        window = it.drop(0.6, 0.5, 7)

        assert window.dropped == 1
        assert window.drop_ratio == 0.5
        assert window.p90_seconds == 0.1
        assert window.useful_seconds == pytest.approx(0.6)
        assert window.max_inflight == 7

    def test_may_hold_late_calls_only(self):
        it = collector(min_samples=2)
        assert it.drop(0.1, 0.1, 1) is None

        window = it.drop(0.6, 0.5, 1)

        assert window.drop_ratio == 1
        assert window.p90_seconds == 0
        assert window.mean_inflight == 0

    def test_leaves_out_who_began_under_another_limit(self):
        it = collector(min_samples=1)
        it.success(0.6, 0.1, 1)

        assert it.success(1.2, 0.7, 1) is None
        assert it.success(1.2, 0.5, 1).successes == 1

    def test_notes_that_somebody_found_no_permit(self):
        it = collector(min_samples=1)
        it.full()

        assert it.success(0.6, 0.1, 1).was_full
        assert not it.success(1.2, 0.1, 1).was_full

    def test_a_window_with_a_stall_is_thrown_away(self):
        it = collector(min_samples=1)
        it.spoil()

        assert it.success(0.6, 0.1, 1) is None
        assert it.success(1.2, 0.1, 1).successes == 1

    def test_lasts_several_calls_where_calls_are_long(self):
        it = collector(min_samples=1)
        it.success(1.0, 0.8, 1)

        assert it.success(4.9, 0.8, 1) is None
        assert it.success(5.0, 0.8, 1).successes == 2

    def test_keeps_the_latest_of_very_many(self):
        it = collector()
        for _ in range(5000):
            it.success(0.4, 0.3, 1)
        for _ in range(4096):
            it.success(0.45, 0.2, 1)

        window = it.success(0.5, 0.2, 1)

        assert window.successes == 9097
        assert window.p90_seconds == 0.2

    def test_a_clock_that_stands_still_is_no_latency_of_nothing(self):
        it = collector(min_samples=1)

        assert it.success(0.6, 0.0, 1).p90_seconds > 0
