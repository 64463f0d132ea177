"""What stands around calls to others: how it stands, and what operators make of it.

Each process judges by its own calls, so what is shown is what the process that answers
has seen; what others found failing is marked. What an operator says holds for all,
API and workers, within a second.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec

from holdfast.api.listing import Listing
from holdfast.api.shapes import invalid
from holdfast.api.shop import Shop
from holdfast.domain.identity import Caller, Origin
from holdfast.kernel.clock import rfc3339
from holdfast.kernel.errors import NotFound
from holdfast.kernel.moments import OFF_CALENDAR, on_calendar
from holdfast.platform.circuits import CONTROL, CircuitStanding
from holdfast.workflows.controls import ControlChanges

_PLACES = 4


@dataclass(eq=False)
class CircuitNotFound(NotFound):
    """The shop has no dependency of this name."""


Mode = Annotated[
    Literal["forced_open", "disabled", "metrics_only"],
    msgspec.Meta(
        description="`forced_open` refuses all calls; `disabled` lets them through and "
        "looks away; `metrics_only` lets them through, watches, and says when it would "
        "have opened."
    ),
]
Until = Annotated[
    datetime,
    msgspec.Meta(tz=True, description="When it ends by itself; it does not otherwise."),
]


class CircuitWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to put a circuit into, in every process."""

    mode: Mode
    until: Until | None = None


class CircuitOverride(msgspec.Struct, frozen=True):
    """What an operator has put a circuit into."""

    mode: Mode
    until: datetime | None


class CircuitView(msgspec.Struct, frozen=True):
    """Calls to one dependency, as the process that answers has seen them."""

    dependency: str
    alias: str
    """What clients are told instead."""
    state: Literal[
        "closed", "open", "half_open", "forced_open", "disabled", "metrics_only"
    ]
    since: datetime
    open_for_seconds: float
    """How much longer it is open."""
    reported_open: bool
    """Another process found it failing a moment ago."""
    override: CircuitOverride | None
    calls: int
    """That ended within ten seconds."""
    failure_ratio: float
    slow_ratio: float
    probing: int
    """Calls that find out whether it is well again."""
    held_back_ratio: float
    """Which share of calls is not sent, because most are turned away."""
    in_use: int
    waiting: int
    places: int
    """How many calls there may be at a time; those who wait are not among them."""
    retries_left: int

    @classmethod
    def of(cls, standing: CircuitStanding, alias: str, now: datetime) -> "CircuitView":
        guard, circuit = standing.guard, standing.guard.circuit
        said = standing.override
        return cls(
            dependency=circuit.dependency,
            alias=alias,
            state=circuit.state.value,
            since=now - timedelta(seconds=round(circuit.since_seconds, 3)),
            open_for_seconds=round(circuit.open_seconds, 3),
            reported_open=standing.reported_open,
            override=None
            if said is None
            else CircuitOverride(said.mode.value, said.until),  # type: ignore[arg-type]
            calls=circuit.calls,
            failure_ratio=round(circuit.failure_ratio, _PLACES),
            slow_ratio=round(circuit.slow_ratio, _PLACES),
            probing=circuit.probing,
            held_back_ratio=round(guard.held_back_share, _PLACES),
            in_use=guard.in_use,
            waiting=guard.waiting,
            places=guard.concurrent,
            retries_left=guard.retry_tokens,
        )


async def browse(shop: Shop) -> Listing[CircuitView]:
    """The circuits to whom the shop calls, as this process sees them."""
    now = shop.clock()
    views = [
        CircuitView.of(standing, shop.circuits[name].limits.alias, now)
        for name, standing in shop.circuits.standings().items()
    ]
    return Listing(views, None)


async def force(
    shop: Shop, caller: Caller, origin: Origin, dependency: str, data: CircuitWanted
) -> CircuitOverride:
    """Put a circuit where you want it, in every process within a second."""
    _check(shop, dependency)
    if data.until is not None and data.until <= shop.clock():
        raise invalid("/until", "That is over already")
    if data.until is not None and not on_calendar(data.until):
        raise invalid("/until", OFF_CALENDAR.capitalize())
    value: dict[str, Any] = {"mode": data.mode}
    if data.until is not None:
        value["until"] = rfc3339(data.until)
    await _changes(shop).set(
        CONTROL + dependency, value, actor=caller.actor, origin=origin
    )
    return CircuitOverride(data.mode, data.until)


async def release(shop: Shop, caller: Caller, origin: Origin, dependency: str) -> None:
    """Leave a circuit to itself again; it begins closed, with nothing counted."""
    _check(shop, dependency)
    await _changes(shop).clear(CONTROL + dependency, actor=caller.actor, origin=origin)


def _check(shop: Shop, dependency: str) -> None:
    if dependency not in shop.circuits:
        raise CircuitNotFound


def _changes(shop: Shop) -> ControlChanges:
    return ControlChanges(shop.db, shop.vault, shop.clock)
