import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience.concurrency.codel import PATIENT_SECONDS, CoDel


class TestCoDel:
    def test_lets_a_burst_pass(self):
        codel = CoDel()

        # Half a second of work that came at once, then nothing: the waits are long
        # but each interval saw a short one.
        assert not any(codel.lets_go(0.001, t / 100) for t in range(10))
        assert not any(codel.lets_go(0.4, 0.1 + t / 1000) for t in range(9))

    def test_lets_go_when_nobody_got_through_quickly_for_an_interval(self):
        codel = CoDel()
        verdicts = [codel.lets_go(0.02, t / 100) for t in range(25)]

        first = verdicts.index(True)
        assert 0.1 <= first / 100 <= 0.13
        assert codel.is_overloaded

    def test_lets_go_only_who_waited_twice_the_target(self):
        codel = CoDel()
        for t in range(25):
            codel.lets_go(0.02, t / 100)

        assert not codel.lets_go(0.0099, 0.2501)
        assert codel.lets_go(0.0101, 0.2502)

    def test_bears_with_longer_waits_where_it_is_told_to(self):
        codel = CoDel(least_seconds=PATIENT_SECONDS)
        codel.tune(0.005, 0.02)

        assert not any(codel.lets_go(0.02, t / 100) for t in range(25))
        assert any(codel.lets_go(0.041, t / 100) for t in range(25, 50))

    def test_is_over_when_one_interval_saw_a_short_wait(self):
        codel = CoDel()
        for t in range(25):
            codel.lets_go(0.02, t / 100)

        codel.lets_go(0.004, 0.251)
        codel.lets_go(0.02, 0.5)

        assert not codel.is_overloaded

    def test_is_over_when_the_queue_was_empty(self):
        codel = CoDel()
        for t in range(25):
            codel.lets_go(0.02, t / 100)

        codel.clear()

        assert not codel.lets_go(0.5, 10.0)
        assert not codel.lets_go(0.5, 10.01)

    @given(st.floats(0, 60), st.floats(0, 3600))
    def test_never_lets_go_the_first(self, waited, now):
        assert not CoDel().lets_go(waited, now)

    @pytest.mark.parametrize(
        ("p50", "p90", "target", "interval"),
        [(0.005, 0.02, 0.005, 0.1), (0.2, 0.5, 0.02, 0.5), (2.0, 4.0, 0.2, 4.0)],
    )
    def test_fits_how_long_calls_take(self, p50, p90, target, interval):
        codel = CoDel()
        codel.tune(p50, p90)

        assert codel.target_seconds == pytest.approx(target)
        assert codel.interval_seconds == pytest.approx(interval)
