"""Measures one size after the other, each in a fresh shop, and says what came of it."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.cli.bench import statements
from holdfast.cli.bench.catalogue import vocabulary
from holdfast.cli.bench.catalogue.asking import Asker
from holdfast.cli.bench.catalogue.filling import fill
from holdfast.cli.bench.catalogue.importing import Importer
from holdfast.cli.bench.catalogue.reads import (
    DEEP,
    HANDLE,
    PAGE,
    SEARCH,
    SUGGEST,
    TOGETHER,
    deep_pages,
    questions,
    read_together,
)
from holdfast.cli.bench.catalogue.report import Report, Size
from holdfast.cli.bench.catalogue.table import text
from holdfast.cli.bench.instance import CannotBench, Instance, fresh
from holdfast.cli.bench.protection.rig import Cores, allow_connections, pin
from holdfast.kernel.clock import monotonic
from holdfast.platform.db import Database
from holdfast.platform.settings import BadSettings, Settings

SIZES = (2_000, 20_000)
STAGES = (*(HANDLE, TOGETHER, PAGE, SEARCH, SUGGEST, DEEP), "import")
MIN_SIZE, MAX_SIZE = 100, 2_000_000
IMPORTED_A_SECOND = 8_000
"""Variants taken in for each second that readers are looked at: they are looked at for
all of it while the import is no faster."""
_REST_SECONDS = 3.0
"""Before each question at most: a shop that was busy leaves out facets for two seconds
more."""
_SIZE = "SELECT pg_database_size(current_database())"


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for."""

    sizes: Sequence[int] = SIZES
    descriptions: Path | None = None
    seconds: float = 8.0
    only: Sequence[str] = STAGES
    imported: int | None = None
    """Variants to take in by a file; None for as many as the seconds want."""
    plot: Path | None = None
    as_json: bool = False

    @property
    def import_variants(self) -> int:
        if self.imported is not None:
            return self.imported
        return int(self.seconds * IMPORTED_A_SECOND)


def sizes_in(said: str) -> list[int]:
    """The sizes that *said* names, as ``2000,20000``; ``BadSettings``."""
    try:
        sizes = sorted({int(size.strip().replace("_", "")) for size in said.split(",")})
    except ValueError:
        raise BadSettings(f"--sizes {said!r} is not like 2000,20000") from None
    for size in sizes:
        if not MIN_SIZE <= size <= MAX_SIZE:
            raise BadSettings(
                f"--sizes: {size} is not from {MIN_SIZE:,} to {MAX_SIZE:,}"
            )
    return sizes


def stages_in(said: str) -> Sequence[str]:
    """The stages that *said* names, as ``search,import``; ``BadSettings``."""
    wanted = [name.strip() for name in said.split(",") if name.strip()]
    for name in wanted:
        if name not in STAGES:
            raise BadSettings(f"--only: no stage {name}, but {', '.join(STAGES)}")
    return [name for name in STAGES if name in wanted] or STAGES


def run(options: Options) -> None:
    """Measure and report; raises ``SystemExit``."""
    report = measured(options)
    print(report.json() if options.as_json else text(report))
    if options.plot is not None and (picture := report.plot()) is not None:
        options.plot.write_text(picture, encoding="utf-8")
    raise SystemExit(report.status)


def measured(options: Options) -> Report:
    """What a run comes to."""
    began, cores = monotonic(), Cores.of_this_machine()
    allow_connections()
    told = "words of our own"
    try:
        names = vocabulary.own_names()
        if options.descriptions is not None:
            names = vocabulary.names_in(options.descriptions)
            told = f"{len(names):,} descriptions of real sales"
    except CannotBench as problem:
        print(f"holdfast bench catalogue: {problem}", file=sys.stderr)
        raise SystemExit(2) from None
    sizes = [_measured(size, names, options, cores) for size in options.sizes]
    return Report(sizes, told, monotonic() - began, cores.server is not None)


def _measured(
    variants: int, names: Sequence[str], options: Options, cores: Cores
) -> Size:
    """One size; that something could not be measured hides nothing else."""
    size = Size(variants)
    try:
        with fresh(Settings.from_environment().raw, workers=1) as shop:
            # The rest goes wherever there is room, as it would.
            for process in shop.parts()["api"]:
                pin(cores.server, process.pid)
            asyncio.run(_measure(size, shop, names, options, cores))
    except CannotBench as problem:
        size.void = str(problem)
    return size


async def _measure(
    size: Size, shop: Instance, names: Sequence[str], options: Options, cores: Cores
) -> None:
    db = await Database.connect(shop.addresses["DATABASE_URL"], size=2)
    try:
        _tell(f"{size.variants:,} variants: filling the shop")
        filled = await fill(db, names, size.variants)
        size.products, size.filled_seconds = filled.products, filled.seconds
        size.database_mb = round(await db.fetchval(_SIZE) / 1e6, 1)
        await statements.prepare(db)
        asker = Asker(shop.port, options.seconds, cores.load)
        for question in questions(filled):
            if question.name not in options.only:
                continue
            _tell(f"{size.variants:,} variants: {question.title}")
            await asyncio.sleep(min(_REST_SECONDS, options.seconds))
            size.answers[question.name] = await asker.ask(question)
        if TOGETHER in options.only:
            size.together = await read_together(db, shop.port, filled.handles)
        if DEEP in options.only:
            _tell(f"{size.variants:,} variants: deep pages")
            size.deep = await deep_pages(asker, filled.products)
    finally:
        await db.close()
    if "import" in options.only:
        _tell(f"{size.variants:,} variants: importing {options.import_variants:,} more")
        importer = Importer(shop, filled, options.seconds, cores.load)
        size.taken_in = await importer.measure(names, options.import_variants)


def _tell(what: str) -> None:
    if sys.stderr.isatty():
        print(f"{what} ...", file=sys.stderr)
