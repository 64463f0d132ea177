"""What is left of bare applications at 2, 5 and 10 times their peak.

The peak is that of the application without protection: the highest rate of which 99 in
a hundred are OK within a quarter of a second, and go on to be. Then the same
application, each time in a fresh server, is asked for a multiple of that, with
protection and without. Goodput is what is OK in time, as a share of the peak.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from holdfast.cli.bench.connection import get
from holdfast.cli.bench.protection.drive import Observed, drive
from holdfast.cli.bench.protection.handlers import HANDLERS, Handler
from holdfast.cli.bench.protection.outcome import Outcome
from holdfast.cli.bench.protection.peaks import ENOUGH, peak
from holdfast.cli.bench.protection.plan import Kind, Phase, Plan, Seen, worst_of
from holdfast.cli.bench.protection.rig import Rig
from holdfast.cli.bench.protection.server import Ended, Serving, Told, serving

MULTIPLES = (2, 5, 10)
WANTED: Mapping[str, Mapping[int, float]] = {
    "w20": {2: 0.97, 5: 0.92, 10: 0.85},
    "w5": {2: 0.92, 5: 0.85, 10: 0.75},
    "io": {10: 0.95},
}
"""The share of its peak that must be left of each application at each multiple."""
COLLAPSED = 0.2
"""What the control keeps at ten times at most, or the load was none."""
MAX_ADDED_MS = 50.0
"""By how much those who are served may wait longer at five times."""
CONTROL, SHIELDED = "none", "all"
_QUIET, _ONSET, _LOADED = "quiet", "onset", "loaded"
_QUIET_SHARE = 0.5
_ONSET_SECONDS = 1.0
_SETTLE_SHARE = 0.25
_LOOK = Kind("look", [get("/")])


@dataclass(frozen=True, slots=True)
class Point:
    """One application at one multiple of its peak."""

    multiple: int
    observed: Observed
    told: Told

    @property
    def grown_mb(self) -> float:
        """By how much its memory grew under load."""
        under_load = (_ONSET, _LOADED)
        spent = self.observed.spent
        return round(sum(spent[name]["memory_mb"] for name in under_load), 1)

    @property
    def quiet(self) -> Seen:
        """At half of the peak, before."""
        return self.observed.report.named(_QUIET)

    @property
    def loaded(self) -> Seen:
        return self.observed.report.named(_LOADED)

    @property
    def wasted(self) -> float:
        """The share of all work that was done for clients who had left."""
        answered = sum(phase.kinds[0].served_count for phase in self._phases)
        return 1 - min(1.0, answered / max(self.told.worked, 1))

    @property
    def costs(self) -> list[tuple[int, int, float]]:
        """How many were served and refused in each phase, and the CPU of that."""
        return [
            (
                phase.kinds[0].served_count,
                phase.refused,
                self.observed.spent[phase.name]["server"],
            )
            for phase in self._phases
        ]

    @property
    def _phases(self) -> Sequence[Seen]:
        return self.observed.report.phases


@dataclass(frozen=True, slots=True)
class Curve:
    """One application under one shield, at all multiples."""

    points: Sequence[Point]

    def at(self, multiple: int) -> Point:
        return next(point for point in self.points if point.multiple == multiple)

    @property
    def refusal_us(self) -> float | None:
        """CPU that a refusal takes: what explains best the CPU of all phases."""
        return cost_of_refusal([cost for point in self.points for cost in point.costs])


@dataclass(frozen=True, slots=True)
class Goodput:
    """What came of one application."""

    handler: Handler
    peak: float
    control: Curve
    shielded: Curve
    voids: Sequence[str] = field(default_factory=list)

    def share(self, point: Point) -> float:
        """Of the peak."""
        return point.loaded.goodput / self.peak

    @property
    def faults(self) -> list[str]:
        """Targets that were missed."""
        title = self.handler.title
        found = []
        for multiple, wanted in WANTED[self.handler.name].items():
            for point in self.shielded.points:
                share = self.share(point)
                if point.multiple == multiple and share < wanted:
                    found.append(
                        f"{title}: {share:.0%} of its peak is left at {multiple} "
                        f"times, and {wanted:.0%} are wanted."
                    )
        found += [
            f"{title}: those who are served at 5 times wait up to "
            f"{point.loaded.kinds[0].served.p99:.0f} ms (p99), and without load "
            f"{point.quiet.kinds[0].served.p99:.0f}."
            for point in self.shielded.points
            if point.multiple == MULTIPLES[1] and added_ms(point) > MAX_ADDED_MS
        ]
        for point in self.shielded.points:
            errors = point.loaded.kinds[0].errors
            found += [f"{title}: {n} x {error}" for error, n in errors.items()]
        return found

    @property
    def doubts(self) -> list[str]:
        """Why its figures prove nothing, if so."""
        title = self.handler.title
        stands = [
            f"{title}: without protection {self.share(point):.0%} of the "
            f"peak is left at {point.multiple} times, so this is no overload."
            for point in self.control.points
            if point.multiple == MULTIPLES[-1] and self.share(point) > COLLAPSED
        ]
        points = (*self.control.points, *self.shielded.points)
        calm = min(point.quiet.ok_share for point in points)
        restless = []
        if calm < ENOUGH:
            restless = [f"{title}: at half of its peak {calm:.0%} were OK once."]
        voids = [f"{title}: {void}" for void in self.voids]
        return [*voids, *restless, *stands]


def added_ms(point: Point) -> float:
    """How much longer those who are served wait under load, in the last hundredth."""
    return point.loaded.kinds[0].served.p99 - point.quiet.kinds[0].served.p99


def cost_of_refusal(phases: Sequence[tuple[int, int, float]]) -> float | None:
    """Microseconds of CPU, by least squares over *(served, refused, CPU seconds)*.

    None where nothing was refused, or where it cannot be told from serving.
    """
    ss = sum(served * served for served, _, _ in phases)
    rr = sum(refused * refused for _, refused, _ in phases)
    sr = sum(served * refused for served, refused, _ in phases)
    sc = sum(served * spent for served, _, spent in phases)
    rc = sum(refused * spent for _, refused, spent in phases)
    determinant = ss * rr - sr * sr
    if not determinant:
        return None
    return (ss * rc - sr * sc) / determinant * 1e6


async def measure(rig: Rig) -> Outcome:
    """All applications."""
    found = []
    for handler in HANDLERS.values():
        rig.tell(f"goodput of {handler.title}")
        found.append(await measured(rig, handler))
    return outcome(found)


async def measured(
    rig: Rig, handler: Handler, multiples: Sequence[int] = MULTIPLES
) -> Goodput:
    """One application, at all *multiples*, with protection and without."""
    highest = await _peak(rig, handler)
    curves = {}
    for shield in (CONTROL, SHIELDED):
        points = []
        for multiple in multiples:
            rig.tell(f"{handler.title} at {multiple} times, protection: {shield}")
            points.append(await _point(rig, handler, shield, highest, multiple))
        curves[shield] = Curve(points)
    voids = worst_of(
        seen
        for curve in curves.values()
        for point in curve.points
        for seen in (point.quiet, point.loaded)
    )
    return Goodput(handler, highest, curves[CONTROL], curves[SHIELDED], voids)


async def _peak(rig: Rig, handler: Handler) -> float:
    with serving(handler.name, CONTROL, rig.cores) as server:

        async def attempt(rate: float) -> Seen:
            settle = Phase("settle", rig.seconds * _SETTLE_SHARE, [rate / 2])
            trial = Phase(f"{rate:,.0f} a second", rig.seconds, [rate])
            seen = await drive(_plan(rig, server, [settle, trial]))
            return seen.report.phases[-1]

        return await peak(attempt, handler.rate)


async def _point(
    rig: Rig, handler: Handler, shield: str, highest: float, multiple: int
) -> Point:
    ended, onset = Ended(), min(_ONSET_SECONDS, rig.seconds)
    loaded = multiple * highest
    phases = [
        Phase(_QUIET, rig.seconds, [highest * _QUIET_SHARE]),
        Phase(_ONSET, onset, [loaded]),
        Phase(_LOADED, rig.seconds, [loaded]),
    ]
    with serving(handler.name, shield, rig.cores, ended) as server:
        seen = await drive(_plan(rig, server, phases), server.clocks)
    assert ended.told is not None  # noqa: S101 - or the context had raised
    return Point(
        multiple,
        seen,
        ended.told,
    )


def _plan(rig: Rig, server: Serving, phases: list[Phase]) -> Plan:
    return Plan(
        "127.0.0.1",
        server.port,
        [_LOOK],
        phases,
        connections=rig.connections,
        poisson=rig.poisson,
        core=rig.cores.load,
    )


def outcome(found: Sequence[Goodput]) -> Outcome:
    """For people and for programs."""
    return Outcome(
        lines=[line for goodput in found for line in _lines(goodput)],
        faults=[fault for goodput in found for fault in goodput.faults],
        voids=[doubt for goodput in found for doubt in goodput.doubts],
        figures={goodput.handler.name: _figures(goodput) for goodput in found},
    )


def _lines(goodput: Goodput) -> list[str]:
    lines = [f"{goodput.handler.title}: peak {goodput.peak:,.0f} a second"]
    for name, curve in (
        ("protected", goodput.shielded),
        ("control", goodput.control),
    ):
        shares = ", ".join(
            f"{goodput.share(point):.0%} at {point.multiple} x"
            for point in curve.points
        )
        waits = "; ".join(
            f"{point.loaded.kinds[0].served.p50:,.0f} / "
            f"{point.loaded.kinds[0].served.p99:,.0f}"
            for point in curve.points
        )
        quiet = curve.points[0].quiet.kinds[0].served
        lines.append(
            f"  {name:9}  {shares}; p50 / p99 of the served {waits} ms, "
            f"quiet {quiet.p50:,.0f} / {quiet.p99:,.0f}"
        )
    cost = goodput.shielded.refusal_us
    if cost is not None:
        lines.append(f"  a refusal takes {cost:,.0f} us of CPU")
    wasted = [
        f"{point.wasted:.0%} at {point.multiple} x" for point in goodput.control.points
    ]
    lines.append(f"  work of the control for nobody: {', '.join(wasted)}")
    return lines


def _figures(goodput: Goodput) -> dict[str, object]:
    return {
        "peak": goodput.peak,
        **{
            name: {
                f"{point.multiple}": {
                    "share": goodput.share(point),
                    "loaded": point.loaded,
                    "quiet": point.quiet,
                    "added_p99_ms": added_ms(point),
                    "server": point.told,
                    "wasted": point.wasted,
                    "grown_mb": point.grown_mb,
                }
                for point in curve.points
            }
            for name, curve in (
                ("protected", goodput.shielded),
                ("control", goodput.control),
            )
        },
        "refusal_us": goodput.shielded.refusal_us,
    }
