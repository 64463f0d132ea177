"""How the provider is told to misbehave, and what that means for one call.

A scenario is latency for every call and one failure for some of them. Each call
makes the same two draws from a seeded source, whatever their outcome, so the same
seed gives the same fates in the order in which the calls arrive. Scenarios are
not kept over a restart: a new process behaves.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

import msgspec

from holdfast.simulators.web import Reply, Request

Fail: TypeAlias = Literal[
    "none",
    "hang",
    "error",
    "garbage",
    "reset",
    "hang_after",
    "error_after",
    "garbage_after",
]
"""What goes wrong. Plain: nothing was done. ``_after``: it was done, then this."""

Sleep: TypeAlias = Callable[[float], Awaitable[object]]
"""Wait so many seconds."""

_Milliseconds: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=600_000)]

_GARBAGE = (
    b'{"id": "ch_\xff\xfe", "status": "capt',
    b"<!doctype html><title>Scheduled maintenance</title>",
    b'{"status": "purple", "amount": "lots", "rates": 7}',
)
"""Not text, not JSON, not the shape: three ways to be wrong, taken in turn."""


class Latency(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Milliseconds: ``fixed``, or drawn evenly between ``min`` and ``max``."""

    fixed: _Milliseconds | None = None
    min: _Milliseconds | None = None
    max: _Milliseconds | None = None

    def __post_init__(self) -> None:
        given = (self.fixed is not None, self.min is not None, self.max is not None)
        if given not in {(True, False, False), (False, True, True)}:
            raise ValueError("Give either fixed, or min and max")
        low, high = self.bounds
        if low > high:
            raise ValueError("min must not exceed max")

    @property
    def bounds(self) -> tuple[int, int]:
        if self.fixed is not None:
            return self.fixed, self.fixed
        return self.min or 0, self.max or 0


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """*latency_ms* is for every call; *fail* for a *rate* of them, *count* in all."""

    latency_ms: Latency | None = None
    fail: Fail = "none"
    rate: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    count: Annotated[int, msgspec.Meta(ge=0)] | None = None
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0


class StageState(msgspec.Struct, frozen=True):
    """*calls* and *struck* count from the moment the scenario was set."""

    scenario: Scenario | None
    calls: int
    struck: int


@dataclass(frozen=True, slots=True)
class Fate:
    """What one call will suffer."""

    latency_seconds: float
    fail: Fail


class Stage:
    """The scenario that is on, and how far it has got."""

    def __init__(self, *, sleep: Sleep = asyncio.sleep) -> None:
        self.sleep = sleep
        self.set(None)

    def set(self, scenario: Scenario | None) -> None:
        self._scenario = scenario
        self._dice = random.Random(scenario.seed if scenario else 0)
        self._calls = self._struck = self._garbled = 0

    def state(self) -> StageState:
        return StageState(self._scenario, self._calls, self._struck)

    def fate(self) -> Fate:
        self._calls += 1
        scenario = self._scenario
        if scenario is None:
            return Fate(0, "none")
        low, high = scenario.latency_ms.bounds if scenario.latency_ms else (0, 0)
        latency = self._dice.uniform(low, high) / 1000
        hit = self._dice.random() < scenario.rate
        spent = scenario.count is not None and self._struck >= scenario.count
        if not hit or spent or scenario.fail == "none":
            return Fate(latency, "none")
        self._struck += 1
        return Fate(latency, scenario.fail)

    async def play(
        self, fate: Fate, request: Request, act: Callable[[], Reply]
    ) -> Reply | None:
        """Let *act* happen or not, and answer, as *fate* has it.

        Latency passes before anything is done, and a caller who leaves meanwhile
        does not stop it: that is what makes a timeout's outcome unknown.
        """
        if fate.latency_seconds:
            await self.sleep(fate.latency_seconds)
        if fate.fail == "none":
            return act()
        if fate.fail.endswith("_after"):
            act()
        match fate.fail:
            case "hang" | "hang_after":
                await request.gone()
                return None
            case "reset":
                await request.reset()
                return None
            case "garbage" | "garbage_after":
                self._garbled += 1
                return Reply(200, _GARBAGE[(self._garbled - 1) % len(_GARBAGE)])
            case _:
                return Reply(500, b"Internal Server Error", b"text/plain")
