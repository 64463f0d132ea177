"""What a circuit costs when all is well, and what it spares when nothing is.

Four figures, each with its target and a control beside it: the time that a closed
circuit, and everything that stands around a call, add to it; how long it takes to open
when fifty calls a second fail, or hang; what reaches a dependency while it is open; and
how many attempts a dead dependency gets for each request.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from statistics import median

from holdfast.cli.bench.protection.outcome import Outcome
from holdfast.cli.bench.protection.rig import Rig
from holdfast.kernel.clock import monotonic
from holdfast.platform.dependencies import CARRIER, LIMITS
from holdfast.platform.guard import Guard
from holdfast.resilience.breaker import CircuitBreaker
from holdfast.resilience.circuit import Breaker, State
from holdfast.resilience.errors import CircuitOpen, Rejected, TimedOut
from holdfast.resilience.retry import Retry

MAX_CLOSED_US = 3.0
MAX_OPENS_SECONDS = 1.0
MAX_HUNG_LIMITS = 2.0
"""How many time limits of a call may pass until the circuit to what hangs is open."""
MAX_ATTEMPTS = 1.2
RATE = 50
_CALLS, _ROUNDS = 20_000, 5
_HUNG_LIMIT_SECONDS = 1.0
_MICROS = 1e6

Call = Callable[[], Awaitable[object]]
Around = Callable[[Call], Awaitable[object]]


@dataclass(slots=True)
class Dead:
    """A dependency that is gone, and how often it was asked."""

    asked: int = 0

    async def __call__(self) -> object:
        self.asked += 1
        raise ConnectionRefusedError

    async def fail(self) -> object:
        """It is there, and answers nothing that anybody could use."""
        self.asked += 1
        raise OSError

    async def hang(self) -> object:
        """It takes the call and says nothing."""
        self.asked += 1
        return await asyncio.Event().wait()


async def measure(rig: Rig) -> Outcome:
    """Measure all four in this process."""
    rig.tell("what a closed circuit costs")
    closed, everything = await closed_us(), await guarded_us()
    rig.tell(f"how soon a circuit opens at {RATE} calls a second")
    failing = await opens_after(Dead().fail, timeout_seconds=10.0)
    hanging = await opens_after(Dead().hang, timeout_seconds=_HUNG_LIMIT_SECONDS)
    rig.tell("what a dead dependency is asked")
    passed = await passed_while_open()
    ours, control = await attempts(guarded=True), await attempts(guarded=False)
    budgeted = await attempts(guarded=True, watched=True)
    faults = [
        said
        for wrong, said in (
            (
                closed > MAX_CLOSED_US,
                (
                    f"A closed circuit adds {closed:.2f} us, and {MAX_CLOSED_US:g} are "
                    "allowed."
                ),
            ),
            (
                failing > MAX_OPENS_SECONDS,
                f"It opened after {failing:.2f} s of failures at {RATE} a second.",
            ),
            (
                hanging > MAX_HUNG_LIMITS * _HUNG_LIMIT_SECONDS,
                (
                    f"It opened {hanging:.2f} s after calls of "
                    f"{_HUNG_LIMIT_SECONDS:g} s began to hang."
                ),
            ),
            (passed > 0, f"{passed} calls went through an open circuit."),
            (
                max(ours, budgeted) > MAX_ATTEMPTS,
                f"A dead dependency got {max(ours, budgeted):.2f} attempts a request.",
            ),
        )
        if wrong
    ]
    return Outcome(
        lines=[
            f"closed     {closed:.2f} us a call; all around a call {everything:.1f} us",
            (
                f"opens      {failing:.2f} s after calls fail at {RATE} a second, "
                f"{hanging:.2f} s after they hang (limit {_HUNG_LIMIT_SECONDS:g} s)"
            ),
            f"open       {passed} calls of {_CALLS} went through",
            (
                f"attempts   {ours:.2f} a request to a dead dependency, {budgeted:.2f} "
                f"if its circuit only watches; {control:.2f} without both"
            ),
        ],
        faults=faults,
        figures={
            "closed_us": closed,
            "guarded_us": everything,
            "opens_seconds": failing,
            "opens_hanging_seconds": hanging,
            "passed_while_open": passed,
            "attempts_a_request": ours,
            "attempts_a_request_budget_alone": budgeted,
            "attempts_a_request_control": control,
        },
    )


async def closed_us() -> float:
    """What a closed circuit that somebody listens to adds to a call, in us."""
    breaker = Breaker("bench", listen=_hear)
    return await _added_us(CircuitBreaker(breaker, timeout_seconds=10.0))


async def guarded_us() -> float:
    """The same for the whole pipeline of a dependency that may be asked again."""
    guard = Guard(CARRIER, LIMITS[CARRIER], listen=_hear)
    return await _added_us(
        guard.around(timeout_seconds=5.0, total_seconds=10.0, failures=(OSError,))
    )


async def opens_after(call: Call, *, timeout_seconds: float) -> float:
    """How many seconds calls go out at the rate until the circuit is open."""
    guard = Guard(CARRIER, LIMITS[CARRIER])
    pipeline = guard.around(timeout_seconds=timeout_seconds, failures=(OSError,))
    began, sent, calls = monotonic(), 0, set[asyncio.Task[None]]()
    while guard.breaker.state is State.CLOSED:
        task = asyncio.create_task(_quietly(pipeline, call))
        calls.add(task)
        task.add_done_callback(calls.discard)
        sent += 1
        await asyncio.sleep(max(0.0, began + sent / RATE - monotonic()))
    seconds = monotonic() - began
    for task in calls:
        task.cancel()
    return round(seconds, 3)


async def passed_while_open() -> int:
    """How many of many calls reach a dependency whose circuit is open."""
    guard, dead = Guard(CARRIER, LIMITS[CARRIER]), Dead()
    guard.breaker.force(State.FORCED_OPEN)
    pipeline = guard.around(timeout_seconds=1.0, failures=(OSError,))
    for _ in range(_CALLS):
        with suppress(CircuitOpen):
            await pipeline(dead)
    return dead.asked


async def attempts(
    *, guarded: bool, watched: bool = False, requests: int = 500
) -> float:
    """How often a dead dependency is asked for each request.

    One that is only *watched* has a circuit that lets everything through: what is left
    is the budget for retries.
    """
    dead = Dead()
    retry = Retry(repeatable=True, attempts=3, sleep=_at_once)
    around: Around = retry
    if guarded:
        guard = Guard(CARRIER, LIMITS[CARRIER])
        guard.breaker.force(State.METRICS_ONLY if watched else None)
        around = guard.around(
            timeout_seconds=1.0,
            total_seconds=10.0,
            failures=(OSError,),
            unreachable=(ConnectionError,),
            again_after=(OSError,),
        )
    for _ in range(requests):
        await _quietly(around, dead)
    return dead.asked / requests


async def _added_us(around: Around) -> float:
    async def call() -> object:
        return None

    added = []
    for _ in range(_ROUNDS):
        began = monotonic()
        for _ in range(_CALLS):
            await call()
        bare = monotonic()
        for _ in range(_CALLS):
            await around(call)
        added.append((monotonic() - bare) - (bare - began))
    return round(median(added) / _CALLS * _MICROS, 3)


async def _quietly(around: Around, call: Call) -> None:
    with suppress(OSError, Rejected, TimedOut):
        await around(call)


async def _at_once(_: float) -> None:
    """Sleep without waiting."""


def _hear(_: object) -> None:
    """Somebody listens, as in the shop."""
