"""What came of a shop under load, and what is wanted of it.

Two ways to ask for more than a shop can do. Everything grows: of 70 % looking, 20 %
searching and 10 % paying there is so many times as much. Lookers grow: as many pay as
at the peak, and everybody else is more. What is more important is served first, so in
the first case the shop does fewer things that take longer: there goodput is told by
the work that it is (CPU of all servers, as each kind took it by itself), beside the
bare count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from holdfast.cli.bench.protection.drive import Observed
from holdfast.cli.bench.protection.goodput import COLLAPSED, MAX_ADDED_MS
from holdfast.cli.bench.protection.peaks import ENOUGH
from holdfast.cli.bench.protection.plan import Count, Seen
from holdfast.cli.bench.protection.shop_load import CHECKOUT, SHARES

EVERYTHING: Final = "everything grows"
LOOKERS: Final = "lookers grow"
MULTIPLES: Final = (2, 5, 10)
QUIET, ONSET, LOADED = "quiet", "onset", "loaded"
WANTED: Final = 0.8
"""Of the peak, at ten times."""
WANTED_CHECKOUTS: Final = 0.99
FITS: Final = 0.8
"""Of a core: what checkouts need in all to be able to be served beside others."""
_SLOW_AT, _MOST = 5, 10


@dataclass(frozen=True, slots=True)
class Point:
    """A shop at one multiple of its peak."""

    way: str
    multiple: int
    observed: Observed

    @property
    def quiet(self) -> Seen:
        return self.observed.report.named(QUIET)

    @property
    def loaded(self) -> Seen:
        return self.observed.report.named(LOADED)

    @property
    def checkouts(self) -> Count:
        """Under load."""
        return self.loaded.kind(CHECKOUT)

    @property
    def added_ms(self) -> Mapping[str, float]:
        """How much longer those wait who are served, in the last hundredth."""
        return {
            kind.name: kind.served.p99 - self.quiet.kind(kind.name).served.p99
            for kind in self.loaded.kinds
            if kind.ok
        }


@dataclass(frozen=True, slots=True)
class Mix:
    """What came of it, with protection and without."""

    peak: float
    costs: Mapping[str, Mapping[str, float]]
    """CPU seconds of one request of each kind, by the core that they are spent on."""
    control: Sequence[Point]
    shielded: Sequence[Point]
    voids: Sequence[str] = field(default_factory=list)

    def share(self, point: Point) -> float:
        """Of the peak, by count."""
        return point.loaded.goodput / self.peak

    def work_share(self, point: Point) -> float:
        """Of the peak, by the work that it is."""
        done = sum(kind.ok * self._work(kind.name) for kind in point.loaded.kinds)
        most = sum(
            self.peak * share * self._work(name) for name, share in SHARES.items()
        )
        return done / point.loaded.seconds / max(most, 1e-9)

    def fits(self, point: Point) -> bool:
        """Whether those who pay could be served, if nobody else were."""
        rate = point.checkouts.due / point.loaded.seconds
        return all(rate * cost <= FITS for cost in self.costs[CHECKOUT].values())

    @property
    def faults(self) -> list[str]:
        """Targets that were missed."""
        found = []
        for point in self.shielded:
            where = f"{point.way}, {point.multiple} times"
            share, of = self.share(point), "of the peak"
            if point.way == EVERYTHING:
                share, of = self.work_share(point), "of the peak's work"
            if point.multiple == _MOST and share < WANTED:
                found.append(
                    f"{where}: {share:.0%} {of} is left, and {WANTED:.0%} are wanted."
                )
            paid = point.checkouts.ok_share
            if self.fits(point) and paid < WANTED_CHECKOUTS:
                found.append(f"{where}: {paid:.1%} of those who pay are served.")
            if point.multiple == _SLOW_AT:
                found += [
                    f"{where}: {name} takes {added:.0f} ms longer than in quiet (p99)."
                    for name, added in point.added_ms.items()
                    if added > MAX_ADDED_MS
                ]
            found += [
                f"{where}: {number} x {error}"
                for kind in point.loaded.kinds
                for error, number in kind.errors.items()
            ]
        return found

    @property
    def doubts(self) -> list[str]:
        """Why its figures prove nothing, if so."""
        stands = [
            f"Without protection {self.share(point):.0%} of the peak is left when "
            f"{point.way}, {point.multiple} times: this is no overload."
            for point in self.control
            if point.multiple == _MOST and self.share(point) > COLLAPSED
        ]
        calm = min(
            (point.quiet.ok_share for point in (*self.control, *self.shielded)),
            default=1.0,
        )
        restless = []
        if calm < ENOUGH:
            restless = [f"At half of the peak no more than {calm:.0%} were OK once."]
        return [*self.voids, *restless, *stands]

    @property
    def lines(self) -> list[str]:
        """For people."""
        each = ", ".join(
            f"{name} {sum(costs.values()) * 1e6:,.0f}"
            for name, costs in self.costs.items()
        )
        lines = [
            f"peak {self.peak:,.0f} a second; CPU of all servers for each in us: {each}"
        ]
        for way in (EVERYTHING, LOOKERS):
            lines.append(way)
            for name, points in (
                ("protected", self.shielded),
                ("control", self.control),
            ):
                lines += [
                    f"  {name:9}  {self._line(point)}"
                    for point in points
                    if point.way == way
                ]
        return lines

    @property
    def figures(self) -> dict[str, object]:
        """For programs."""
        return {
            "peak": self.peak,
            "cpu_seconds": self.costs,
            **{
                name: [
                    {
                        "way": point.way,
                        "multiple": point.multiple,
                        "share": self.share(point),
                        "work_share": self.work_share(point),
                        "checkouts_fit": self.fits(point),
                        "loaded": point.loaded,
                        "quiet": point.quiet,
                        "cpu": point.observed.spent[LOADED],
                    }
                    for point in points
                ]
                for name, points in (
                    ("protected", self.shielded),
                    ("control", self.control),
                )
            },
        }

    def _line(self, point: Point) -> str:
        p99 = " / ".join(
            f"{kind.served.p99:,.0f}" if kind.ok else "-" for kind in point.loaded.kinds
        )
        fits = "" if self.fits(point) else " (more than can be)"
        return (
            f"{point.multiple:2} x: {self.share(point):4.0%} by count, "
            f"{self.work_share(point):4.0%} by work; checkouts "
            f"{point.checkouts.ok_share:.1%}{fits}; p99 of {'/'.join(SHARES)} "
            f"{p99} ms"
        )

    def _work(self, kind: str) -> float:
        return sum(self.costs[kind].values())
