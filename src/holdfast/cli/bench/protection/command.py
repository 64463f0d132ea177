"""Runs the measurements, one after the other, and says what came of them."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.cli.bench.instance import CannotBench
from holdfast.cli.bench.protection.measurements import Measurement
from holdfast.cli.bench.protection.outcome import Outcome
from holdfast.cli.bench.protection.plan import CONNECTIONS
from holdfast.cli.bench.protection.report import Report
from holdfast.cli.bench.protection.rig import Cores, Rig, allow_connections
from holdfast.kernel.clock import monotonic
from holdfast.platform.settings import Settings


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for."""

    only: Sequence[Measurement]
    seconds: float = 8.0
    poisson: bool = False
    as_json: bool = False


def run(options: Options) -> None:
    """Measure and report; raises ``SystemExit``."""
    started = monotonic()
    rig = Rig(
        options.seconds,
        Settings.from_environment().raw,
        Cores.of_this_machine(),
        _tell,
        options.poisson,
        min(CONNECTIONS, allow_connections() // 2),
    )
    outcomes = {wanted.name: _measured(wanted, rig) for wanted in options.only}
    titles = {wanted.name: wanted.title for wanted in options.only}
    report = Report(outcomes, titles, rig.cores, rig.seconds, monotonic() - started)
    print(report.json() if options.as_json else report.text())
    raise SystemExit(report.status)


def _measured(wanted: Measurement, rig: Rig) -> Outcome:
    """What came of it; that it could not be measured hides none of the others."""
    _tell(wanted.title)
    try:
        return asyncio.run(wanted.measure(rig))
    except CannotBench as problem:
        return Outcome(voids=[str(problem)])


def _tell(what: str) -> None:
    if sys.stderr.isatty():
        print(f"{what} ...", file=sys.stderr)
