"""Draw the plots of docs/explanation/protection/concurrency.md from the simulator.

``python tools/concurrency_plots.py`` writes them all again, the same each time. With a
folder, and a share of the time they show, it writes shorter ones there.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs/explanation/protection/concurrency"
sys.path.insert(0, str(ROOT / "tests/instruments"))

from published_rules import PublishedRules  # noqa: E402 - found there
from queueing import Play, Result, Service  # noqa: E402

from holdfast.cli.prove.plots import Curve, Plot  # noqa: E402
from holdfast.resilience.concurrency import COHORTS, Gradient  # noqa: E402

STYLE = (
    "<style>"
    "svg{background:#fff;font:11px system-ui,sans-serif}text{fill:#555}"
    ".grid{stroke:#ddd}.limit{stroke:#b35900;stroke-dasharray:5 4}"
    ".line{fill:none;stroke-width:1.6}.ours{stroke:#0a6ebd}.control{stroke:#b8b8b8}"
    ".low{stroke:#b8b8b8}"
    "@media(prefers-color-scheme:dark){svg{background:#14181d}text{fill:#aaa}"
    ".grid{stroke:#333}.ours{stroke:#58aef0}.control,.low{stroke:#666}}"
    "</style>"
)
STEP = 0.5
BURST_SECONDS = 2


def limits(result: Result, seconds: float, step: float = STEP) -> list[float]:
    """The limit every so many seconds."""
    return [float(result.limit_at(n * step)) for n in range(int(seconds / step))]


def plot(
    title: str,
    curves: Mapping[str, list[float]],
    best: float | None,
    step: float = STEP,
) -> Plot:
    kinds = ("ours", "control")
    drawn = [
        Curve(name, kind, values)
        for (name, values), kind in zip(curves.items(), kinds, strict=False)
    ]
    # Ours is drawn last, above the control.
    return Plot(title, "calls at once", step, drawn[::-1], limit=best, is_filled=False)


def steps(share: float) -> Plot:
    """Calls take 20, then 60, then 20 ms."""
    seconds = 90 * share

    def base(now: float) -> float:
        return 0.06 if seconds / 3 <= now < 2 * seconds / 3 else 0.02

    result = Play(Gradient(), Service(16, base), lambda now: 19.2 / base(now))
    return plot(
        "Calls take 20, 60, 20 ms; best is 16",
        {"limit": limits(result.run(seconds), seconds)},
        16,
    )


def capacity(share: float) -> Plot:
    """Three quarters of the capacity go, and come back."""
    seconds = 120 * share

    def left(now: float) -> float:
        return 10 if seconds / 3 <= now < 2 * seconds / 3 else 40

    result = Play(Gradient(), Service(left), 2400).run(seconds)
    return plot(
        "Best is 40, then 10, then 40", {"limit": limits(result, seconds)}, None
    )


def bursts(share: float) -> Plot:
    """Five times the capacity for two seconds of every ten."""
    seconds = 60 * share
    result = Play(
        Gradient(), Service(16), lambda now: 4000 if now % 10 < BURST_SECONDS else 300
    ).run(seconds)
    return plot(
        "Bursts of five times the capacity; best is 16",
        {"limit": limits(result, seconds)},
        16,
    )


def timeouts(share: float) -> Plot:
    """From a third of the time on every call runs into its deadline."""
    seconds = 90 * share

    class Hangs(Service):
        def seconds(self, now: float, inflight: int, dice: object) -> float:
            hung = now >= seconds / 3
            return 9.0 if hung else super().seconds(now, inflight, dice)

    result = Play(Gradient(), Hangs(deadline=1.0), 960).run(seconds)
    return plot(
        "From 30 s on every call runs into its deadline of a second",
        {"limit": limits(result, seconds)},
        None,
    )


def hour(share: float) -> Plot:
    """An hour at 1.2 times the capacity, and the published rules beside it."""
    seconds = 3600 * share
    ours, theirs = (
        limits(Play(limit, Service(16), 960).run(seconds), seconds, 10)
        for limit in (Gradient(), PublishedRules())
    )
    return plot(
        "1.2 times the capacity; best is 16; in grey the published rules",
        {"limit": ours, "published rules": theirs},
        16,
        10,
    )


def tiers(share: float) -> Plot:
    """Who is served as the load grows: payments, and everybody."""
    mix = (0,) * 4 + (2 * COHORTS,) * 80 + (4 * COHORTS,) * 16
    served: dict[str, list[float]] = {"payments": [], "browsing": []}
    for load in (0.5, *range(1, 10)):
        result = Play(Gradient(), Service(16), 800 * load, levels=mix).run(15 * share)
        for name, tier in (("payments", 0), ("browsing", 2)):
            served[name].append(100 * result.served[tier] / result.came[tier])
    curves = [
        Curve("browsing", "control", served["browsing"]),
        Curve("payments", "ours", served["payments"]),
    ]
    title = "Served of payments and of browsing (grey), by load in capacities"
    return Plot(title, "percent", 1, curves, is_filled=False)


PLOTS: Mapping[str, Callable[[float], Plot]] = {
    "steps": steps,
    "capacity": capacity,
    "bursts": bursts,
    "timeouts": timeouts,
    "hour": hour,
    "tiers": tiers,
}


def draw(folder: Path, share: float = 1.0) -> None:
    """Write each plot as a picture of its own."""
    for name, make in PLOTS.items():
        svg = make(share).svg(name)
        head = '<svg xmlns="http://www.w3.org/2000/svg" '
        if name == "tiers":
            svg = svg.replace(" s</text>", "x</text>")
        whole = svg.replace("<svg ", head, 1).replace("</title>", f"</title>{STYLE}", 1)
        (folder / f"{name}.svg").write_text(whole + "\n")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    draw(
        Path(arguments[0]) if arguments else FOLDER,
        float(arguments[1]) if len(arguments) > 1 else 1.0,
    )
