"""Files of levels: comma-separated, with a header, read whole before any is taken.

``sku`` and ``on_hand`` must be there; ``location`` (by default the main one),
``safety_stock``, ``backorder_limit`` and ``low_stock_threshold`` may be. Numbers are
digits and nothing else: what a spreadsheet makes of a formula is not one.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.domain.inventory.errors import Fault, LevelsRefused
from holdfast.domain.inventory.model import MAX_LEVEL

MAX_ROWS = 50_000
MAX_FAULTS = 100
_LONGEST_LINE = 4_096
_LONGEST_SHOWN = 40
_NEEDED = ("sku", "on_hand")
_NUMBERS = ("on_hand", "safety_stock", "backorder_limit", "low_stock_threshold")
_COLUMNS = ("sku", "location", *_NUMBERS)
_DIGITS = re.compile(r"[0-9]{1,13}")
_MAIN_CODE = "main"


@dataclass(frozen=True, slots=True)
class LevelRow:
    """One line of a file; None where it says nothing."""

    line: int
    sku: str
    location: str | None
    on_hand: int
    safety_stock: int | None = None
    backorder_limit: int | None = None
    low_stock_threshold: int | None = None


class Faults:
    """What is wrong with a file, line by line; only the first are kept."""

    def __init__(self) -> None:
        self._found: list[Fault] = []
        self._more = 0

    def add(self, line: int, reason: str) -> None:
        if len(self._found) < MAX_FAULTS:
            self._found.append(Fault(line, reason))
        else:
            self._more += 1

    def finish(self) -> None:
        """Raise ``LevelsRefused`` if there are any."""
        if self._found:
            found = sorted(self._found, key=lambda fault: fault.line)
            raise LevelsRefused(found, self._more)


def read_levels(content: bytes) -> list[LevelRow]:
    """The rows of a file; ``LevelsRefused`` names every line that cannot be read."""
    faults = Faults()
    rows: dict[tuple[str, str | None], LevelRow] = {}
    for row in _rows(_decoded(content), faults):
        place = (row.sku, row.location or _MAIN_CODE)
        if (earlier := rows.setdefault(place, row)) is not row:
            faults.add(row.line, f"the same level as line {earlier.line}")
    if not rows:
        faults.add(1, "there is no level in this file")
    faults.finish()
    return list(rows.values())


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise LevelsRefused([Fault(line, "this is not UTF-8")], 0) from error


def _rows(text: str, faults: Faults) -> Iterator[LevelRow]:
    reader = csv.reader(_lines(text), strict=True)
    header: list[str] | None = None
    try:
        for cells in reader:
            if header is None:
                header = [cell.strip().lower() for cell in cells]
                _check_header(header, faults)
            elif reader.line_num - 1 > MAX_ROWS:
                faults.add(reader.line_num, f"a file has at most {MAX_ROWS:,} rows")
                return
            elif any(cells):
                row = _row(reader.line_num, header, cells, faults)
                if row is not None:
                    yield row
    except csv.Error as error:
        faults.add(reader.line_num, f"this is not CSV: {error}")
    if header is None:
        faults.add(1, "the header is missing")


def _lines(text: str) -> Iterator[str]:
    # One huge cell must not be put together before it is refused.
    for line in io.StringIO(text, newline=""):
        if len(line) > _LONGEST_LINE:
            raise csv.Error("the line is too long")
        yield line


def _check_header(header: list[str], faults: Faults) -> None:
    for name in _NEEDED:
        if name not in header:
            faults.add(1, f"the column {name} is missing")
    for name in header:
        if name not in _COLUMNS:
            faults.add(1, f"no column is called {_shown(name)}")
    if len(set(header)) < len(header):
        faults.add(1, "a column is there twice")
    faults.finish()


def _row(
    line: int, header: list[str], cells: list[str], faults: Faults
) -> LevelRow | None:
    if len(cells) != len(header):
        faults.add(line, f"{len(header)} cells are wanted, and there are {len(cells)}")
        return None
    said = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    numbers: dict[str, int | None] = {}
    for name in _NUMBERS:
        text = said.get(name, "")
        if not text and name != "on_hand":
            numbers[name] = None
        elif not _DIGITS.fullmatch(text) or int(text) > MAX_LEVEL:
            faults.add(line, f"{name} is not a whole number: {_shown(text)}")
            return None
        else:
            numbers[name] = int(text)
    if not said["sku"] or "\x00" in said["sku"] + said.get("location", ""):
        faults.add(line, "the SKU is missing")
        return None
    return LevelRow(
        line,
        said["sku"],
        said.get("location") or None,
        numbers["on_hand"] or 0,
        numbers["safety_stock"],
        numbers["backorder_limit"],
        numbers["low_stock_threshold"],
    )


def _shown(text: str) -> str:
    """What was there, short and on one line."""
    short = text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "..."
    return "".join(c if c.isprintable() else "?" for c in short) or "nothing"
