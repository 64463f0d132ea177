"""What operators see of the load, and how they say otherwise than what is measured.

Reading costs no query, and changes go over a connection that only this uses: when
everything else waits, this must not. What is changed holds for all processes, within
a second.
"""

import os
from datetime import timedelta
from typing import Annotated, Any

import msgspec

from holdfast.api.policy import Kind
from holdfast.api.protection import load as loads
from holdfast.api.protection.extras import EXTRAS
from holdfast.api.protection.limits import KINDS, MOST, PREFIX, Algorithm, Rule
from holdfast.api.protection.load import ForcedLevel, Load, Shedding
from holdfast.api.protection.metrics_load import TIERS
from holdfast.api.shapes import invalid
from holdfast.api.shop import Shop
from holdfast.domain.identity import Caller, Origin
from holdfast.kernel.errors import NotFound
from holdfast.resilience.load import COHORTS, LEVELS
from holdfast.workflows.controls import ControlChanges

_LONGEST_SECONDS = 86_400
_USUAL_SECONDS = 600

Places = Annotated[int, msgspec.Meta(ge=1, le=MOST)]


class LimitNotFound(NotFound):
    """There is no limit of that name."""


class LoadLevel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A level to hold, and for how long, so that nobody has to remember it.

    0: nothing is switched off. 1, 2: extras go. 3: only buyers are served. 4: only
    those who are about to pay.
    """

    level: Annotated[int, msgspec.Meta(ge=0, le=loads.GATE_LEVEL)]
    seconds: Annotated[int, msgspec.Meta(ge=1, le=_LONGEST_SECONDS)] = _USUAL_SECONDS


class LoadShedding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`on`; `shadow`, to judge and count and turn nobody away; or `off`."""

    mode: Shedding


class LimitRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a limit is found, and what it stays within."""

    algorithm: Algorithm
    initial: Places | None = None
    least: Places | None = None
    most: Places | None = None


class SignalView(msgspec.Struct, frozen=True):
    """What is watched: the value as it was read, and its pressure from 0 to 1."""

    name: str
    value: float
    pressure: float


class LimitView(msgspec.Struct, frozen=True):
    """The limit of one kind of request, and who is under it now."""

    kind: Kind
    algorithm: Algorithm
    limit: int
    least: int
    most: int
    inflight: int
    waiting: int


class TierView(msgspec.Struct, frozen=True):
    """What came of the requests of a tier since the process started."""

    tier: str
    offered: int
    shed: int
    waiting: int


class ExtraView(msgspec.Struct, frozen=True):
    """Something answers can do without."""

    name: str
    off_from_level: int
    is_off: bool
    meaning: str


class ProcessView(msgspec.Struct, frozen=True):
    """Another process of the same machine, as it was half a second ago."""

    process: int
    level: int
    pressure: float
    shed_ratio: float
    inflight: int


class Protection(msgspec.Struct, frozen=True):
    """How this process fares, and what it does about it."""

    process: int
    shedding: Shedding
    level: int
    measured_level: int
    forced: ForcedLevel | None
    pressure: float
    signals: list[SignalView]
    shed_from_level: float
    shed_from_tier: str | None
    """The first tier that is turned away, in part or whole; null: nobody is."""
    shed_ratio: float
    line: int
    """Requests that have arrived and are not begun."""
    request_cpu_ms: float
    """CPU that a request takes on average."""
    limits: list[LimitView]
    tiers: list[TierView]
    extras: list[ExtraView]
    processes: list[ProcessView]


async def show(shop: Shop) -> Protection:
    """How this process fares: pressure, level, limits, and who is turned away.

    `processes` are all that share the socket, this one included.
    """
    return _view(shop)


async def force(
    shop: Shop, caller: Caller, origin: Origin, data: LoadLevel
) -> Protection:
    """Hold a level of load for a time, whatever is measured.

    Every process does within a second. At 3 and 4 it turns away who is not to be
    served; at 0 nothing is switched off.
    """
    until = shop.clock() + timedelta(seconds=data.seconds)
    forced = {"level": data.level, "until": until.isoformat()}
    await _set(shop, loads.LEVEL, forced, caller, origin)
    return _view(shop)


async def release(shop: Shop, caller: Caller, origin: Origin) -> Protection:
    """Go back to the level that is measured."""
    await _clear(shop, loads.LEVEL, caller, origin)
    return _view(shop)


async def set_shedding(
    shop: Shop, caller: Caller, origin: Origin, data: LoadShedding
) -> Protection:
    """Switch the shedding by load on or off, or only count whom it would shed.

    Limits of how many are served at once are apart: see the limits.
    """
    if data.mode == "on":
        await _clear(shop, loads.SHEDDING, caller, origin)
    else:
        await _set(shop, loads.SHEDDING, data.mode, caller, origin)
    return _view(shop)


async def set_limit(
    shop: Shop, caller: Caller, origin: Origin, kind: str, data: LimitRule
) -> Protection:
    """Say how many requests of a kind are served at once: bounds, or a fixed number.

    `off` is for an emergency in which the limit itself is wrong.
    """
    named = _kind(kind)
    rule = Rule(data.algorithm, data.initial, data.least, data.most)
    try:
        shop.load.limits.check(named, rule)
    except ValueError:
        raise invalid("/most", "1 <= least <= initial <= most must hold") from None
    said = msgspec.to_builtins(rule)
    await _set(shop, f"{PREFIX}{named}", said, caller, origin)
    return _view(shop)


async def clear_limit(
    shop: Shop, caller: Caller, origin: Origin, kind: str
) -> Protection:
    """Go back to the usual limit of a kind."""
    await _clear(shop, f"{PREFIX}{_kind(kind)}", caller, origin)
    return _view(shop)


def _kind(name: str) -> Kind:
    for kind in KINDS:
        if kind == name:
            return kind
    raise LimitNotFound


def _changes(shop: Shop) -> ControlChanges:
    return ControlChanges(shop.watching or shop.db, shop.vault, shop.clock)


async def _set(
    shop: Shop, name: str, value: Any, caller: Caller, origin: Origin
) -> None:
    await _changes(shop).set(name, value, actor=caller.actor, origin=origin)
    # The others look within half a second; this process need not wait to answer.
    await shop.controls.reread()


async def _clear(shop: Shop, name: str, caller: Caller, origin: Origin) -> None:
    await _changes(shop).clear(name, actor=caller.actor, origin=origin)
    await shop.controls.reread()


def _view(shop: Shop) -> Protection:
    load = shop.load
    guard, levels, shedder = load.guard, load.guard.levels, load.shedder
    threshold = shedder.threshold
    first = None
    if threshold < LEVELS and load.shedding != "off":
        first = TIERS[int(threshold) // COHORTS]
    return Protection(
        process=os.getpid(),
        shedding=load.shedding,
        level=levels.level,
        measured_level=levels.measured,
        forced=load.forced,
        pressure=round(guard.monitor.pressure, 3),
        signals=[
            SignalView(name, round(reading.value, 4), round(reading.pressure, 3))
            for name, reading in sorted(guard.monitor.readings.items())
        ],
        shed_from_level=round(threshold, 2),
        shed_from_tier=first,
        shed_ratio=round(shedder.controller.share, 4),
        line=guard.arrivals.unstarted,
        request_cpu_ms=round(guard.arrivals.cost_seconds * 1000, 3),
        limits=_limits(load),
        tiers=_tiers(load),
        extras=[
            ExtraView(e.name, e.until, not load.extras.has(e), e.meaning)
            for e in EXTRAS
        ],
        processes=_processes(shop),
    )


def _limits(load: Load) -> list[LimitView]:
    found = []
    for kind in KINDS:
        limiter, bounds = load.limiters[kind], load.limits.bounds(kind)
        found.append(
            LimitView(
                kind,
                load.limits.rules[kind].algorithm,
                limiter.limit,
                bounds.least,
                bounds.most,
                limiter.inflight,
                limiter.waiting,
            )
        )
    return found


def _tiers(load: Load) -> list[TierView]:
    shed = load.metrics.shed_by_tier()
    return [
        TierView(
            name,
            load.metrics.offered[tier],
            shed[name],
            sum(limiter.depth(tier) for limiter in load.limiters.values()),
        )
        for tier, name in enumerate(TIERS)
    ]


def _processes(shop: Shop) -> list[ProcessView]:
    """What each process has last handed to Prometheus."""
    found: dict[int, dict[str, float]] = {}
    for name, labels, value in shop.metrics.gauges("holdfast_"):
        values = found.setdefault(int(labels.get("pid", os.getpid())), {})
        if name == "holdfast_server_pressure":
            values["pressure"] = max(value, values.get("pressure", 0.0))
        elif name == "holdfast_concurrency_inflight":
            values["inflight"] = values.get("inflight", 0.0) + value
        else:
            values[name] = value
    return [
        ProcessView(
            process,
            int(values["holdfast_server_pressure_level"]),
            round(values.get("pressure", 0.0), 3),
            round(values.get("holdfast_shed_ratio", 0.0), 4),
            int(values.get("inflight", 0)),
        )
        for process, values in sorted(found.items())
        if "holdfast_server_pressure_level" in values
    ]
