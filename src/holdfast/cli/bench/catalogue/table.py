"""The report as text: a table whose columns are sizes, in the form the docs have it."""

import platform
from collections.abc import Callable, Sequence

from holdfast.cli.bench.catalogue import reads
from holdfast.cli.bench.catalogue.report import Report, Size
from holdfast.cli.bench.report import machine

_MISSING = "-"
_Cell = Callable[[Size], str | None]


def text(report: Report) -> str:
    """For people; the table is Markdown, to be put into a page as it is."""
    lines = [*table(report.sizes), ""]
    if report.growth is not None:
        lines.append(
            f"A product by its handle takes {report.growth:g} times as long in the "
            "largest shop as in the smallest."
        )
    pinned = (
        "API and client on a core each" if report.pinned else "no core of their own"
    )
    lines.append(f"{machine()}, Python {platform.python_version()}, {pinned}")
    lines.append(f"names of products: {report.names}")
    lines += [f"missed   {fault}" for fault in report.faults]
    lines += [f"void     {void}" for void in report.voids]
    if not report.faults and not report.voids:
        lines.append("Every target is met.")
    return "\n".join([*lines, f"({report.seconds:.0f} s)"])


def table(sizes: Sequence[Size]) -> list[str]:
    """Rows of figures, columns of sizes."""
    rows = [
        ["variants", *(f"{size.variants:,}" for size in sizes)],
        *(
            [title, *(_shown(cell(size)) for size in sizes)]
            for title, cell in _rows(sizes)
        ),
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    rule = ["-" * widths[0], *(f"{'-' * (width - 1)}:" for width in widths[1:])]
    return [lines[0], _line(rule, widths), *lines[1:]]


def _rows(sizes: Sequence[Size]) -> list[tuple[str, _Cell]]:
    rows: list[tuple[str, _Cell]] = [
        ("products", lambda size: f"{size.products:,}"),
        ("database, MB", lambda size: f"{size.database_mb:,.0f}"),
        ("filled, variants/s", _filled),
    ]
    titles = {a.name: a.title for size in sizes for a in size.answers.values()}
    for name, title in titles.items():
        rows += [
            (f"{title}: p50 / p95, ms", lambda s, name=name: _times(s, name)),  # type: ignore[misc]
            (f"{title}: a second", lambda s, name=name: _rate(s, name)),  # type: ignore[misc]
        ]
    rows.append(("single reads a statement, of 64 at once", _together))
    for place, name in enumerate(reads.LISTS):
        rows.append(
            (f"deep page of {name}: times the first", lambda s, n=place: _deep(s, n))  # type: ignore[misc]
        )
    rows += [
        ("import, variants/s", _import_rate),
        ("import, peak of worker / API, MB", _import_memory),
        ("reads before / during it: p99, ms", _import_reads),
        ("reads during it: times before", _import_ratio),
    ]
    return rows


def _filled(size: Size) -> str | None:
    return (
        f"{size.variants / size.filled_seconds:,.0f}" if size.filled_seconds else None
    )


def _times(size: Size, name: str) -> str | None:
    found = size.answers.get(name)
    return None if found is None else f"{found.p50_ms:.2f} / {found.p95_ms:.2f}"


def _rate(size: Size, name: str) -> str | None:
    found = size.answers.get(name)
    return None if found is None else f"{found.rate:,.0f}"


def _together(size: Size) -> str | None:
    return None if size.together is None else f"{size.together:g}"


def _deep(size: Size, place: int) -> str | None:
    if place >= len(size.deep):
        return None
    found = size.deep[place]
    return f"{found.ratio:.2f} (after {found.depth:,})"


def _import_rate(size: Size) -> str | None:
    return None if size.taken_in is None else f"{size.taken_in.rate:,.0f}"


def _import_memory(size: Size) -> str | None:
    if size.taken_in is None:
        return None
    held = size.taken_in.peak_mb
    return f"{held.get('worker', 0):.0f} / {held.get('api', 0):.0f}"


def _import_reads(size: Size) -> str | None:
    if size.taken_in is None:
        return None
    return " / ".join(f"{p99:.1f}" for p99 in size.taken_in.p99_ms)


def _import_ratio(size: Size) -> str | None:
    return None if size.taken_in is None else f"{size.taken_in.ratio:.2f}"


def _shown(cell: str | None) -> str:
    return _MISSING if cell is None else cell


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
    return f"| {' | '.join(padded)} |"
