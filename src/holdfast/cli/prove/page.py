"""The report as a page of its own: no script, no asset from elsewhere."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from html import escape

from holdfast.cli.prove.history import LOST, Said
from holdfast.cli.prove.plots import Curve, Mark, Plot
from holdfast.cli.prove.report import TITLES, Part, Report, outcome, percentile
from holdfast.cli.prove.verdict import Verdict

_STEPS = 120
_SHOWN = 20
_GROUPS: dict[str, tuple[str, Callable[[Said], bool]]] = {
    "sold out": ("soldout", lambda said: said.problem == "out-of-stock"),
    "granted, ordered": ("good", lambda said: 200 <= said.status < 300),  # noqa: PLR2004
    "come back later": ("busy", lambda said: said.status == 503),  # noqa: PLR2004
    "no answer": ("lost", lambda said: said.status == LOST),
}
_STYLE = """
:root { color-scheme: light dark; --page: #fcfcfb; --ink: #1c1c1a; --soft: #5d5c57;
  --grid: #dddcd6; --good: #0a7d4f; --soldout: #2a63b8; --busy: #a35f00;
  --lost: #b3261e; --mark: #b3261e; --card: #f3f2ee; }
@media (prefers-color-scheme: dark) { :root { --page: #191918; --ink: #ecebe6;
  --soft: #a9a79f; --grid: #3a3936; --good: #4cc38a; --soldout: #7fb0f5;
  --busy: #e5a546; --lost: #f2857d; --mark: #f2857d; --card: #232321; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 52rem; color: var(--ink);
  background: var(--page); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { margin: 2.5rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p { margin: .25rem 0 .75rem; color: var(--soft); }
.verdict { display: inline-block; padding: .15rem .6rem; border-radius: .3rem;
  font-weight: 600; border: 2px solid; }
.kept { color: var(--good); } .broken { color: var(--lost); }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem;
  font-size: .92rem; }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; vertical-align: top;
  border-bottom: 1px solid var(--grid); }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: .75rem 0 0; } figcaption { font-size: .92rem; font-weight: 600; }
svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--soft); font: 11px system-ui, sans-serif; }
.grid { stroke: var(--grid); } .limit { stroke: var(--lost); stroke-dasharray: 6 4; }
.line { fill: none; stroke: currentColor; stroke-width: 1.6; }
.area { fill: currentColor; opacity: .18; }
.good { color: var(--good); } .soldout { color: var(--soldout); }
.busy { color: var(--busy); } .lost { color: var(--lost); }
.mark rect { fill: var(--mark); opacity: .14; }
.mark text { fill: var(--mark); font-weight: 600; }
details { background: var(--card); border-radius: .3rem; padding: .4rem .8rem;
  margin: .5rem 0; } summary { cursor: pointer; }
.scroll { overflow-x: auto; }
"""


def page(report: Report) -> str:
    """All of it, as HTML."""
    said, kind = ("every promise kept", "kept") if report.kept else ("BROKEN", "broken")
    size = report.size
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>holdfast prove: {said}</title><style>{_STYLE}</style></head>"
        "<body><main>"
        f'<h1>holdfast prove</h1><p class="verdict {kind}">{said}</p>'
        f"<p>{size.processes} processes of the API, {size.units:,} units, "
        f"{size.buyers:,} buyers, seed {report.seed}; {report.seconds:.0f} seconds in "
        f"all. {escape(report.late)}</p>"
        f"{''.join(_part(part) for part in report.parts)}</main></body></html>"
    )


def _part(part: Part) -> str:
    return (
        f'<section id="{part.name}"><h2>{escape(TITLES[part.name])}</h2>'
        f"{_promises(part.verdicts)}{_history(part) if part.history else ''}</section>"
    )


def _promises(verdicts: Sequence[Verdict]) -> str:
    rows = []
    for verdict in verdicts:
        said, kind = ("kept", "kept") if verdict.kept else ("broken", "broken")
        examples = "".join(f"<br>{escape(n)}" for n in verdict.broken[:_SHOWN])
        rows.append(
            f"<tr><td>{escape(verdict.promise)}{examples}</td>"
            f'<td class="n">{verdict.checked:,}</td>'
            f'<td class="{kind}">{said}</td></tr>'
        )
    return _table(("Promise", "Looked at", "Found"), rows, numbers={1})


def _history(part: Part) -> str:
    start = min(said.began for said in part.history)
    length = max(said.ended for said in part.history) - start
    step = max(1.0, math.ceil(length / _STEPS * 2) / 2)
    bins = _bins(part.history, start, step)
    marks = [Mark(n.what, n.at - start, n.back - start) for n in part.struck]
    plots = [*_rates(bins, step, marks), _latency(bins, step, marks)]
    if part.name == "oversell":
        plots.append(_sold(bins, step, marks))
    figures = "".join(
        f"<figure><figcaption>{escape(plot.title)}{_legend(plot)}</figcaption>"
        f"{plot.svg(f'{part.name}-{number}')}</figure>"
        for number, plot in enumerate(plots)
    )
    return (
        f"<p>{part.attempts:,} attempts, {len(part.history):,} requests in "
        f"{length:.0f} seconds. Shaded: A a process of the API killed, W the worker "
        "killed, P PostgreSQL crashed, V Valkey emptied; until it was back.</p>"
        f"{figures}{_numbers(plots, step)}{_outcomes(part)}{_blows(marks)}"
        f"{_scenes(part.scenes)}"
    )


def _legend(plot: Plot) -> str:
    if len(plot.curves) == 1:
        return ""
    names = (f'<span class="{n.kind}">{escape(n.name)}</span>' for n in plot.curves)
    return f": {', '.join(names)}"


def _bins(history: Iterable[Said], start: float, step: float) -> list[list[Said]]:
    found = defaultdict[int, list[Said]](list)
    for said in history:
        found[int((said.ended - start) / step)].append(said)
    return [found[n] for n in range(max(found) + 1)]


def _rates(bins: list[list[Said]], step: float, marks: list[Mark]) -> list[Plot]:
    curves = (
        Curve(name, kind, [sum(map(belongs, n)) / step for n in bins])
        for name, (kind, belongs) in _GROUPS.items()
    )
    return [
        Plot(f"Answers a second: {curve.name}", "a second", step, [curve], marks)
        for curve in curves
        if any(curve.values)
    ]


def _latency(bins: list[list[Said]], step: float, marks: list[Mark]) -> Plot:
    times = [
        sorted((n.ended - n.began) * 1000 for n in some if n.status != LOST)
        for some in bins
    ]
    return Plot(
        "How long answers took",
        "ms",
        step,
        [
            Curve("slowest hundredth", "busy", [percentile(n, 0.99) for n in times]),
            Curve("median", "soldout", [percentile(n, 0.5) for n in times]),
        ],
        marks,
        is_filled=False,
    )


def _sold(bins: list[list[Said]], step: float, marks: list[Mark]) -> Plot:
    known, units, values = set[str](), 0, list[float]()
    for some in bins:
        for said in some:
            if said.state == "confirmed" and said.order not in known:
                known.add(said.order)
                units += sum(quantity for _, quantity in said.lines)
        values.append(units)
    return Plot(
        "Units in orders that buyers were told of", "units", step,
        [Curve("units", "good", values)], marks,
    )  # fmt: skip


def _numbers(plots: Sequence[Plot], step: float) -> str:
    """What the plots show, as a table."""
    curves = [curve for plot in plots for curve in plot.curves]
    rows = [
        f'<tr><th scope="row" class="n">{n * step:.1f}</th>'
        + "".join(f'<td class="n">{curve.values[n]:,.1f}</td>' for curve in curves)
        + "</tr>"
        for n in range(len(curves[0].values))
    ]
    head = ("Second", *(curve.name for curve in curves))
    table = _table(head, rows, numbers=set(range(len(head))))
    return f"<details><summary>The plots as a table</summary>{table}</details>"


def _outcomes(part: Part) -> str:
    counted = Counter((said.act, outcome(said)) for said in part.history)
    times = defaultdict[tuple[str, str], list[float]](list)
    for said in part.history:
        times[said.act, outcome(said)].append((said.ended - said.began) * 1000)
    rows = []
    for (act, what), count in counted.most_common():
        took = sorted(times[act, what])
        rows.append(
            f"<tr><td>{escape(act)}</td><td>{escape(what)}</td>"
            f'<td class="n">{count:,}</td><td class="n">{percentile(took, 0.5):,.1f}'
            f'</td><td class="n">{percentile(took, 0.99):,.1f}</td></tr>'
        )
    head = ("Asked", "Told", "How often", "Median ms", "99th ms")
    return f"<h3>What clients were told</h3>{_table(head, rows, numbers={2, 3, 4})}"


def _blows(marks: Sequence[Mark]) -> str:
    rows = [
        f'<tr><td>{escape(mark.what)}</td><td class="n">{mark.begins:.1f}</td>'
        f'<td class="n">{mark.ends - mark.begins:.1f}</td></tr>'
        for mark in sorted(marks, key=lambda mark: mark.begins)
    ]
    head = ("What", "At second", "Back after seconds")
    return f"<h3>What was done to the shop</h3>{_table(head, rows, numbers={1, 2})}"


def _scenes(scenes: Sequence[str]) -> str:
    if not scenes:
        return ""
    items = "".join(f"<li>{escape(scene)}</li>" for scene in scenes)
    return f"<h3>What the payment provider did, in turn</h3><ol>{items}</ol>"


def _table(head: Sequence[str], rows: Sequence[str], *, numbers: set[int]) -> str:
    cells = "".join(
        f'<th scope="col"{_NUMBER if n in numbers else ""}>{escape(text)}</th>'
        for n, text in enumerate(head)
    )
    return (
        f'<div class="scroll"><table><thead><tr>{cells}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


_NUMBER = ' class="n"'
