"""What a call that ends in this or that way tells the circuit."""

import asyncio
from contextlib import suppress

import httpx
import pytest

from holdfast.resilience import (
    Breaker,
    CircuitBreaker,
    CircuitOpen,
    Deadline,
    Overloaded,
    Rejected,
    TimedOut,
)
from holdfast.resilience.circuit import State
from holdfast.resilience.events import CircuitCall


class Watch:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


class Refused(Exception):
    """An answer, though nobody likes it."""


class Odd(Exception):
    """Nobody has said what it means."""


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def heard() -> list[object]:
    return []


@pytest.fixture
def breaker(watch, heard) -> Breaker:
    return Breaker("mail", timer=watch, chance=lambda: 0.5, listen=heard.append)


@pytest.fixture
def policy(breaker, watch) -> CircuitBreaker:
    """For calls that may take ten seconds: slow is what takes more than eight."""
    return CircuitBreaker(breaker, timeout_seconds=10, answers=(Refused,), timer=watch)


@pytest.fixture
def ending(watch):
    """A call that takes so long and ends so."""

    def make(seconds, how=None):
        async def call():
            watch.now += seconds
            if how is not None:
                raise how
            return "answer"

        return call

    return make


class TestJudgement:
    @pytest.mark.parametrize(
        ("seconds", "how", "outcome", "counted"),
        [
            (0, None, "success", (1, 0, 0)),
            (8, None, "success", (1, 0, 0)),
            (8.1, None, "slow", (1, 0, 1)),
            (0, OSError(), "failure", (1, 1, 0)),
            (0, ConnectionRefusedError(), "failure", (1, 1, 0)),
            (0, Refused(), "success", (1, 0, 0)),
            (9, Refused(), "slow", (1, 0, 1)),
            (0, Rejected(30), "ignored", (0, 0, 0)),
            (9, Overloaded(), "ignored", (0, 0, 0)),
            (0, Odd(), "failure", (1, 1, 0)),
            (0, httpx.ConnectError(""), "failure", (1, 1, 0)),
            (10, TimedOut(10), "failure", (1, 1, 1)),
            (9, TimedOut(9), "slow", (1, 0, 1)),
            (8, TimedOut(8), "cancelled", (0, 0, 0)),
            (8, asyncio.CancelledError(), "cancelled", (0, 0, 0)),
            (8.1, asyncio.CancelledError(), "slow", (1, 0, 1)),
            (0, GeneratorExit(), "cancelled", (0, 0, 0)),
        ],
        ids=[
            "success",
            "just in time",
            "late",
            "failure",
            "connection refused",
            "answer",
            "late answer",
            "pushback",
            "late pushback",
            "unnamed",
            "of a client library",
            "time limit",
            "late budget",
            "early budget",
            "early leave",
            "late leave",
            "thrown away",
        ],
    )
    async def test_is_by_how_it_ended_and_when(
        self, policy, breaker, heard, ending, seconds, how, outcome, counted
    ):
        if how is None:
            assert await policy(ending(seconds)) == "answer"
        else:
            with pytest.raises(type(how)):
                await policy(ending(seconds, how))

        standing = breaker.standing()
        assert (standing.calls, standing.failures, standing.slow) == counted
        assert heard == [CircuitCall("mail", outcome)]

    async def test_names_what_is_unreachable(self, policy, breaker, ending):
        for _ in range(5):
            with pytest.raises(ConnectionRefusedError):
                await policy(ending(0, ConnectionRefusedError()))

        assert breaker.state is State.OPEN

    async def test_failures_may_be_named_anew(self, breaker, watch, ending):
        policy = CircuitBreaker(
            breaker, timeout_seconds=10, failures=(Odd,), timer=watch
        )
        with suppress(Odd):
            await policy(ending(0, Odd()))

        assert breaker.standing().failures == 1

    async def test_what_is_named_nowhere_tells_nothing(
        self, breaker, watch, heard, ending
    ):
        policy = CircuitBreaker(
            breaker, timeout_seconds=10, failures=(OSError,), timer=watch
        )
        with suppress(Odd):
            await policy(ending(0, Odd()))

        assert heard == [CircuitCall("mail", "ignored")]
        assert breaker.standing().calls == 0

    async def test_who_asks_for_time_has_not_failed(self, breaker, watch, ending):
        class Busy(OSError):
            """A failure by its kind, and a pushback by what it says."""

        policy = CircuitBreaker(
            breaker, timeout_seconds=10, ignored=(Busy,), timer=watch
        )
        for _ in range(50):
            with suppress(Busy):
                await policy(ending(0, Busy()))

        assert breaker.standing().calls == 0


class TestOpen:
    async def test_the_call_is_not_made(self, policy, ending):
        for _ in range(5):
            with suppress(OSError):
                await policy(ending(0, ConnectionRefusedError()))
        called = False

        async def call():
            nonlocal called
            called = True

        with pytest.raises(CircuitOpen) as refused:
            await policy(call)

        assert not called
        assert refused.value.retry_after_seconds == pytest.approx(2)


@pytest.fixture
async def half_open(policy, breaker, watch, ending):
    """A circuit that lets the next call through as a probe."""
    for _ in range(5):
        with suppress(OSError):
            await policy(ending(0, ConnectionRefusedError()))
    watch.now += 2
    return breaker


class TestPermits:
    """Of three that probe none is lost, however their calls end."""

    @pytest.mark.parametrize(
        "how",
        [None, OSError(), Rejected(), Odd(), TimedOut(1), asyncio.CancelledError()],
        ids=repr,
    )
    async def test_come_back_from_a_call_that_ended(
        self, half_open, policy, ending, how
    ):
        with suppress(BaseException):
            await policy(ending(1, how))

        assert half_open.standing().probing == 0

    async def test_come_back_from_a_task_that_was_cancelled(self, half_open, policy):
        probes = [asyncio.create_task(policy(asyncio.Event().wait)) for _ in range(3)]
        await asyncio.sleep(0)
        assert half_open.standing().probing == 3

        for probe in probes:
            probe.cancel()
        await asyncio.wait(probes)

        assert half_open.standing().probing == 0
        assert half_open.state is State.HALF_OPEN

    async def test_are_not_taken_by_a_task_that_never_begins(self, half_open, policy):
        probe = asyncio.create_task(policy(asyncio.Event().wait))
        probe.cancel()
        with suppress(asyncio.CancelledError):
            await probe

        assert half_open.standing().probing == 0
        assert half_open.state is State.OPEN

    async def test_come_back_from_a_coroutine_that_is_thrown_away(
        self, half_open, policy
    ):
        forgotten = policy(asyncio.Event().wait)
        forgotten.send(None)
        assert half_open.standing().probing == 1

        forgotten.close()

        assert half_open.standing().probing == 0

    async def test_come_back_when_the_callers_time_is_over(self, half_open, policy):
        with pytest.raises(TimedOut):
            await Deadline(0.01)(lambda: policy(asyncio.Event().wait))

        assert half_open.standing().probing == 0
        assert half_open.state is State.HALF_OPEN

    async def test_that_do_not_come_back_do_not_keep_it_from_closing(
        self, half_open, policy, watch, ending
    ):
        hung = [asyncio.create_task(policy(asyncio.Event().wait)) for _ in range(3)]
        await asyncio.sleep(0)
        watch.now += 20
        with pytest.raises(CircuitOpen) as refused:
            await policy(ending(0))
        assert half_open.state is State.OPEN

        watch.now += refused.value.retry_after_seconds
        for _ in range(5):
            await policy(ending(0))

        assert half_open.state is State.CLOSED
        for probe in hung:
            probe.cancel()
        await asyncio.wait(hung)
        assert half_open.standing().calls == 0


class TestReaction:
    async def test_opens_within_a_second_of_fifty_failures_a_second(
        self, policy, breaker, watch, ending
    ):
        began = watch.now
        while breaker.state is State.CLOSED:
            with suppress(OSError):
                await policy(ending(0, OSError()))
            watch.now += 1 / 50

        assert watch.now - began <= 1

    async def test_opens_within_twice_the_limit_of_what_hangs(self, breaker, watch):
        """Fifty a second begin, and each ends when its limit of two seconds is over."""
        policy = CircuitBreaker(breaker, timeout_seconds=2, timer=watch)
        began, due = watch.now, []
        running = []

        async def hang():
            ended = asyncio.get_running_loop().create_future()
            due.append((watch.now + 2, ended))
            await ended

        while breaker.state is State.CLOSED:
            running.append(asyncio.create_task(policy(hang)))
            await asyncio.sleep(0)
            watch.now += 1 / 50
            while due and due[0][0] <= watch.now:
                due.pop(0)[1].set_exception(TimedOut(2))
                await asyncio.sleep(0)
                await asyncio.sleep(0)

        assert watch.now - began <= 4
        for task in running:
            task.cancel()
        with suppress(BaseException):
            await asyncio.wait(running)
        for task in running:
            with suppress(BaseException):
                task.exception()
