"""The order of the policies around a call, proved pair by pair.

``Deadline, Retry, CircuitBreaker, Throttle, Bulkhead, Deadline`` around a call: each
pair of neighbours would do something else, and worse, the other way round.
"""

import asyncio
from contextlib import suppress

import pytest

from holdfast.resilience import (
    Breaker,
    Bulkhead,
    BulkheadFull,
    CircuitBreaker,
    CircuitOpen,
    Deadline,
    NotEnoughTime,
    Pipeline,
    Rejected,
    Retry,
    RetryBudget,
    Throttle,
    Throttled,
    TimedOut,
)
from holdfast.resilience.circuit import State


async def at_once(_: float) -> None:
    """Sleep without waiting."""


class Calls:
    """Counts calls; each fails, or hangs."""

    def __init__(self, failure: BaseException | None = None) -> None:
        self.failure = failure
        self.made = self.running = 0

    async def __call__(self) -> None:
        self.made += 1
        self.running += 1
        try:
            if self.failure is None:
                await asyncio.Event().wait()
            else:
                raise self.failure
        finally:
            self.running -= 1


@pytest.fixture
def breaker() -> Breaker:
    return Breaker("carrier")


@pytest.fixture
def throttle() -> Throttle:
    return Throttle("carrier", chance=lambda: 0.0)


class TestDeadlineAroundRetry:
    async def test_all_attempts_together_take_no_longer(self):
        calls = Calls()
        pipeline = Pipeline(
            Deadline(0.05), Retry(repeatable=True, sleep=at_once), Deadline(0.04)
        )

        # The latter where the first attempt ended so late that none is left.
        with pytest.raises((TimedOut, NotEnoughTime)):
            await pipeline(calls)

        assert 1 <= calls.made <= 2

    async def test_a_wait_beyond_it_is_not_begun(self):
        calls, waits = Calls(Rejected(10)), []

        async def sleep(seconds):
            waits.append(seconds)

        with pytest.raises(Rejected):
            await Pipeline(Deadline(5), Retry(repeatable=True, sleep=sleep))(calls)

        assert (calls.made, waits) == (1, [])


class TestRetryAroundBreaker:
    async def test_an_open_circuit_ends_the_attempts_at_once(self, breaker):
        calls, budget = Calls(ConnectionRefusedError()), RetryBudget(reserve=100)
        pipeline = Pipeline(
            Retry(repeatable=True, attempts=50, sleep=at_once, budget=budget),
            CircuitBreaker(breaker, timeout_seconds=1),
        )

        with pytest.raises(CircuitOpen):
            await pipeline(calls)

        assert calls.made == 5

    async def test_each_attempt_is_judged(self, breaker):
        pipeline = Pipeline(
            Retry(repeatable=True, sleep=at_once),
            CircuitBreaker(breaker, timeout_seconds=1),
        )
        with suppress(OSError):
            await pipeline(Calls(OSError()))

        assert breaker.standing().failures == 3


class TestBreakerAroundThrottle:
    async def test_what_is_held_back_is_no_failure(self, breaker, throttle):
        pipeline = Pipeline(CircuitBreaker(breaker, timeout_seconds=1), throttle)
        ends = set()
        for _ in range(50):
            try:
                await pipeline(Calls(Rejected()))
            except Rejected as error:
                ends.add(type(error))

        assert ends == {Rejected, Throttled}
        assert breaker.standing().calls == 0

    async def test_what_an_open_circuit_refuses_is_no_request(self, breaker, throttle):
        pipeline = Pipeline(CircuitBreaker(breaker, timeout_seconds=1), throttle)
        for _ in range(100):
            with suppress(OSError, CircuitOpen):
                await pipeline(Calls(ConnectionRefusedError()))

        assert throttle._window.calls == 5


class TestThrottleAroundBulkhead:
    async def test_a_full_bulkhead_is_not_the_dependencys_doing(self, throttle):
        pipeline = Pipeline(throttle, Bulkhead("carrier", concurrent=1))
        calls = Calls()
        hung = asyncio.create_task(pipeline(calls))
        await asyncio.sleep(0)
        for _ in range(100):
            with suppress(BulkheadFull):
                await pipeline(calls)

        assert throttle.share == 0
        hung.cancel()
        await asyncio.wait([hung])


class TestBreakerAroundBulkhead:
    async def test_an_open_circuit_takes_no_place(self, breaker):
        bulkhead = Bulkhead("carrier", concurrent=1)
        pipeline = Pipeline(CircuitBreaker(breaker, timeout_seconds=1), bulkhead)
        for _ in range(5):
            with suppress(OSError):
                await pipeline(Calls(ConnectionRefusedError()))
        hung = asyncio.create_task(bulkhead(Calls()))
        await asyncio.sleep(0)

        with pytest.raises(CircuitOpen):
            await pipeline(Calls())

        hung.cancel()
        await asyncio.wait([hung])

    async def test_a_full_bulkhead_is_no_failure(self, breaker):
        bulkhead = Bulkhead("carrier", concurrent=1)
        pipeline = Pipeline(CircuitBreaker(breaker, timeout_seconds=1), bulkhead)
        hung = asyncio.create_task(bulkhead(Calls()))
        await asyncio.sleep(0)
        for _ in range(50):
            with suppress(BulkheadFull):
                await pipeline(Calls())

        assert breaker.standing().calls == 0
        hung.cancel()
        await asyncio.wait([hung])


class TestBulkheadAroundTimeout:
    async def test_what_hangs_gives_its_place_back_when_its_time_is_over(self):
        bulkhead, calls = Bulkhead("carrier", concurrent=1), Calls()
        pipeline = Pipeline(bulkhead, Deadline(0.01))
        for _ in range(3):
            with pytest.raises(TimedOut):
                await pipeline(calls)

        assert (calls.made, calls.running, bulkhead.in_use) == (3, 0, 0)

    async def test_waiting_for_a_place_takes_nothing_from_the_time_of_the_call(self):
        bulkhead = Bulkhead("carrier", concurrent=1, waiting=1, wait_seconds=60)
        pipeline = Pipeline(bulkhead, Deadline(0.05))
        first = asyncio.create_task(bulkhead(Calls()))
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()

        async def call():
            return loop.time()

        second = asyncio.create_task(pipeline(call))
        await asyncio.wait([second], timeout=0.1)
        assert not second.done()
        first.cancel()

        assert await second > 0
        await asyncio.wait([first])


class TestBreakerAroundTimeout:
    async def test_a_time_limit_that_passed_is_counted(self, breaker):
        pipeline = Pipeline(
            CircuitBreaker(breaker, timeout_seconds=0.01), Deadline(0.01)
        )
        with suppress(TimedOut):
            await pipeline(Calls())

        standing = breaker.standing()
        assert (standing.failures, standing.slow) == (1, 1)


class TestTimeoutAroundCall:
    async def test_the_call_is_ended(self):
        calls = Calls()
        with pytest.raises(TimedOut):
            await Pipeline(Deadline(0.01))(calls)

        assert calls.running == 0


class TestAll:
    async def test_a_dead_dependency_is_asked_hardly_more_often_than_wanted(self):
        breaker, calls = Breaker("carrier"), Calls(OSError())
        pipeline = Pipeline(
            Deadline(5),
            Retry(repeatable=True, budget=RetryBudget(), sleep=at_once),
            CircuitBreaker(breaker, timeout_seconds=1),
            Throttle("carrier"),
            Bulkhead("carrier", concurrent=5),
            Deadline(1),
        )
        requests = 500
        for _ in range(requests):
            with suppress(OSError, Rejected):
                await pipeline(calls)

        assert breaker.state is State.OPEN
        assert calls.made <= 30
        assert calls.made <= 1.2 * requests
