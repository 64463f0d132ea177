import asyncio
import itertools
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.resilience.events import RateLeased
from holdfast.resilience.rate import (
    LeasingLimiter,
    MemoryLimiter,
    Quota,
    StoreUnavailable,
)
from holdfast.resilience.rate.quota import SECOND

# A lease of one of four processes: at most min(400 / 8, 1,000 * 50 ms) = 50 tokens.
# Of a caller with one call a millisecond: from the 4th call 8, from the 12th 24, from
# the 36th 50.
HOT = Quota("hot", burst=400, tokens=1_000)
STEP = 1_000  # microseconds between two calls of a hot caller


class Store:
    """Buckets in memory, with a count of who asked for what."""

    def __init__(self, timer) -> None:
        self.buckets = MemoryLimiter(timer=timer)
        self.asked = Counter()
        self.given = []
        self.gone = False
        self.slow = None
        self.failure = None

    async def take(self, subject, quotas, cost=1, *, most=None):
        self.asked["lease" if most else "take"] += 1
        if self.slow is not None and most:
            await self.slow.wait()
            if self.failure is not None:
                raise self.failure
        return self.buckets.take_now(subject, quotas, cost, most=most)

    async def give(self, subject, quotas, tokens):
        if self.gone:
            raise StoreUnavailable("gone")
        self.given.append((subject, tokens))


@pytest.fixture
def store(timer):
    return Store(timer)


@pytest.fixture
def events():
    return []


@pytest.fixture
def limiter(store, timer, events):
    return LeasingLimiter(store, processes=lambda: 4, listen=events.append, timer=timer)


@pytest.fixture
def call(limiter, timer):
    """A hot caller: one call a millisecond."""

    async def call(times, subject="ada", quotas=(HOT,), cost=1):
        answers = []
        for _ in range(times):
            timer.advance(STEP)
            answers.append(await limiter.take(subject, quotas, cost))
        return answers

    return call


class TestTake:
    async def test_asks_for_each_call_of_a_caller_who_is_not_hot(
        self, limiter, store, timer
    ):
        for _ in range(20):
            timer.advance(20_000)
            await limiter.take("ada", [HOT])

        assert store.asked == {"take": 20}

    async def test_spares_the_store_most_checks_of_a_hot_caller(self, call, store):
        answers = await call(1_000)

        assert all(answer.allowed for answer in answers)
        assert store.asked.total() < 100
        assert answers[-1].source in {"lease", "store"}
        assert Counter(answer.source for answer in answers)["lease"] > 800

    async def test_leases_the_least_that_any_quota_allows(self, call, events):
        slow = Quota("slow", burst=10_000, tokens=200)  # 10 tokens in 50 ms

        await call(30, quotas=(HOT, slow))

        assert max(event.tokens for event in events) == 9
        assert events[0].policies == ("hot", "slow")

    async def test_tells_what_is_left_with_the_tokens_that_are_leased(self, call):
        answers = await call(60)

        for before, after in itertools.pairwise(answers):
            left = after.standings[0].remaining
            # One taken, and at most two come in between.
            assert before.standings[0].remaining - 1 <= left + 49
            assert left <= 400

    async def test_takes_the_calls_cost(self, call, store):
        answers = await call(100, cost=10)

        assert [answer.granted for answer in answers[:20]] == [10] * 20
        assert not answers[-1].allowed

    @pytest.mark.parametrize(
        "quota",
        [
            Quota("login", burst=400, tokens=1_000, strict=True),
            Quota("small", burst=20, tokens=1_000),
            Quota("slow", burst=400, tokens=20),
        ],
        ids=lambda quota: quota.name,
    )
    async def test_never_leases_what_is_strict_or_small(self, call, store, quota):
        await call(50, quotas=(quota,))

        assert store.asked == {"take": 50}

    async def test_never_leases_for_a_call_that_would_need_most_of_it(
        self, call, store
    ):
        await call(20, cost=13)

        assert store.asked == {"take": 20}

    async def test_a_look_asks_the_store(self, call, limiter, store):
        await call(40)
        before = store.asked["take"]

        await limiter.take("ada", [HOT], 0)

        assert store.asked["take"] == before + 1

    async def test_lets_a_caller_without_quotas_through(self, limiter):
        assert (await limiter.take("ada", [])).allowed

    async def test_fetches_one_lease_at_a_time(self, turns, call, limiter, store):
        await call(35)
        store.slow = asyncio.Event()

        async with asyncio.TaskGroup() as group:
            for _ in range(10):
                group.create_task(limiter.take("ada", [HOT]))
            await turns()
            store.slow.set()

        assert store.asked["lease"] == 3

    async def test_a_cancelled_fetch_leaves_room_for_the_next(
        self, turns, call, limiter, store
    ):
        await call(35)
        store.slow = asyncio.Event()
        fetch = asyncio.create_task(limiter.take("ada", [HOT]))
        await turns()

        fetch.cancel()
        await asyncio.wait([fetch])
        store.slow.set()
        await turns()
        await limiter.close()
        await call(2)

        assert store.asked["lease"] == 4
        # The call was not made, so all of it goes back.
        assert store.given == [("ada", 50)]

    @pytest.mark.parametrize("failure", [StoreUnavailable("gone"), None])
    async def test_a_cancelled_fetch_that_fails_gives_nothing_back(
        self, turns, call, limiter, store, failure
    ):
        await call(35)
        store.slow, store.failure = asyncio.Event(), failure
        fetch = asyncio.create_task(limiter.take("ada", [HOT]))
        await turns()

        fetch.cancel()
        await asyncio.wait([fetch])
        if failure is None:
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
        store.slow.set()
        await turns()
        await limiter.close()

        assert store.given == []

    async def test_refuses_when_the_bucket_is_empty(self, limiter, store, timer):
        answers = [(await limiter.take("ada", [HOT])).allowed for _ in range(500)]

        assert sum(answers) == 400

    async def test_leases_what_there_is(self, call, limiter, store, timer):
        store.buckets.take_now("ada", [HOT], 370)

        answers = [(await limiter.take("ada", [HOT])).allowed for _ in range(50)]

        assert sum(answers) == 30

    async def test_has_no_lease_of_one_token(self, limiter, store, events):
        store.buckets.take_now("ada", [HOT], 396)

        answers = [(await limiter.take("ada", [HOT])).allowed for _ in range(30)]

        assert sum(answers) == 4
        assert events == []


class TestLeases:
    async def test_of_which_little_is_used_are_given_back(
        self, call, limiter, store, timer, events
    ):
        await call(36)
        leased = limiter.leased

        timer.advance(SECOND)
        await limiter.take("ada", [HOT])
        await limiter.close()

        assert leased == 49
        assert store.given == [("ada", 49)]
        assert events[-1] == RateLeased(("hot",), -49)
        assert limiter.leased == 0

    async def test_end_by_themselves(self, store, promised):
        limiter = LeasingLimiter(store, processes=lambda: 4)
        for _ in range(36):
            await limiter.take("ada", [HOT])
        assert limiter.leased

        async def returned():
            return limiter.leased == 0

        await promised(returned)
        await limiter.close()
        assert store.given

    async def test_that_were_renewed_do_not_end_early(self, call, limiter):
        await call(36)
        _key, caller = next(iter(limiter._callers.items()))

        limiter._expire("ada", caller)

        assert limiter.leased == 49

    async def test_of_changed_quotas_are_given_back(self, call, limiter, store):
        await call(36)

        await limiter.take("ada", [Quota("hot", burst=800, tokens=1_000)])
        await limiter.close()

        assert store.given == [("ada", 49)]

    async def test_of_callers_not_seen_for_long_are_given_back(
        self, call, limiter, store
    ):
        await call(36)

        for number in range(5_000):
            await limiter.take(f"caller {number}", [HOT])
        await limiter.close()

        assert store.given == [("ada", 49)]

    async def test_that_nobody_takes_back_are_lost(self, call, limiter, store):
        await call(36)
        store.gone = True

        await limiter.close()

        assert store.given == []

    async def test_without_any_there_is_nothing_to_close(self, limiter, store):
        await limiter.close()

        assert store.given == []

    @given(gaps=st.lists(st.integers(0, 20_000), min_size=50, max_size=300))
    @settings(max_examples=25, deadline=None)
    async def test_never_give_more_than_half_a_burst_extra_in_any_window(self, gaps):
        now = 0
        buckets = Store(lambda: now / SECOND)
        processes = [
            LeasingLimiter(buckets, processes=lambda: 4, timer=lambda: now / SECOND)
            for _ in range(4)
        ]
        admitted = []
        for turn, gap in enumerate(gaps * 3):
            now += gap // 20
            taken = [
                await processes[turn % 4].take("ada", [HOT])
                for _ in range(1 + turn % 4)
            ]
            admitted += [now for verdict in taken if verdict.allowed]

        for process in processes:
            await process.close()
        for first, start in enumerate(admitted):
            for count, end in enumerate(admitted[first:], start=1):
                most = HOT.burst * 3 / 2 + (end - start) * HOT.tokens / SECOND
                assert count <= most
