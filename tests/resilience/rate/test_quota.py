"""The rule against a bucket of fractions, which rounds nothing."""

import math
from collections import deque
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.resilience.rate.quota import NEVER, SECOND, Quota, decide

HOUR = 3_600 * SECOND
# From one a day to fifty thousand a second.
rates = st.one_of(
    st.tuples(st.integers(1, 50_000), st.just(1)),
    st.tuples(st.integers(1, 100), st.sampled_from([60, 3_600, 86_400])),
)
quotas = st.builds(
    lambda rate, burst: Quota("q", burst, rate[0], rate[1]),
    rates,
    st.integers(1, 100_000),
)
gaps = st.one_of(
    st.just(0),
    st.integers(1, 1_000),
    st.integers(1, SECOND),
    st.integers(1, 48 * HOUR),
)
calls = st.lists(st.tuples(gaps, st.integers(1, 60)), max_size=60)
# The case that a limiter whose keys live for a whole number of seconds misses.
HASTY = Quota("q", burst=100, tokens=1_000)


class Bucket:
    """Tokens that drip in evenly, one each *interval*, as exact fractions."""

    def __init__(self, quota: Quota, now: int) -> None:
        self.quota = quota
        self.tokens = Fraction(quota.burst)
        self.at = now

    def take(self, now: int, cost: int) -> bool:
        drip = Fraction(now - self.at, self.quota.interval)
        self.tokens = min(Fraction(self.quota.burst), self.tokens + drip)
        self.at = now
        if cost > self.tokens:
            return False
        self.tokens -= cost
        return True


class TestQuota:
    def test_grants_no_more_than_asked_for_whatever_the_rounding(self):
        quota = Quota("q", burst=1, tokens=49_999)

        assert Fraction(SECOND, quota.interval) <= 49_999

    @given(quota=quotas)
    def test_loses_less_than_a_microsecond_a_token(self, quota):
        exact = Fraction(quota.period_seconds * SECOND, quota.tokens)

        assert 0 <= quota.interval - exact < 1

    def test_tells_its_window_so_that_burst_a_window_is_the_rate(self):
        assert Quota("q", burst=100, tokens=20).window_seconds == 5
        assert Quota("q", burst=5, tokens=5, period_seconds=60).window_seconds == 60

    @pytest.mark.parametrize(
        "numbers",
        [(0, 1, 1), (1, 0, 1), (1, 1, 0), (1, SECOND + 1, 1), (100_001, 1, 86_400)],
    )
    def test_refuses_what_cannot_be_counted(self, numbers):
        with pytest.raises(ValueError, match="quota q"):
            Quota("q", *numbers)

    @pytest.mark.parametrize("name", ["", "Q", "a b", 'a"', "a}b", "q\n", "x" * 65])
    def test_refuses_a_name_that_is_no_key_or_field(self, name):
        with pytest.raises(ValueError, match="not the name"):
            Quota(name, 1, 1)

    def test_scales_to_a_share(self):
        part = Quota("q", burst=100, tokens=20, strict=True).scaled(3, 16)

        assert (part.burst, part.interval, part.strict) == (18, 266_667, True)
        assert part.name == "q"

    def test_leaves_a_token_in_the_smallest_share(self):
        assert Quota("q", burst=5, tokens=5, period_seconds=60).scaled(1, 8).burst == 1

    def test_scales_no_rate_beyond_what_can_be_counted(self):
        assert Quota("q", burst=1, tokens=SECOND).scaled(3, 2).interval == 1


class TestDecide:
    @given(quota=quotas, calls=calls)
    @example(quota=HASTY, calls=[(0, 1)] * 300)
    @example(quota=Quota("q", 1, 1, 86_400), calls=[(0, 1), (24 * HOUR, 1)])
    def test_lets_through_exactly_what_a_bucket_of_fractions_does(self, quota, calls):
        now = due = 50_000 * SECOND
        bucket = Bucket(quota, now)

        for gap, cost in calls:
            now += gap
            verdict, after = decide([quota], [due], now, cost)
            assert verdict.allowed == bucket.take(now, cost)
            assert verdict.standings[0].remaining == math.floor(bucket.tokens)
            due = after[0] if after else due

    @given(quota=quotas, calls=calls)
    @example(quota=HASTY, calls=[(0, 1)] * 300)
    def test_no_window_sees_more_than_the_burst_and_the_rate(self, quota, calls):
        now = due = 0
        taken = deque()
        for gap, cost in calls:
            now += gap
            _, after = decide([quota], [due], now, cost)
            if after:
                due = after[0]
                taken.append((now, cost))

        for first, (start, _) in enumerate(taken):
            total = 0
            for end, cost in list(taken)[first:]:
                total += cost
                rate = Fraction(quota.tokens, quota.period_seconds * SECOND)
                assert total <= quota.burst + rate * (end - start)

    @given(quota=quotas, early=st.lists(gaps, max_size=20))
    def test_a_caller_at_the_rate_is_never_refused(self, quota, early):
        now = due = 0
        for gap in early:
            now += gap
            _, after = decide([quota], [due], now)
            due = after[0] if after else due
        now = max(now, due)  # the bucket is full again

        for _ in range(quota.burst + 50 if quota.burst < 100 else 50):
            verdict, after = decide([quota], [due], now)
            assert verdict.allowed
            due = after[0]
            now += quota.interval

    @given(quota=quotas, gap=gaps, cost=st.integers(1, 60))
    def test_the_wait_it_tells_is_the_shortest_that_suffices(self, quota, gap, cost):
        now = due = 0
        verdict, after = decide([quota], [due], now, 1, most=quota.burst)
        due, now = after[0], now + gap
        verdict, after = decide([quota], [due], now, cost)
        wait = verdict.standings[0].retry_micros
        if wait > 0:
            assert decide([quota], [due], now + wait, cost)[0].allowed
            assert not decide([quota], [due], now + wait - 1, cost)[0].allowed
        else:
            assert verdict.allowed == (wait == 0)

    @given(quota=quotas, gap=gaps, taken=st.integers(0, 100_000))
    def test_tells_when_there_is_one_more_and_when_it_is_full(self, quota, gap, taken):
        _, after = decide([quota], [0], 0, 0, most=taken)
        due, now = after[0] if after else 0, gap
        standing = decide([quota], [due], now, 0)[0].standings[0]

        later = decide([quota], [due], now + standing.next_micros, 0)[0].standings[0]
        full = decide([quota], [due], now + standing.full_micros, 0)[0].standings[0]

        assert full.remaining == quota.burst
        if standing.remaining < quota.burst:
            assert later.remaining == standing.remaining + 1
        else:
            assert standing.next_micros == standing.full_micros == 0

    def test_takes_from_all_or_from_none(self):
        wide = Quota("wide", burst=10, tokens=1)
        narrow = Quota("narrow", burst=2, tokens=1)

        verdict, after = decide([wide, narrow], [0, 0], 0, 3)

        assert (verdict.allowed, verdict.granted, after) == (False, 0, None)
        assert [s.remaining for s in verdict.standings] == [10, 2]

    def test_says_which_quota_refused_and_for_how_long(self):
        wide = Quota("wide", burst=10, tokens=1)
        narrow = Quota("narrow", burst=2, tokens=1)

        verdict, _ = decide([wide, narrow], [0, 2 * SECOND], 0, 2)

        assert verdict.violated == ("narrow",)
        assert verdict.retry_seconds == 2
        assert not verdict.too_costly

    def test_a_call_that_no_bucket_could_serve_is_refused_for_good(self):
        verdict, after = decide([Quota("q", burst=5, tokens=1)], [0], 0, 6)

        assert not verdict.allowed
        assert after is None
        assert verdict.too_costly
        assert verdict.retry_seconds == NEVER
        assert verdict.standings[0].retry_seconds == NEVER

    def test_a_look_takes_nothing(self):
        quota = Quota("q", burst=5, tokens=1)

        verdict, after = decide([quota], [3 * SECOND], 0, 0)

        assert (verdict.allowed, verdict.standings[0].remaining) == (True, 2)
        assert after is None

    def test_takes_as_many_as_all_buckets_have(self):
        wide = Quota("wide", burst=10, tokens=1)
        narrow = Quota("narrow", burst=4, tokens=1)

        verdict, after = decide([wide, narrow], [0, SECOND], 0, 1, most=8)

        assert verdict.granted == 3
        assert after == [3 * SECOND, 4 * SECOND]

    def test_a_clock_set_back_locks_nobody_out(self):
        quota = Quota("q", burst=5, tokens=1)

        verdict, _ = decide([quota], [10 * HOUR], 0)

        assert not verdict.allowed
        assert verdict.retry_seconds == 1
        assert verdict.standings[0].full_seconds == 5

    def test_needs_a_cost_that_is_one(self):
        with pytest.raises(ValueError, match="less than nothing"):
            decide([Quota("q", 1, 1)], [0], 0, -1)

    def test_lets_a_caller_without_quotas_through(self):
        verdict, after = decide([], [], 0)

        assert (verdict.allowed, verdict.violated) == (True, ())
        assert verdict.retry_seconds == 0
        assert after == []


class TestStanding:
    def test_speaks_in_seconds(self):
        quota = Quota("q", burst=4, tokens=2)
        verdict, _ = decide([quota], [SECOND], 0)

        standing = verdict.standings[0]

        assert (standing.limit, standing.window_seconds) == (4, 2)
        assert (standing.next_seconds, standing.full_seconds) == (0.5, 1.5)
        assert standing.retry_seconds == 0
