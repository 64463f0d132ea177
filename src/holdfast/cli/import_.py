"""``holdfast import shopify|jsonl FILE...``: products from files into the shop.

The good products go in, 200 in a transaction; each row that cannot be used is one
line on standard error. Memory does not grow with the file. Exit code 0: all went
in; 1: some rows did not; 2: a file could not be used at all.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeAlias

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from holdfast.cli.running import settings_of_running_shop
from holdfast.cli.seen import Seen
from holdfast.domain import catalog
from holdfast.domain.imports import Format
from holdfast.kernel.clock import Clock, system_clock
from holdfast.kernel.errors import DomainError, Unavailable
from holdfast.kernel.money import CURRENCIES
from holdfast.platform.db import Database
from holdfast.platform.settings import Secret
from holdfast.workflows import catalog as workflows
from holdfast.workflows.catalog import Outcome
from holdfast.workflows.import_faults import sentence

_Portions: TypeAlias = Iterator[catalog.Portion]
_Read: TypeAlias = Callable[[BinaryIO], _Portions]
_Connect: TypeAlias = Callable[[], Awaitable[Database]]

_ACTOR = "import"
_BATCH_PRODUCTS = 200
_BATCH_VARIANTS = 2_000
_SOME_ROWS_FAILED = 1
_UNUSABLE = 2


def run(
    files: list[Path],
    *,
    file_format: Format,
    currency: str | None = None,
    overwrite_stock: bool,
) -> int:
    """Import *files* into the running shop and return the exit code."""
    settings = settings_of_running_shop()
    url = settings.database_url or Secret("")
    currency = (currency or settings.currency).upper()
    if currency not in CURRENCIES:
        sys.stderr.write(f"{currency!r} is not an ISO 4217 currency\n")
        return _UNUSABLE
    read = _READERS[file_format]
    connect = partial(Database.connect, url, size=1, language=settings.language)
    return asyncio.run(_run(files, connect, partial(read, currency), overwrite_stock))


async def _run(
    files: list[Path], connect: _Connect, read: _Read, overwrite_stock: bool
) -> int:
    db = await connect()
    code = 0
    try:
        with closing(Seen()) as seen:
            for path in files:
                code = max(code, await _file(db, path, seen, read, overwrite_stock))
    finally:
        await db.close()
    return code


async def _file(
    db: Database, path: Path, seen: Seen, read: _Read, overwrite_stock: bool
) -> int:
    report = Report(path)
    intake = Intake(db, report, overwrite_stock=overwrite_stock)
    try:
        with path.open("rb") as file, report.progress(file):
            for arrival in _first_time(read(file), report, seen):
                await intake.take(arrival)
                report.show(file)
            await intake.flush()
    except catalog.UnusableFile as error:
        report.complain(1, str(error))
        return _UNUSABLE
    except OSError as error:
        sys.stderr.write(f"{path}: {error.strerror}\n")
        return _UNUSABLE
    report.sum_up()
    return _SOME_ROWS_FAILED if report.refused else 0


def _shopify(currency: str, file: BinaryIO) -> _Portions:
    return catalog.shopify_portions(file, currency=currency)


def _jsonl(_currency: str, file: BinaryIO) -> _Portions:
    return catalog.jsonl_portions(file)


_READERS: dict[Format, Callable[[str, BinaryIO], _Portions]] = {
    "shopify_csv": _shopify,
    "jsonl": _jsonl,
}


def _first_time(
    portions: _Portions,
    report: "Report",
    seen: Seen,
) -> Iterator[catalog.Arrival]:
    """Those that can be used and whose handle was not there before."""
    for portion in portions:
        for fault in portion.faults:
            report.complain(fault.line, fault.message)
        if portion.begun is None:
            continue
        handle, line = portion.begun
        before = seen.before(handle, f"{report.path}:{line}")
        if portion.arrival is None:
            continue
        if before is None:
            yield portion.arrival
        else:
            message = f"the product {handle!r} began already at {before}"
            report.complain(line, message)


class Intake:
    """Takes products in, many in one transaction."""

    def __init__(
        self,
        db: Database,
        report: "Report",
        *,
        overwrite_stock: bool,
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._report = report
        self._overwrite_stock = overwrite_stock
        self._clock = clock
        self._batch: list[catalog.Arrival] = []
        self._skus = set[str]()

    async def take(self, arrival: catalog.Arrival) -> None:
        """Take one in, now or with the next that make a batch."""
        skus = {variant.sku for variant in arrival.draft.variants}
        # The same SKU twice in one batch could not be told apart from a change.
        if skus & self._skus or len(skus) + len(self._skus) > _BATCH_VARIANTS:
            await self.flush()
        self._batch.append(arrival)
        self._skus |= skus
        if len(self._batch) >= _BATCH_PRODUCTS:
            await self.flush()

    async def flush(self) -> None:
        """Take in what waits; if they cannot all go in, by halves."""
        batch, self._batch = self._batch, []
        self._skus.clear()
        if batch:
            await self._take_in_or_halve(batch)

    async def _take_in_or_halve(self, batch: list[catalog.Arrival]) -> None:
        try:
            await self._take_in(batch)
        except Unavailable:
            # Not the products' fault; and the next would fare no better.
            raise
        except DomainError as error:
            if len(batch) == 1:
                self._report.complain(batch[0].line, sentence(error))
                return
            middle = len(batch) // 2
            await self._take_in_or_halve(batch[:middle])
            await self._take_in_or_halve(batch[middle:])

    async def _take_in(self, arrivals: list[catalog.Arrival]) -> None:
        self._report.outcomes.update(
            await workflows.import_products(
                self._db,
                arrivals,
                clock=self._clock,
                actor=_ACTOR,
                overwrite_stock=self._overwrite_stock,
            )
        )


@dataclass
class Report:
    """What became of one file."""

    path: Path
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    refused: int = 0
    """Rows that could not be used."""
    _progress: Progress | None = None

    def progress(self, file: BinaryIO) -> Progress:
        """A bar that follows the reading; nothing where no person looks on."""
        size = file.seek(0, 2)
        file.seek(0)
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[count]} products"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._progress.add_task(self.path.name, total=size or None, count=0)
        return self._progress

    def show(self, file: BinaryIO) -> None:
        if self._progress is not None:
            for task in self._progress.task_ids:
                self._progress.update(
                    task, completed=file.tell(), count=self.outcomes.total()
                )

    def complain(self, line: int, message: str) -> None:
        self.refused += 1
        sys.stderr.write(f"{self.path}:{line}: {message}\n")

    def sum_up(self) -> None:
        counts = ", ".join(
            f"{self.outcomes[outcome]} {outcome.value}" for outcome in Outcome
        )
        rows = "row" if self.refused == 1 else "rows"
        print(f"{self.path}: {counts}, {self.refused} {rows} refused")
