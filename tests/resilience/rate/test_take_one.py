"""The quick way to take from one bucket decides what the long way would."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience.rate import MemoryLimiter, Quota


class Timer:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


quotas = st.builds(
    Quota,
    st.just("tea"),
    burst=st.integers(1, 50),
    tokens=st.integers(1, 5_000),
    period_seconds=st.sampled_from([1, 60, 3600]),
)
asks = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.000_1, 0.01, 1.0, 3_600.0]),
        st.sampled_from(["ada", "bob", "eve"]),
        st.integers(0, 60),
    ),
    max_size=40,
)


class TestTakeOne:
    @given(quotas, asks, st.integers(1, 3))
    def test_is_the_same_as_taking_from_all_of_one(self, quota, asks, buckets):
        timer = Timer()
        quick = MemoryLimiter(buckets=buckets, crowds=1, timer=timer)
        long = MemoryLimiter(buckets=buckets, crowds=1, timer=timer)

        for pause, subject, cost in asks:
            timer.now += pause
            left = quick.take_one(subject, quota, cost)
            verdict = long.take_now(subject, (quota,), cost)
            assert (left is not None) == verdict.allowed
            if left is not None:
                assert left == verdict.standings[0].remaining

    def test_shares_its_buckets_with_the_long_way(self):
        limiter = MemoryLimiter(timer=Timer())
        quota = Quota("tea", burst=3, tokens=1, period_seconds=60)

        assert limiter.take_one("ada", quota) == 2
        assert limiter.take_now("ada", (quota,), 2).allowed
        assert limiter.take_one("ada", quota) is None
        assert limiter.take_one("bob", quota) == 2
