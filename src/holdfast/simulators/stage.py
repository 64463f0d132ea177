"""What one call suffers: the scenario that is on, drawn for and played out.

Each call a scenario is for takes the same two numbers from its seeded dice,
whatever their outcome, so the same seed gives the same fates in the order in which
the calls arrive. Scenarios are not kept over a restart: a new process behaves.

Memory: for 10,000 keys, how often a request that misbehaves by itself was seen.
"""

import asyncio
import random
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import TypeAlias

from holdfast.simulators.clock import SECOND, Clock, instant_of
from holdfast.simulators.scenario import (
    Burst,
    Fail,
    Mishap,
    Outage,
    Scenario,
    StageState,
)
from holdfast.simulators.web import Door, Problem, Reply, Request

Sleep: TypeAlias = Callable[[float], Awaitable[object]]
"""Wait so many seconds."""

_SEEN_KEYS = 10_000
_GARBAGE = (
    b'{"id": "ch_\xff\xfe", "status": "capt',
    b"<!doctype html><title>Scheduled maintenance</title>",
    b'{"status": "purple", "amount": "lots", "rates": 7}',
)
"""Not text, not JSON, not the shape: three ways to be wrong, taken in turn."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What one call will suffer."""

    latency_seconds: float
    fail: Fail


_WELL = Fate(0, "none")


class Stage:
    """The scenario that is on, and how far it has got."""

    def __init__(
        self,
        *,
        on: Collection[str] = (),
        clock: Clock | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """*on*: the operations that a scenario is for when it names none."""
        self.sleep = sleep
        self.door: Door = _leave_open
        self._on = on
        self._clock = clock or Clock()
        self._garbled = self._lives = 0
        self._seen: OrderedDict[tuple[str, str], int] = OrderedDict()
        self.set(None)

    def set(self, scenario: Scenario | None) -> None:
        self._scenario = scenario
        seed = scenario.seed if scenario else 0
        self._dice = random.Random(seed)
        self._chances = random.Random(f"{seed}: what the simulator adds")
        self._since = self._full_at = self._clock.now()
        self._calls = self._struck = self._failed = self._garbled = 0
        self._seen.clear()
        self.door(is_open=True)
        outage = scenario.outage if scenario else None
        if outage and outage.how == "refuse":
            for moment in (outage.start, outage.end):
                due = instant_of(moment) if moment else self._since
                self._clock.at(due, lambda _: self._turn_door(outage))
            # What is due already is done now: the answer still goes out.
            self._clock.set()

    def begin_anew(self) -> None:
        """No scenario, and what is still on its way does not arrive any more."""
        self._lives += 1
        self.set(None)

    @property
    def scenario(self) -> Scenario | None:
        return self._scenario

    def use_door(self, door: Door) -> None:
        self.door = door

    def state(self) -> StageState:
        return StageState(self._scenario, self._calls, self._struck)

    def chance(self, rate: float) -> bool:
        """One more seeded draw, for what a simulator decides by itself."""
        return self._chances.random() < rate

    def fate(
        self, operation: str = "", *, mishap: Mishap | None = None, key: str = ""
    ) -> Fate:
        """What the scenario has for this call; *mishap* is the call's own."""
        scenario = self._scenario
        if scenario is None:
            self._calls += not self._on or operation in self._on
            return _WELL if mishap is None else self._own_fate(mishap, operation, key)
        if scenario.outage and self._within(scenario.outage):
            self._struck += 1
            refused = scenario.outage.how == "refuse"
            return Fate(0, "reset" if refused else "unavailable")
        if mishap is not None:
            return self._own_fate(mishap, operation, key)
        on = scenario.operations or self._on
        if on and operation not in on:
            return _WELL
        self._calls += 1
        return self._drawn_fate(scenario)

    def _drawn_fate(self, scenario: Scenario) -> Fate:
        latency, hit = _draw(scenario, self._dice)
        if self._over_limit(scenario):
            self._struck += 1
            return Fate(latency, "rate_limited")
        fail = scenario.fail
        if scenario.burst is not None:
            hit = hit and self._in_burst(scenario.burst)
            fail = "error" if fail == "none" else fail
        spent = scenario.count is not None and self._failed >= scenario.count
        if not hit or spent or fail == "none":
            return Fate(latency, "none")
        self._struck += 1
        self._failed += 1
        return Fate(latency, fail)

    def _own_fate(self, mishap: Mishap, operation: str, key: str) -> Fate:
        latency, hit = _draw(mishap, random.Random(mishap.seed))
        if mishap.count is not None:
            seen = self._seen.pop((operation, key), 0)
            self._seen[operation, key] = seen + 1
            if len(self._seen) > _SEEN_KEYS:
                self._seen.popitem(last=False)
            hit = hit and seen < mishap.count
        if not hit or mishap.fail == "none":
            return Fate(latency, "none")
        self._struck += 1
        return Fate(latency, mishap.fail)

    def _within(self, outage: Outage) -> bool:
        start = instant_of(outage.start) if outage.start else self._since
        return start <= self._clock.now() < instant_of(outage.end)

    def _turn_door(self, outage: Outage) -> None:
        # A scenario set meanwhile has opened the door and is to leave it so.
        if self._scenario is not None and self._scenario.outage is outage:
            self.door(is_open=not self._within(outage))

    def _in_burst(self, burst: Burst) -> bool:
        if burst.every_calls and burst.for_calls:
            return (self._calls - 1) % burst.every_calls < burst.for_calls
        gone_ms = max(0, self._clock.now() - self._since) // 1000
        return gone_ms % (burst.every_ms or 1) < (burst.for_ms or 0)

    def _over_limit(self, scenario: Scenario) -> bool:
        """A bucket of one second's calls, kept as the instant it is full again."""
        limit = scenario.rate_limit
        if limit is None:
            return False
        now = self._clock.now()
        full_at = max(self._full_at, now) + SECOND // limit.per_second
        if full_at > now + SECOND:
            return True
        self._full_at = full_at
        return False

    async def play(
        self, fate: Fate, request: Request, act: Callable[[], Reply]
    ) -> Reply | None:
        """Let *act* happen or not, and answer, as *fate* has it.

        Latency passes before anything is done, and a caller who leaves meanwhile
        does not stop it: that is what makes a timeout's outcome unknown.
        """
        if fate.latency_seconds:
            life = self._lives
            await self.sleep(fate.latency_seconds)
            if life != self._lives:
                raise Problem(503, "unavailable", "Started anew meanwhile.")
        if fate.fail == "none":
            return act()
        if fate.fail.endswith("_after"):
            act()
        match fate.fail:
            case "hang" | "hang_after":
                await request.gone()
                return None
            case "reset" | "reset_after":
                await request.reset()
                return None
            case "garbage" | "garbage_after":
                self._garbled += 1
                return Reply(200, _GARBAGE[(self._garbled - 1) % len(_GARBAGE)])
            case "unavailable":
                raise Problem(503, "unavailable", "Down for the time being.")
            case "rate_limited":
                problem = Problem(429, "rate-limited", "Too many requests.")
                problem.headers = ((b"retry-after", b"1"),)
                raise problem
            case _:
                return Reply(500, b"Internal Server Error", b"text/plain")


def _draw(mishap: Mishap, dice: random.Random) -> tuple[float, bool]:
    """Seconds, and whether it is to fail: always two numbers from the dice."""
    if mishap.latency_ms is None:
        dice.random()
        return 0.0, dice.random() < mishap.rate
    seconds = mishap.latency_ms.draw_seconds(dice)
    return seconds, dice.random() < mishap.rate


def _leave_open(*, is_open: bool) -> None:
    """There is no listener to close."""
