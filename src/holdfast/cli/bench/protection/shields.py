"""The ways in which a bare application is served: with protection, and without.

Protected means what the library has for any application, in its usual settings: a
budget of time, a limit on how many at once with a queue before it, and a gate in the
connection that watches the load and the line in front of the event loop.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, TypeAlias

from holdfast.api.doorstep import DOORSTEP
from holdfast.api.policy import Priority
from holdfast.api.protection.answers import Written, refusals
from holdfast.api.protection.gate import Refused
from holdfast.kernel.clock import monotonic
from holdfast.resilience import deadline
from holdfast.resilience.asgi import (
    App,
    Claim,
    LoadShed,
    Rejection,
    RequestDeadline,
    Scope,
    stack,
)
from holdfast.resilience.concurrency import Gradient, Limiter
from holdfast.resilience.events import LimiterCall
from holdfast.resilience.load import (
    COHORTS,
    Arrivals,
    Guard,
    Last,
    Looking,
    Monitor,
    Rate,
    Served,
    Signal,
    level_of,
    signals,
)

Shield: TypeAlias = Callable[
    [App], AbstractAsyncContextManager[tuple[App, dict[str, Any]]]
]
"""An application as long as it is protected; beside it, what the server's connections
are given as the state of its lifespan."""
_LIMITER = "all"
_TIER = Priority.BROWSE
_BUDGET_SECONDS = 0.25
_REQUEST_ID = b"0198c0de-0000-7000-8000-000000000000"


@asynccontextmanager
async def unprotected(app: App) -> AsyncIterator[tuple[App, dict[str, Any]]]:
    """The control: nothing around it."""
    yield app, {}


@asynccontextmanager
async def protected(app: App) -> AsyncIterator[tuple[App, dict[str, Any]]]:
    """The application behind everything."""
    flow = _Flow()
    limiter = flow.limiter = Limiter(_LIMITER, Gradient(), listen=flow.note)
    lag, cpu = Last(), Rate(time.process_time, timer=monotonic)
    guard = Guard(
        monitor=Monitor(
            [Signal("lag", lag, signals.LAG), Signal("cpu", cpu, signals.CPU)]
        ),
        arrivals=Arrivals(cpu=time.process_time, timer=monotonic),
        lag=lag,
        cpu=cpu,
        timer=monotonic,
        served=flow.served,
    )

    def look(late_seconds: float) -> None:
        limiter.note_lag(late_seconds)
        guard.look(late_seconds)

    looking = Looking(asyncio.get_running_loop(), look)
    try:
        yield (
            stack(
                app,
                Rejection,
                partial(RequestDeadline, seconds=_BUDGET_SECONDS),
                partial(LoadShed, classify=_claim, limiters={_LIMITER: limiter}),
            ),
            {DOORSTEP: Door(guard)},
        )
    finally:
        looking.stop()


class Door:
    """What the connection asks about each request; its own gate, too."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self.gate = self
        self.arrivals = guard.arrivals
        self._answers = Written(refusals(_TIER))

    def turn_away(
        self,
        method: bytes,
        target: bytes,
        headers: object,  # noqa: ARG002 - nobody here says who they are
        client: tuple[str, int] | None,
    ) -> Refused | int | None:
        """A refusal, or the level of a request that may pass."""
        level = _level(client)
        if self._guard.shedder.admits(level) and self.arrivals.has_room(_TIER):
            return level
        head, body = self._answers.answer(_REQUEST_ID)
        return Refused(
            head,
            body,
            method.decode(),
            target.decode(),
            _REQUEST_ID.decode(),
            is_logged=False,
            is_kept=True,
        )

    def spent(self) -> float:
        """Nothing: connections are kept, and none is made anew."""
        return 0.0


class _Flow:
    """What the limiter has let through."""

    limiter: Limiter

    def __init__(self) -> None:
        self._ended = self._rejected = 0

    def note(self, event: object) -> None:
        if isinstance(event, LimiterCall):
            self._rejected += event.outcome == "rejected"
            self._ended += event.outcome != "rejected"

    def served(self) -> Served:
        limiter = self.limiter
        served = self._ended + limiter.inflight
        arrived = served + self._rejected + limiter.waiting
        return Served(arrived, served, max(0.0, 1 - limiter.inflight / limiter.limit))


def _claim(scope: Scope) -> Claim:
    budget = deadline.current()
    due = None if budget is None else budget.due
    return Claim(_LIMITER, _level(scope["client"]), due)


def _level(client: tuple[str, int] | None) -> int:
    # Each connection is a client of its own.
    return level_of(_TIER, client[1] % COHORTS if client else 0)


SHIELDS: Mapping[str, Shield] = {"none": unprotected, "all": protected}
