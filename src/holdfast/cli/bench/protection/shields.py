"""The ways in which a bare application is served: with protection, and without.

Protected means what the library has for any application, in its usual settings: a
budget of time, a limit on how many at once with a queue before it, and a gate in the
connection that watches the load and the line in front of the event loop.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, TypeAlias

from holdfast.api.doorstep import DOORSTEP, Doorstep
from holdfast.api.policy import Priority
from holdfast.api.protection.addresses import Addresses
from holdfast.api.protection.answers import Written, refusals
from holdfast.api.protection.gate import Gate, Refused
from holdfast.kernel.clock import monotonic
from holdfast.platform.metrics import Metrics
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
from holdfast.resilience.concurrency import (
    PATIENT_SECONDS,
    Gradient,
    Limiter,
    Permit,
    Queue,
)
from holdfast.resilience.load import (
    Arrivals,
    Guard,
    Last,
    Looking,
    Monitor,
    Rate,
    Served,
    Signal,
    cohort_of,
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
# CPU of a refusal in what the server does around it.
_AROUND_SECONDS = 0.000_040
_REQUEST_ID = b"0198c0de-0000-7000-8000-000000000000"


@asynccontextmanager
async def unprotected(app: App) -> AsyncIterator[tuple[App, dict[str, Any]]]:
    """The control: nothing around it."""
    yield app, {}


@asynccontextmanager
async def protected(app: App) -> AsyncIterator[tuple[App, dict[str, Any]]]:
    """The application behind everything."""
    # The only queue there is, as in the shop.
    patient = Queue[asyncio.Future[Permit]](target_seconds=PATIENT_SECONDS)
    limiter = Limiter(_LIMITER, Gradient(), queue=patient)
    lag, cpu = Last(), Rate(time.process_time, timer=monotonic)
    guard = Guard(
        monitor=Monitor(
            [
                Signal("lag", lag, signals.LAG),
                Signal("cpu", cpu, signals.CPU, most=signals.BUSY),
            ]
        ),
        arrivals=Arrivals(cpu=time.process_time, timer=monotonic),
        lag=lag,
        cpu=cpu,
        timer=monotonic,
        served=partial(_served, limiter),
    )

    def look(late_seconds: float) -> None:
        limiter.note_lag(late_seconds)
        guard.look(late_seconds)

    gate = BareGate(guard)
    looking = Looking(asyncio.get_running_loop(), look)
    try:
        yield (
            stack(
                app,
                Rejection,
                partial(RequestDeadline, seconds=_BUDGET_SECONDS),
                partial(LoadShed, classify=_claim, limiters={_LIMITER: limiter}),
            ),
            {
                DOORSTEP: Doorstep(
                    [], metrics=Metrics({}), log=None, addresses=_Ports(), gate=gate
                )
            },
        )
    finally:
        looking.stop()


class BareGate(Gate):
    """The gate of the shop, without a shop: all requests are of one tier."""

    def __init__(self, guard: Guard) -> None:  # none of what a shop has
        self._guard = guard
        self._answer = Written(refusals(_TIER))
        self._spent_seconds = 0.0

    @property
    def arrivals(self) -> Arrivals:
        return self._guard.arrivals

    @property
    def is_flooded(self) -> bool:
        """No: there is nothing to be found out of a request that takes time."""
        return False

    def judge(
        self,
        method: bytes,
        target: bytes,
        headers: object,  # noqa: ARG002 - nobody here says who they are
        address: str | None,
        *,
        level: int | None = None,
    ) -> Refused | int | None:
        """A refusal, or the level of a request that may pass."""
        level = _level(address)
        if self._guard.shedder.admits(level) and self.arrivals.has_room(_TIER):
            return level
        began = monotonic()
        head, body = self._answer.answer(_REQUEST_ID)
        refused = Refused(
            head,
            body,
            method.decode(),
            target.decode(),
            _REQUEST_ID.decode(),
            is_logged=False,
            is_kept=True,
        )
        spent = monotonic() - began + _AROUND_SECONDS
        self._spent_seconds += spent
        self.arrivals.spent(spent)
        return refused

    def paused(self) -> None:
        """Nobody counts it here."""


def _served(limiter: Limiter) -> Served:
    """What the limiter has let through."""
    rejected = limiter.totals["rejected"]
    served = sum(limiter.totals.values()) - rejected + limiter.inflight
    arrived = served + rejected + limiter.waiting
    return Served(arrived, served, max(0.0, 1 - limiter.inflight / limiter.limit))


def _claim(scope: Scope) -> Claim:
    budget = deadline.current()
    due = None if budget is None else budget.due
    return Claim(_LIMITER, _level(_Ports().of(scope["client"], ())), due)


class _Ports(Addresses):
    """Each connection is a client of its own."""

    def of(
        self,
        peer: tuple[str, int] | None,
        headers: Iterable[tuple[bytes, bytes]],  # noqa: ARG002 - nobody says who they are
    ) -> str | None:
        return str(peer[1]) if peer else None


def _level(port: str | None) -> int:
    return level_of(_TIER, cohort_of((port or "").encode(), 0.0))


SHIELDS: Mapping[str, Shield] = {"none": unprotected, "all": protected}
