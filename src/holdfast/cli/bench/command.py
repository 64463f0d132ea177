"""``holdfast bench``: what a shop can do on this machine, measured from outside.

Starts a fresh shop of its own in a temporary folder, fills it with 2,000 products,
and measures one stage after the other with the load generator, the servers and the
simulators on the same cores. Next to each stage stands what ``pgbench`` reaches with
the same SQL, in the same run. Exits with 1 when a target is missed or anything was
sold that should not have been.
"""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.cli.bench import holds, logins, pgbench, statements, tokens
from holdfast.cli.bench.dataset import dataset, load
from holdfast.cli.bench.instance import CannotBench, Instance, fresh
from holdfast.cli.bench.report import Report
from holdfast.cli.bench.stages import CROWD, Result, Stages
from holdfast.kernel.clock import monotonic
from holdfast.platform.db import Database
from holdfast.platform.settings import Settings

STAGES = "ABCDEHTL"
_POSTGRES = """
SELECT concat_ws(' ', current_setting('server_version'), 'fsync',
                 current_setting('fsync'), 'synchronous_commit',
                 current_setting('synchronous_commit'))
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for."""

    seconds: float = 8.0
    only: str = STAGES
    workers: int = 1
    pgbench: bool = True
    as_json: bool = False
    buyers: int = CROWD
    """Of the flash sale, at once."""


def run(options: Options) -> None:
    """Measure and report; raises ``SystemExit``."""
    started = monotonic()
    environ = Settings.from_environment().raw
    try:
        with fresh(environ, workers=options.workers) as shop:
            report = asyncio.run(_measure(options, shop))
    except CannotBench as problem:
        print(f"holdfast bench: {problem}", file=sys.stderr)
        raise SystemExit(2) from None
    report.seconds = monotonic() - started
    report.show(as_json=options.as_json)
    raise SystemExit(1 if report.faults else 0)


async def _measure(options: Options, shop: Instance) -> Report:
    db = await Database.connect(shop.addresses["DATABASE_URL"], size=2)
    try:
        _tell("filling the shop")
        await load(db)
        await statements.prepare(db)
        stages = Stages(shop, db, dataset(), options.seconds, options.buyers)
        await stages.begin()
        results = await _results(stages, options)
        counted = {}
        if "D" in options.only:
            _tell("counting statements")
            counted = await statements.count_of_an_order(stages)
        token = None
        if "T" in options.only:
            _tell("stage T")
            token = await tokens.measure(shop)
        hot_skus = None
        if "H" in options.only:
            _tell("stage H")
            rush = holds.Rush(
                shop, db, stages.dataset.skus, options.seconds, options.workers
            )
            hot_skus = await rush.measure()
        # Before the crowd: each password takes 19 MiB while it is hashed.
        memory_mb = shop.api_memory_mb()
        flood = None
        if "L" in options.only:
            _tell("stage L")
            flood = await logins.measure(
                shop, stages.dataset.handles, seconds=options.seconds
            )
        return Report(
            results,
            counted,
            memory_mb,
            options.workers,
            await db.fetchval(_POSTGRES),
            0.0,
            token,
            flood,
            hot_skus,
        )
    finally:
        await db.close()


async def _results(stages: Stages, options: Options) -> Sequence[Result]:
    doing = {
        "A": stages.product,
        "B": stages.page,
        "C": stages.search,
        "D": stages.checkout,
        "E": stages.flash_sale,
    }
    results = []
    for name, measure in doing.items():
        if name in options.only:
            _tell(f"stage {name}")
            result = await measure()
            if options.pgbench:
                _tell(f"stage {name} by pgbench")
                result.pgbench = await pgbench.rate(name, stages)
            results.append(result)
    return results


def _tell(what: str) -> None:
    if sys.stderr.isatty():
        print(f"{what} ...", file=sys.stderr)
