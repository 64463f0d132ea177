"""The circuits of one process: what operators have said, what others have seen.

Each process judges for itself. Two things reach it from outside: what an operator puts
a circuit into (``controls``), and hints, by which processes that found a dependency
failing tell the others. A hint is a key in Redis that ends by itself: it makes another
process look carefully, and nothing more, so that without Redis nothing changes but that
each has to find out alone.
"""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Any, Protocol

import msgspec
import structlog

from holdfast.kernel.clock import Clock, Monotonic, monotonic, system_clock
from holdfast.platform import background, decisions
from holdfast.platform.circuit_metrics import CircuitMetrics
from holdfast.platform.dependencies import FIXED, REDIS, limits_of
from holdfast.platform.guard import Event, Guard, GuardStanding
from holdfast.resilience.circuit import State
from holdfast.resilience.events import (
    Attempted,
    BulkheadRefused,
    CircuitCall,
    CircuitMoved,
    FellBack,
    HeldBack,
    RetryRefused,
)

CONTROL = "circuit."
"""What the names of the controls of circuits begin with."""
TICK_SECONDS = 1.0
_KEY = "holdfast:circuit:"
_log = structlog.get_logger()


class Override(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an operator put a circuit into, and until when."""

    mode: State
    until: datetime | None = None


class Hints(Protocol):
    """Where processes leave each other a word; it may be lost at any time."""

    async def get(self, key: str) -> bytes | None: ...

    async def set(self, key: str, value: bytes, *, ttl_seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class CircuitStanding:
    """A circuit as this process knows it."""

    guard: GuardStanding
    override: Override | None
    reported_open: bool
    """Whether another process said within the last seconds that it is failing."""


class Circuits:
    """The guards of this process, one a dependency."""

    def __init__(
        self,
        names: Iterable[str] = FIXED,
        *,
        metrics: CircuitMetrics | None = None,
        bare: bool = False,
        clock: Clock = system_clock,
        timer: Monotonic = monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._metrics = metrics
        self._clock = clock
        self._me = secrets.token_hex(8).encode()
        self._overrides: dict[str, Override] = {}
        self._opened: dict[str, float] = {}
        self._reported: set[str] = set()
        self._guards = {
            name: Guard(
                name,
                limits_of(name),
                bare=bare,
                timer=timer,
                chance=chance,
                listen=self._hear,
            )
            for name in names
        }

    def __contains__(self, dependency: str) -> bool:
        return dependency in self._guards

    def __getitem__(self, dependency: str) -> Guard:
        return self._guards[dependency]

    def _hear(self, event: Event) -> None:
        if self._metrics is not None:
            self._metrics.count(event)
        match event:
            case CircuitCall(outcome="success") | Attempted(outcome="success"):
                # Nearly all of them.
                return
            case Attempted(dependency, outcome="retried"):
                decisions.note(f"retry:{dependency}=again")
            case RetryRefused(dependency):
                decisions.note(f"retry:{dependency}=refused")
            case CircuitCall(dependency, "rejected"):
                decisions.note(f"circuit:{dependency}=rejected")
            case BulkheadRefused(dependency):
                decisions.note(f"bulkhead:{dependency}=full")
            case HeldBack(dependency):
                decisions.note(f"throttle:{dependency}=held")
            case FellBack(dependency, way):
                decisions.note(f"fallback:{dependency}={way}")
            case CircuitMoved():
                self._moved(event)
            case _:
                pass

    def fell_back(self, dependency: str, way: str) -> None:
        """Something else was answered in the place of a dependency."""
        self._hear(FellBack(dependency, way))

    def _moved(self, event: CircuitMoved) -> None:
        if event.after == State.OPEN.value:
            self._opened[event.dependency] = event.open_seconds
        _log.warning(
            "circuit_moved",
            dependency=event.dependency,
            before=event.before,
            after=event.after,
            reason=event.reason,
            open_seconds=round(event.open_seconds, 3),
        )

    def override(self, values: Mapping[str, Any]) -> None:
        """Take what operators have said, by dependency; what makes no sense is left."""
        read: dict[str, Override] = {}
        for name, value in values.items():
            try:
                read[name] = msgspec.convert(value, Override)
            except msgspec.ValidationError as error:
                _log.warning("control_not_understood", circuit=name, error=str(error))
        self._overrides = read
        self._enforce()

    def _enforce(self) -> None:
        now = self._clock()
        for name, guard in self._guards.items():
            said = self._standing_override(name, now)
            left = inf
            if said is not None and said.until is not None:
                left = (said.until - now).total_seconds()
            try:
                guard.breaker.force(None if said is None else said.mode, seconds=left)
            except ValueError as error:
                _log.warning("control_not_understood", circuit=name, error=str(error))
                del self._overrides[name]

    def _standing_override(self, name: str, now: datetime) -> Override | None:
        said = self._overrides.get(name)
        if said is None or (said.until is not None and said.until <= now):
            return None
        return said

    def standings(self) -> dict[str, CircuitStanding]:
        """How every circuit stands, by dependency."""
        now = self._clock()
        return {
            name: CircuitStanding(
                guard.standing(),
                self._standing_override(name, now),
                name in self._reported,
            )
            for name, guard in self._guards.items()
        }

    def tick(self, now: float) -> None:
        """Notice what time alone changes; *now* is of the timer."""
        self._enforce()
        for guard in self._guards.values():
            guard.breaker.tick(now)
            if self._metrics is not None:
                self._metrics.show(guard.standing())

    async def exchange(self, hints: Hints) -> None:
        """Tell other processes what opened here, and hear what opened there."""
        opened, self._opened = self._opened, {}
        for name, seconds in opened.items():
            await hints.set(_KEY + name, self._me, ttl_seconds=seconds)
        reported = set()
        for name, guard in self._guards.items():
            # Whoever could be told so has Redis.
            said = None if name == REDIS else await hints.get(_KEY + name)
            if said is not None and said != self._me:
                reported.add(name)
                guard.breaker.hint()
        self._reported = reported

    async def follow(self, hints: Hints | None, timer: Monotonic = monotonic) -> None:
        """Do both for ever."""
        while True:
            try:
                self.tick(timer())
                if hints is not None:
                    await self.exchange(hints)
            except Exception as error:  # noqa: BLE001 - circuits work without it
                _log.warning("circuits_not_followed", error=repr(error))
            # Not all processes at the same instant.
            await asyncio.sleep(TICK_SECONDS * (0.8 + 0.4 * random.random()))  # noqa: S311


@asynccontextmanager
async def followed(
    circuits: Circuits, hints: Hints | None = None
) -> AsyncIterator[Circuits]:
    """*circuits*, kept up to date until the end."""
    following = asyncio.create_task(circuits.follow(hints), name="circuits")
    try:
        yield circuits
    finally:
        await background.end(following)
