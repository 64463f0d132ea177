import asyncio

import pytest

from holdfast.resilience.events import RateStoreMoved
from holdfast.resilience.rate import (
    FallbackLimiter,
    MemoryLimiter,
    Quota,
    StoreUnavailable,
)
from holdfast.resilience.rate.quota import SECOND, Verdict

WIDE = Quota("wide", burst=80, tokens=8)
LOGIN = Quota("login", burst=8, tokens=8, period_seconds=60, strict=True)


class Store:
    """A store that answers, fails or hangs as it is told."""

    def __init__(self) -> None:
        self.mood = "well"
        self.calls = 0
        self.fails_every = 0
        self.hang = asyncio.Event()

    async def take(self, subject, quotas, cost=1):
        self.calls += 1
        if self.mood == "hanging":
            await self.hang.wait()
        if self.mood == "gone" or (
            self.fails_every and self.calls % self.fails_every == 0
        ):
            raise StoreUnavailable("gone")
        return Verdict(allowed=True, source="store")


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def events():
    return []


@pytest.fixture
def limiter(store, timer, events):
    return FallbackLimiter(
        store,
        processes=lambda: 4,
        listen=events.append,
        timer=timer,
        chance=lambda: 0.5,
    )


@pytest.fixture
def lose(limiter, store):
    """The store goes, and the limiter has seen it."""

    async def lose():
        store.mood = "gone"
        for _ in range(5):
            await limiter.take("somebody", [WIDE])

    return lose


class TestWithTheStore:
    async def test_asks_it(self, limiter, store):
        assert (await limiter.take("ada", [WIDE])).source == "store"
        assert limiter.state == "up"

    async def test_answers_a_check_that_the_store_does_not(self, limiter, store):
        store.mood = "gone"

        verdict = await limiter.take("ada", [WIDE])

        assert (verdict.allowed, verdict.source) == (True, "local")

    async def test_bears_failures_that_are_rare(self, limiter, store, timer):
        store.fails_every = 3
        for _ in range(100):
            timer.advance(SECOND // 100)
            await limiter.take("ada", [WIDE])

        assert store.calls == 100
        assert limiter.state == "up"

    async def test_trips_after_five_failures_in_a_row(self, limiter, store, lose):
        await lose()
        for _ in range(100):
            await limiter.take("ada", [WIDE])

        assert store.calls == 5
        assert limiter.state == "down"

    async def test_trips_when_half_of_twenty_fail_in_a_second(
        self, limiter, store, timer
    ):
        store.fails_every = 2
        for _ in range(40):
            timer.advance(SECOND // 100)
            await limiter.take("ada", [WIDE])

        assert store.calls == 20

    async def test_does_not_trip_when_it_takes_longer(self, limiter, store, timer):
        store.fails_every = 2
        for _ in range(40):
            timer.advance(SECOND // 10)
            await limiter.take("ada", [WIDE])

        assert store.calls == 40


class TestWithoutTheStore:
    async def test_grants_a_share_of_one_and_a_half_quotas(self, limiter, lose):
        await lose()

        answers = [(await limiter.take("ada", [WIDE])).allowed for _ in range(40)]

        assert sum(answers) == 80 * 3 // 2 // 4

    async def test_grants_no_more_than_the_share_of_a_strict_quota(self, limiter, lose):
        await lose()

        answers = [(await limiter.take("ada", [LOGIN])).allowed for _ in range(40)]

        assert sum(answers) == 8 // 4

    async def test_refills_at_the_share_of_the_rate(self, limiter, lose, timer, store):
        await lose()
        while (await limiter.take("ada", [WIDE])).allowed:
            pass

        timer.advance(SECOND + 2)  # 8 * 1.5 / 4 tokens, of 333,334 us each
        answers = [(await limiter.take("ada", [WIDE])).allowed for _ in range(9)]

        assert sum(answers) == 3

    async def test_tells_the_callers_own_policy(self, limiter, lose):
        await lose()

        [standing] = (await limiter.take("ada", [WIDE])).standings

        assert (standing.quota, standing.limit) == (WIDE, 80)

    async def test_a_call_dearer_than_the_share_empties_it(self, limiter, lose):
        await lose()

        assert (await limiter.take("ada", [WIDE], 50)).allowed
        assert not (await limiter.take("ada", [WIDE])).allowed

    async def test_a_call_dearer_than_the_bucket_is_refused_for_good(
        self, limiter, lose
    ):
        await lose()

        assert (await limiter.take("ada", [WIDE], 81)).too_costly

    async def test_counts_no_process_as_one(self, store, timer, lose):
        limiter = FallbackLimiter(store, processes=lambda: 0, timer=timer)
        store.mood = "gone"

        answers = [(await limiter.take("ada", [LOGIN])).allowed for _ in range(20)]

        assert sum(answers) == 8

    async def test_keeps_its_buckets_where_it_is_told_to(self, store, timer):
        local = MemoryLimiter(timer=timer)
        limiter = FallbackLimiter(store, processes=lambda: 1, local=local)
        store.mood = "gone"

        await limiter.take("ada", [WIDE])

        assert len(local) == 1


class TestComingBack:
    async def test_probes_with_one_check_after_a_while(
        self, limiter, store, lose, timer
    ):
        await lose()
        store.mood = "hanging"
        timer.advance(1_299_000)
        await limiter.take("ada", [WIDE])
        assert store.calls == 5

        timer.advance(2_000)
        probe = asyncio.create_task(limiter.take("ada", [WIDE]))
        await asyncio.sleep(0)
        for _ in range(10):
            assert (await limiter.take("ada", [WIDE])).source == "local"

        assert store.calls == 6
        store.mood = "well"
        store.hang.set()
        assert (await probe).source == "store"
        assert (await limiter.take("ada", [WIDE])).source == "store"

    async def test_waits_again_when_the_probe_fails(self, limiter, store, lose, timer):
        await lose()
        timer.advance(2 * SECOND)

        await limiter.take("ada", [WIDE])
        await limiter.take("ada", [WIDE])

        assert store.calls == 6
        assert limiter.state == "down"

    async def test_is_there_within_two_seconds_whatever_was_drawn(
        self, store, timer, events
    ):
        limiter = FallbackLimiter(
            store, processes=lambda: 4, timer=timer, chance=lambda: 0.999
        )
        store.mood = "gone"
        for _ in range(5):
            await limiter.take("ada", [WIDE])
        timer.advance(SECOND)
        await limiter.take("ada", [WIDE])

        store.mood = "well"
        timer.advance(2 * SECOND)

        assert (await limiter.take("ada", [WIDE])).source == "store"

    async def test_a_probe_that_was_cancelled_leaves_room_for_the_next(
        self, limiter, store, lose, timer
    ):
        await lose()
        timer.advance(2 * SECOND)
        store.mood = "hanging"
        probe = asyncio.create_task(limiter.take("ada", [WIDE]))
        await asyncio.sleep(0)

        probe.cancel()
        await asyncio.wait([probe])
        store.mood = "well"

        assert (await limiter.take("ada", [WIDE])).source == "store"

    async def test_a_check_that_fails_late_changes_nothing(
        self, limiter, store, timer, events
    ):
        store.mood = "hanging"
        async with asyncio.TaskGroup() as group:
            for _ in range(10):
                group.create_task(limiter.take("ada", [WIDE]))
            await asyncio.sleep(0)
            store.mood = "gone"
            store.hang.set()

        assert limiter.state == "down"
        assert len(events) == 1

    async def test_begins_to_count_anew(self, limiter, store, lose, timer):
        await lose()
        store.mood = "well"
        timer.advance(2 * SECOND)
        await limiter.take("ada", [WIDE])

        store.mood = "gone"
        for _ in range(4):
            await limiter.take("ada", [WIDE])

        assert limiter.state == "up"


class TestParts:
    @pytest.fixture
    def limiter(self, store, timer, events):
        return FallbackLimiter(
            store,
            processes=lambda: 4,
            part_of=lambda subject: subject[0],
            listen=events.append,
            timer=timer,
            chance=lambda: 0.5,
        )

    async def test_fail_apart(self, limiter, store, timer, events):
        await limiter.take("bob", [WIDE])
        store.mood = "gone"
        for _ in range(5):
            await limiter.take("ada", [WIDE])
        timer.advance(SECOND)
        store.mood = "well"

        assert (await limiter.take("ann", [WIDE])).source == "local"
        assert (await limiter.take("bob", [WIDE])).source == "store"
        assert limiter.state == "degraded"
        assert events == [RateStoreMoved("up", "degraded", 0.0)]

    async def test_are_told_about_once(self, limiter, store, events):
        await limiter.take("bob", [WIDE])
        store.mood = "gone"
        for name in ("ada", "eve"):
            for _ in range(5):
                await limiter.take(name, [WIDE])

        assert limiter.state == "degraded"
        assert len(events) == 1

    async def test_are_down_together_when_all_are(self, limiter, store, timer, events):
        await limiter.take("bob", [WIDE])
        store.mood = "gone"
        for name in ("ada", "bob"):
            for _ in range(5):
                await limiter.take(name, [WIDE])
        timer.advance(3 * SECOND)
        store.mood = "well"
        await limiter.take("ada", [WIDE])
        await limiter.take("bob", [WIDE])

        assert [(event.before, event.after) for event in events] == [
            ("up", "degraded"),
            ("degraded", "down"),
            ("down", "degraded"),
            ("degraded", "up"),
        ]
        assert events[2].seconds == 3.0
