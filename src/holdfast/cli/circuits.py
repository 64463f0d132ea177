"""``holdfast circuits``: decide over circuits when the API cannot be asked to.

For whoever can reach the database; each change is in the security record. With a key
that may, ``/v1/protection/circuits`` does the same over HTTP and shows how calls fare,
which only the processes that make them know.
"""

import asyncio
import re
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table

from holdfast.cli.opened import opened
from holdfast.cli.running import settings_of_running_shop
from holdfast.kernel.clock import Clock, rfc3339, system_clock
from holdfast.platform import controls, dependencies
from holdfast.platform.circuits import CONTROL
from holdfast.platform.controls import Control
from holdfast.platform.settings import BadSettings
from holdfast.resilience.circuit import State
from holdfast.workflows.controls import ControlChanges

MODES = tuple(
    state.value for state in (State.FORCED_OPEN, State.DISABLED, State.METRICS_ONLY)
)
_ACTOR = "command_line"
_SPAN = re.compile(r"([1-9][0-9]{0,4})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def show() -> None:
    """List the circuits of the shop, and what operators have said of them."""
    said = {one.name: one for one in asyncio.run(_controls())}
    table = Table("dependency", "operators say", "until", "by", box=None)
    for name in dependencies.names(settings_of_running_shop()):
        control = said.get(CONTROL + name)
        value = {} if control is None else control.value
        table.add_row(
            name,
            value.get("mode", "its own"),
            value.get("until", ""),
            "" if control is None else control.updated_by,
        )
    Console(highlight=False).print(table)


def force(dependency: str, mode: str, lasts: str | None) -> None:
    """Put a circuit where you want it, in every process within a second."""
    _check(dependency)
    if mode not in MODES:
        raise BadSettings(f"A circuit can be {', '.join(MODES)}, and not {mode!r}.")
    value: dict[str, Any] = {"mode": mode}
    if lasts is not None:
        value["until"] = rfc3339(end_of(lasts, system_clock()))
    asyncio.run(_set(dependency, value, clock=system_clock))
    until = f" until {value['until']}" if lasts is not None else ""
    print(f"{dependency} is {mode} within a second{until}.")


def release(dependency: str) -> None:
    """Leave a circuit to itself again."""
    _check(dependency)
    if asyncio.run(_clear(dependency, clock=system_clock)):
        print(f"{dependency} is left to itself within a second.")
    else:
        print(f"Nobody had said anything about {dependency}.")


def end_of(lasts: str, now: datetime) -> datetime:
    """When a span such as 10m is over; ``BadSettings`` if it is none."""
    span = _SPAN.fullmatch(lasts)
    if span is None:
        raise BadSettings("--for is a span such as 30s, 10m, 2h or 1d")
    return now + timedelta(**{_UNITS[span[2]]: int(span[1])})


def _check(dependency: str) -> None:
    known = dependencies.names(settings_of_running_shop())
    if dependency not in known:
        raise BadSettings(
            f"There is no dependency {dependency!r}, but: {', '.join(known)}"
        )


async def _controls() -> list[Control]:
    async with opened() as (db, _):
        return await controls.browse(db)


async def _set(dependency: str, value: dict[str, Any], *, clock: Clock) -> None:
    async with opened() as (db, vault):
        changes = ControlChanges(db, vault, clock)
        await changes.set(CONTROL + dependency, value, actor=_ACTOR)


async def _clear(dependency: str, *, clock: Clock) -> bool:
    async with opened() as (db, vault):
        changes = ControlChanges(db, vault, clock)
        return await changes.clear(CONTROL + dependency, actor=_ACTOR)
