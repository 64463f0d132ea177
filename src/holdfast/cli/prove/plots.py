"""Plots as SVG: steps over time, with what was killed marked on each.

No script and no style of their own: colours are classes that the page gives a meaning
to, in the light and in the dark. Every plot has a title and a description that is read
aloud; the page shows its numbers in a table as well.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 22, 26
_TICKS = (1, 2, 5)
_NUMBERS = {"api": "A", "worker": "W", "postgres": "P", "valkey": "V"}


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened while the time of a plot went by."""

    what: str
    begins: float
    ends: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Values at equal steps of time."""

    name: str
    kind: str
    """The class that colours it."""
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Plot:
    """Curves over the same seconds."""

    title: str
    unit: str
    step: float
    """Seconds from value to value."""
    curves: Sequence[Curve]
    marks: Sequence[Mark] = ()
    limit: float | None = None
    """A line that must not be crossed."""
    is_filled: bool = True

    def svg(self, name: str) -> str:
        """The picture; *name* is unique on its page."""
        seconds = self.step * max((len(n.values) for n in self.curves), default=1)
        highest = max((max(n.values, default=0.0) for n in self.curves), default=0.0)
        scale = _Scale(max(seconds, 1.0), _ceiling(max(highest, self.limit or 0.0)))
        inside = [
            *(_mark(mark, scale) for mark in self.marks),
            *_grid(scale, self.unit),
            *(self._curve(curve, scale) for curve in self.curves),
            *self._limit(scale),
        ]
        return (
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-labelledby="{name}-title {name}-desc">'
            f'<title id="{name}-title">{escape(self.title)}</title>'
            f'<desc id="{name}-desc">{escape(self._description(highest))}</desc>'
            f"{''.join(inside)}</svg>"
        )

    def _description(self, highest: float) -> str:
        said = ", ".join(
            f"{n.name} up to {max(n.values, default=0):,.0f} {self.unit}"
            for n in self.curves
        )
        return f"{said}; highest {highest:,.0f}; {len(self.marks)} disturbances."

    def _curve(self, curve: Curve, scale: "_Scale") -> str:
        corners = list[str]()
        for number, value in enumerate(curve.values):
            y = scale.y(value)
            for at in (number * self.step, (number + 1) * self.step):
                corners.append(f"{scale.x(at):.1f},{y:.1f}")
        if not corners:
            return ""
        line = f'<polyline class="line {curve.kind}" points="{" ".join(corners)}"/>'
        if not self.is_filled:
            return line
        ground = scale.y(0)
        first, last = corners[0].split(",")[0], corners[-1].split(",")[0]
        area = f"{first},{ground:.1f} {' '.join(corners)} {last},{ground:.1f}"
        return f'<polygon class="area {curve.kind}" points="{area}"/>{line}'

    def _limit(self, scale: "_Scale") -> list[str]:
        if self.limit is None:
            return []
        y = scale.y(self.limit)
        return [_across("limit", y)]


@dataclass(frozen=True, slots=True)
class _Scale:
    """From seconds and values to places on the picture."""

    seconds: float
    highest: float

    def x(self, seconds: float) -> float:
        share = min(max(seconds / self.seconds, 0.0), 1.0)
        return _LEFT + share * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = min(value / self.highest, 1.0)
        return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)


def _grid(scale: _Scale, unit: str) -> list[str]:
    parts = [f'<text class="unit" x="4" y="12">{escape(unit)}</text>']
    for value in (0.0, scale.highest / 2, scale.highest):
        y = scale.y(value)
        parts += [
            _across("grid", y),
            _tick(_LEFT - 6, y + 4, "end", f"{value:,.6g}"),
        ]
    step = max(_ceiling(scale.seconds / 8), 1.0)
    at = 0.0
    while at <= scale.seconds:
        parts.append(_tick(scale.x(at), HEIGHT - 8, "middle", f"{at:,.0f} s"))
        at += step
    return parts


def _across(kind: str, y: float) -> str:
    ends = f'x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"'
    return f'<line class="{kind}" {ends}/>'


def _tick(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'


def _mark(mark: Mark, scale: _Scale) -> str:
    begins, ends = scale.x(mark.begins), scale.x(mark.ends)
    letter = _NUMBERS.get(mark.what, "?")
    lasted = mark.ends - mark.begins
    said = f"{escape(mark.what)} at {mark.begins:.1f} s, back after {lasted:.1f} s"
    return (
        f'<g class="mark"><title>{said}</title>'
        f'<rect x="{begins:.1f}" y="{_TOP}" width="{max(ends - begins, 1.5):.1f}" '
        f'height="{HEIGHT - _TOP - _BOTTOM}"/>'
        f'<text x="{begins:.1f}" y="{_TOP - 6}">{letter}</text></g>'
    )


def _ceiling(value: float) -> float:
    """The next round number."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((n * power for n in _TICKS if n * power >= value), 10 * power)
