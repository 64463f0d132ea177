import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from holdfast.resilience.rate import MemoryLimiter, Quota
from holdfast.resilience.rate.quota import SECOND, decide

QUICK = Quota("quick", burst=3, tokens=1)
DAILY = Quota("daily", burst=5, tokens=5, period_seconds=86_400)
BOTH = (QUICK, DAILY)


class TestMemoryLimiter:
    async def test_lets_a_burst_through_and_then_the_rate(self, timer):
        limiter = MemoryLimiter(timer=timer)

        answers = [(await limiter.take("ada", [QUICK])).allowed for _ in range(4)]
        timer.advance(SECOND)
        later = await limiter.take("ada", [QUICK])

        assert answers == [True, True, True, False]
        assert later.allowed
        assert later.source == "local"

    def test_one_caller_does_not_use_up_anothers_share(self, timer):
        limiter = MemoryLimiter(timer=timer)

        limiter.take_now("ada", [QUICK], 3)

        assert limiter.take_now("bob", [QUICK], 3).allowed

    def test_what_is_refused_consumes_nothing_anywhere(self, timer):
        limiter = MemoryLimiter(timer=timer)
        limiter.take_now("ada", BOTH, 3)

        refused = limiter.take_now("ada", BOTH, 1)

        assert refused.violated == ("quick",)
        assert [s.remaining for s in refused.standings] == [0, 2]
        assert limiter.take_now("ada", [DAILY], 2).allowed

    def test_forgets_buckets_that_are_full(self, timer):
        limiter = MemoryLimiter(timer=timer)
        for number in range(100):
            limiter.take_now(f"caller {number}", [QUICK])
        timer.advance(SECOND)

        for number in range(50):
            limiter.take_now(f"newcomer {number}", [QUICK])

        assert len(limiter) == 50

    def test_never_forgets_a_bucket_in_use(self, timer):
        limiter = MemoryLimiter(buckets=10, crowds=4, timer=timer)
        limiter.take_now("ada", [QUICK], 3)

        for number in range(1_000):
            limiter.take_now(f"flood {number}", [QUICK])

        assert not limiter.take_now("ada", [QUICK]).allowed
        assert len(limiter) <= 14

    def test_newcomers_share_crowds_when_the_table_is_full(self, timer):
        limiter = MemoryLimiter(buckets=10, crowds=4, timer=timer)

        let_through = sum(
            limiter.take_now(f"flood {number}", [QUICK]).allowed
            for number in range(10_000)
        )

        # 10 buckets of their own took one token each, 4 crowds three each.
        assert let_through == 10 + 4 * 3

    def test_gives_newcomers_their_own_bucket_once_there_is_room(self, timer):
        limiter = MemoryLimiter(buckets=10, crowds=1, timer=timer)
        for number in range(20):
            limiter.take_now(f"flood {number}", [QUICK])
        assert not limiter.take_now("ada", [QUICK]).allowed

        timer.advance(SECOND)

        assert limiter.take_now("ada", [QUICK], 3).allowed

    def test_counts_every_quota_of_a_call_against_the_room(self, timer):
        limiter = MemoryLimiter(buckets=1, crowds=1, timer=timer)

        limiter.take_now("ada", BOTH)

        assert len(limiter._dues) == 1
        assert [s.remaining for s in limiter.take_now("ada", BOTH, 0).standings] == [
            2,
            4,
        ]

    @pytest.mark.parametrize("room", [{"buckets": 0}, {"crowds": 0}])
    def test_needs_room(self, room):
        with pytest.raises(ValueError, match="room"):
            MemoryLimiter(**room)


class Callers(RuleBasedStateMachine):
    """Any calls in any order do what each caller's own buckets would do."""

    names = st.sampled_from(["ada", "bob", "eve"])

    def __init__(self):
        super().__init__()
        self.now = 0
        self.limiter = MemoryLimiter(timer=lambda: self.now / SECOND)
        self.dues = {}

    @rule(micros=st.one_of(st.just(0), st.integers(1, 10**6), st.integers(1, 10**11)))
    def wait(self, micros):
        self.now += micros

    @rule(
        name=names,
        quotas=st.sampled_from([(QUICK,), (DAILY,), BOTH]),
        cost=st.integers(0, 6),
    )
    def take(self, name, quotas, cost):
        dues = [self.dues.get((name, quota.name), 0) for quota in quotas]
        expected, after = decide(quotas, dues, self.now, cost)

        assert self.limiter.take_now(name, quotas, cost) == expected

        for quota, due in zip(quotas, after or dues, strict=True):
            self.dues[name, quota.name] = due

    @invariant()
    def keeps_a_bucket_for_each_at_most(self):
        assert len(self.limiter) <= 6


class TestAnyCalls(Callers.TestCase):
    settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
