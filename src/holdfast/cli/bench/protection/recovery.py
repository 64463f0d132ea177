"""How a shop comes back from a minute at ten times its peak, with clients who retry.

Before, and again afterwards, it is asked for seven tenths of its peak. Whoever is
refused or waits too long asks again, up to three times: half of them when they are told
to, half as soon as they like. As many pay all the time.
"""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import aiohttp

from holdfast.cli.bench.protection.drive import Observed, drive
from holdfast.cli.bench.protection.outcome import Outcome
from holdfast.cli.bench.protection.plan import BIN_SECONDS, Bin, Phase, worst_of
from holdfast.cli.bench.protection.rig import Rig
from holdfast.cli.bench.protection.shop import peak_of
from holdfast.cli.bench.protection.shop_load import (
    CHECKOUT,
    PROXY,
    SHARES,
    Mall,
    Opened,
    rates,
)

MAX_SECONDS = 5.0
"""After which it must do again what it did before."""
MAX_GROWN_MB = 50.0
MOST_IN_PROGRESS = 950
"""Four kinds of routes, each with at most 56 places and three times as many that wait
for one, and 50 more."""
ENOUGH = 0.95
"""Of what is due has to be OK, in every second that follows."""
_TIMES = 10
_CALM_SHARE = 0.7
_RETRIES = 3
_BEFORE, _FLOOD, _AFTER = "before", "flood", "after"
# 8 s a point is the minute that is wanted.
_FLOOD_POINTS = 7.5
_AFTER_POINTS = 2.5
_WINDOW_BINS = 4
_LOOK_SECONDS = 1.0
_PATIENCE_SECONDS = 5.0
_IN_PROGRESS = re.compile(
    r"^holdfast_http_requests_in_progress(?:{[^}]*})? ([0-9.]+)$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What came of one shop."""

    observed: Observed
    in_progress: int
    """Requests it was busy with, at most, as it says itself."""

    @property
    def seconds(self) -> float | None:
        """Until it was as before; None if it never was."""
        phases = self.observed.report.phases
        over = sum(seen.seconds for seen in phases[:2])
        ends = over + phases[2].seconds
        return recovered(self.observed.report.bins, over, ends)

    @property
    def grown_mb(self) -> float:
        """By how much the memory of the API grew in the flood."""
        return round(self.observed.spent[_FLOOD]["memory_mb"], 1)

    @property
    def figures(self) -> dict[str, object]:
        """For programs."""
        return {
            "seconds": self.seconds,
            "grown_mb": self.grown_mb,
            "in_progress": self.in_progress,
            "phases": self.observed.report.phases,
            "bins": self.observed.report.bins,
        }

    @property
    def line(self) -> str:
        """For people."""
        came = "not at all" if self.seconds is None else f"after {self.seconds:g} s"
        phases = ", ".join(
            f"{seen.name} {seen.ok_share:.0%}" for seen in self.observed.report.phases
        )
        return (
            f"as before {came}; OK: {phases}; memory +{self.grown_mb:g} MB, at most "
            f"{self.in_progress:,} requests in progress"
        )


def recovered(bins: Sequence[Bin], over: float, ends: float) -> float | None:
    """Seconds after *over* from which on every second was good, until *ends*."""
    first, last = int(over / BIN_SECONDS), int(ends / BIN_SECONDS)
    came = None
    for start in range(first, last - _WINDOW_BINS + 1):
        window = bins[start : start + _WINDOW_BINS]
        due = sum(quarter.due for quarter in window)
        good = due and sum(quarter.ok for quarter in window) >= ENOUGH * due
        if not good:
            came = None
        elif came is None:
            came = start * BIN_SECONDS - over
    return came


def faults_of(recovery: Recovery) -> list[str]:
    """Targets that a protected shop has missed."""
    found = []
    if recovery.seconds is None or recovery.seconds > MAX_SECONDS:
        found.append(f"It is {recovery.line.partition(';')[0]}.")
    if recovery.grown_mb > MAX_GROWN_MB:
        found.append(f"Its memory grows by {recovery.grown_mb:g} MB.")
    if recovery.in_progress > MOST_IN_PROGRESS:
        found.append(f"{recovery.in_progress:,} requests were in progress at once.")
    return found


async def measure(rig: Rig) -> Outcome:
    """A shop without protection, and one with it."""
    with rig.shop(**PROXY, HOLDFAST_PROTECTION="off") as instance:
        async with Opened(instance, rig) as mall:
            peak = await peak_of(mall)
            control = await measured(mall, peak)
    with rig.shop(**PROXY) as instance:
        async with Opened(instance, rig) as mall:
            shielded = await measured(mall, peak)
    phases = (*control.observed.report.phases, *shielded.observed.report.phases)
    return Outcome(
        lines=[f"protected  {shielded.line}", f"control    {control.line}"],
        faults=faults_of(shielded),
        voids=worst_of(phases),
        figures={
            "peak": peak,
            "protected": shielded.figures,
            "control": control.figures,
        },
    )


async def measured(mall: Mall, peak: float) -> Recovery:
    """One shop."""
    seconds = mall.rig.seconds
    mall.rig.tell(f"{seconds * _FLOOD_POINTS:.0f} s at {_TIMES} times the peak")
    paying = peak * _CALM_SHARE * SHARES[CHECKOUT]
    calm = rates(peak * _CALM_SHARE)
    phases = [
        Phase(_BEFORE, seconds, calm),
        Phase(_FLOOD, seconds * _FLOOD_POINTS, rates(peak * _TIMES, checkouts=paying)),
        Phase(_AFTER, seconds * _AFTER_POINTS, calm),
    ]
    await mall.rest()
    plan = await mall.plan(phases, retries=_RETRIES)
    async with asyncio.TaskGroup() as group:
        most = _Most(mall.instance.port)
        watching = group.create_task(most.watch())
        observed = await drive(plan, mall.clocks)
        watching.cancel()
    return Recovery(observed, most.in_progress)


class _Most:
    """Asks the shop's own metrics now and then; what it cannot tell is not counted."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/metrics"
        self.in_progress = 0

    async def watch(self) -> None:
        patient = aiohttp.ClientTimeout(total=_PATIENCE_SECONDS)
        async with aiohttp.ClientSession(trust_env=False, timeout=patient) as session:
            while True:
                with suppress(aiohttp.ClientError, TimeoutError):
                    async with session.get(self._url) as answer:
                        self._note(await answer.text())
                await asyncio.sleep(_LOOK_SECONDS)

    def _note(self, metrics: str) -> None:
        found = _IN_PROGRESS.search(metrics)
        if found is not None:
            self.in_progress = max(self.in_progress, int(float(found[1])))
