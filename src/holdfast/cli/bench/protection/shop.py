"""What is left of a whole shop at 2, 5 and 10 times its peak.

A shop of its own without protection, and one with it, one after the other. The peak is
that of the first.
"""

from collections.abc import Mapping, Sequence

from holdfast.cli.bench.protection.drive import drive
from holdfast.cli.bench.protection.mix import (
    EVERYTHING,
    LOADED,
    LOOKERS,
    MULTIPLES,
    ONSET,
    QUIET,
    Mix,
    Point,
)
from holdfast.cli.bench.protection.outcome import Outcome
from holdfast.cli.bench.protection.peaks import climb
from holdfast.cli.bench.protection.plan import Phase, Seen, worst_of
from holdfast.cli.bench.protection.rig import Rig
from holdfast.cli.bench.protection.shop_load import (
    CHECKOUT,
    PROXY,
    SHARES,
    Mall,
    Opened,
    rates,
)

PEAK = "peak of the shop"
"""Where the peak is kept for other measurements of the same run."""
_START_RATE = 100.0
_ONSET_SECONDS = 1.0
_SETTLE_SHARE = 0.25
_QUIET_SHARE = 0.5


async def measure(rig: Rig) -> Outcome:
    """Both shops, at every multiple."""
    mix = await measured(rig)
    return Outcome(mix.lines, mix.faults, mix.doubts, mix.figures)


async def measured(rig: Rig, multiples: Sequence[int] = MULTIPLES) -> Mix:
    """Both shops at *multiples*."""
    with rig.shop(**PROXY, HOLDFAST_PROTECTION="off") as instance:
        async with Opened(instance, rig) as mall:
            peak = await peak_of(mall)
            costs = await costs_of(mall, peak)
            control = await _points(mall, peak, multiples)
    with rig.shop(**PROXY) as instance:
        async with Opened(instance, rig) as mall:
            shielded = await _points(mall, peak, multiples)
    voids = worst_of(
        seen for point in (*control, *shielded) for seen in (point.quiet, point.loaded)
    )
    return Mix(peak, costs, control, shielded, voids)


async def peak_of(mall: Mall) -> float:
    """The highest rate of the mix that a shop keeps up with."""
    rig = mall.rig
    if PEAK not in rig.known:
        rig.tell("the peak of the shop")

        async def attempt(rate: float) -> Seen:
            await mall.rest()
            settle = Phase("settle", rig.seconds * _SETTLE_SHARE, rates(rate / 2))
            trial = Phase(f"{rate:,.0f} a second", rig.seconds, rates(rate))
            seen = await drive(await mall.plan([settle, trial]))
            return seen.report.phases[-1]

        rig.known[PEAK] = await climb(attempt, _START_RATE)
    return rig.known[PEAK]


async def costs_of(mall: Mall, peak: float) -> Mapping[str, Mapping[str, float]]:
    """CPU seconds that a request of each kind takes by itself: of the API, the rest.

    What a shop takes that nobody asks anything is not counted.
    """
    await mall.rest()
    seconds = mall.rig.seconds
    alone = [
        Phase(
            name,
            seconds,
            [peak * _QUIET_SHARE * SHARES[k] * (name == k) for k in SHARES],
        )
        for name in SHARES
    ]
    warm = Phase("warm", 1.0, rates(peak * _QUIET_SHARE))
    nobody = Phase("nobody", seconds, [0.0] * len(SHARES))
    plan = await mall.plan([warm, nobody, *alone])
    observed = await drive(plan, mall.clocks)
    _, idle = observed.named("nobody")
    costs = {}
    for name in SHARES:
        seen, spent = observed.named(name)
        count = max(seen.due, 1)
        each = {
            part: max(0.0, used - idle[part]) / count
            for part, used in spent.items()
            if part != "memory_mb"
        }
        api = each.pop("api", 0.0)
        costs[name] = {"api": api, "rest": sum(each.values())}
    return costs


async def _points(mall: Mall, peak: float, multiples: Sequence[int]) -> list[Point]:
    found = []
    for way in (EVERYTHING, LOOKERS):
        for multiple in multiples:
            mall.rig.tell(f"the shop at {multiple} times, {way}")
            found.append(await _point(mall, peak, way, multiple))
    return found


async def _point(mall: Mall, peak: float, way: str, multiple: int) -> Point:
    seconds, total = mall.rig.seconds, multiple * peak
    paying = None if way == EVERYTHING else peak * SHARES[CHECKOUT]
    load = rates(total, checkouts=paying)
    phases = [
        Phase(QUIET, seconds, rates(peak * _QUIET_SHARE)),
        Phase(ONSET, min(_ONSET_SECONDS, seconds), load),
        Phase(LOADED, seconds, load),
    ]
    await mall.rest()
    plan = await mall.plan(phases)
    return Point(way, multiple, await drive(plan, mall.clocks))
