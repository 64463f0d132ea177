"""Growth as a picture: milliseconds over the size of the catalogue, both by powers.

No script; colours are classes with a meaning in the light and in the dark. On such
paper a cost that grows with the size is a slope, and one that does not is a level line.
"""

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 720, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 150, 16, 36
_COLOURS = 6
_LABEL = 15
_STYLE = (
    "<style>svg{background:#fff;font:12px system-ui,sans-serif}text{fill:#555}"
    ".grid{stroke:#ddd}.line{fill:none;stroke-width:2}"
    ".c0{stroke:#0a6ebd}.c1{stroke:#b35900}.c2{stroke:#2a7f3f}.c3{stroke:#8a3ab9}"
    ".c4{stroke:#777}.c5{stroke:#c0392b}"
    "@media(prefers-color-scheme:dark){svg{background:#14181d}text{fill:#aaa}"
    ".grid{stroke:#333}.c0{stroke:#58aef0}.c1{stroke:#e8a35c}.c2{stroke:#6fce89}"
    ".c3{stroke:#c58af0}.c4{stroke:#999}.c5{stroke:#f08a7d}}</style>"
)


def growth(
    title: str, sizes: Sequence[int], curves: Mapping[str, Sequence[float]]
) -> str:
    """The picture of some curves, each with a value above zero for each size."""
    values = [value for curve in curves.values() for value in curve]
    across = _Axis(min(sizes), max(sizes), _LEFT, WIDTH - _RIGHT)
    up = _Axis(
        10 ** math.floor(math.log10(min(values))),
        10 ** math.ceil(math.log10(max(values))),
        HEIGHT - _BOTTOM,
        _TOP,
    )
    said = "; ".join(
        f"{name} {curve[0]:.3g} to {curve[-1]:.3g} ms" for name, curve in curves.items()
    )
    drawn = [
        _curve(
            number,
            [
                (across.at(size), up.at(value))
                for size, value in zip(sizes, curve, strict=True)
            ],
        )
        for number, curve in enumerate(curves.values())
    ]
    ends = {name: up.at(curve[-1]) for name, curve in curves.items()}
    drawn += _labels(across.at(sizes[-1]) + 8, ends)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'role="img" aria-labelledby="growth-title growth-desc">'
        f'<title id="growth-title">{escape(title)}</title>'
        f'<desc id="growth-desc">{escape(said)}</desc>{_STYLE}'
        f"{_grid(sizes, across, up)}{''.join(drawn)}</svg>\n"
    )


class _Axis:
    """From numbers to places, by their logarithms."""

    def __init__(self, low: float, high: float, begins: float, ends: float) -> None:
        self.low, self.high = low, high
        self._begins, self._ends = begins, ends

    def at(self, value: float) -> float:
        if self.high == self.low:
            return (self._begins + self._ends) / 2
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self._begins + share * (self._ends - self._begins)


def _grid(sizes: Sequence[int], across: _Axis, up: _Axis) -> str:
    parts = []
    value = up.low
    while value <= up.high * 1.01:
        y = up.at(value)
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" '
            f'y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
            f"{value:g} ms</text>"
        )
        value *= 10
    parts += [
        f'<text x="{across.at(size):.1f}" y="{HEIGHT - 12}" text-anchor="middle">'
        f"{size:,}</text>"
        for size in sizes
    ]
    return "".join(parts)


def _curve(number: int, corners: Sequence[tuple[float, float]]) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    return f'<polyline class="line c{number % _COLOURS}" points="{points}"/>'


def _labels(x: float, ends: Mapping[str, float]) -> list[str]:
    """The names of curves at their ends, none over another."""
    found, above = [], -math.inf
    for name, end in sorted(ends.items(), key=lambda pair: pair[1]):
        above = max(end, above + _LABEL)
        found.append(f'<text x="{x:.1f}" y="{above + 4:.1f}">{escape(name)}</text>')
    return found
