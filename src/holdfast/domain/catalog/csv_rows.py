"""The records of a CSV file that nobody vouches for, one at a time.

Bounded: a line longer than 1 MiB, a record longer than 4 MiB and a field longer than
131,072 characters are faults, not memory. A record that cannot be read is a ``Fault``
with its line, and reading goes on with the next line; only a file without a usable
header ends it. UTF-8, with or without a byte order mark; any line ending but a lone CR.
What was defused for spreadsheets is restored (``cells``).
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from holdfast.domain.catalog.cells import restore

MAX_LINE_BYTES = 1 << 20
MAX_RECORD_BYTES = 1 << 22
"""A record goes on over lines as long as a quote is open."""

MAX_EMPTY_LINES = 1 << 20
"""One after the other, before a file is taken for something else."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BOM = b"\xef\xbb\xbf"


class UnusableFile(ValueError):
    """Nothing can be read from this file; the message says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file: the bytes and the lines before it."""

    offset: int
    lines: int


START = Place(0, 0)


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its line, its key, and its cells by column where not empty."""

    line: int
    key: str
    cells: dict[str, str]
    place: Place = field(default=START, compare=False)
    """Where it begins."""
    end: Place = field(default=START, compare=False)
    columns: frozenset[str] = field(default=frozenset(), compare=False)
    """All that the file has."""


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that cannot be read, and what its key seems to be."""

    line: int
    message: str
    key: str
    place: Place = field(default=START, compare=False)
    end: Place = field(default=START, compare=False)


class _BadLine(ValueError):
    pass


class _Lines:
    """Lines of text for ``csv.reader``; goes on after it has raised."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.number = 0
        self.offset = 0
        self.first_of_record = ""
        self._record_began = 0

    @property
    def place(self) -> Place:
        return Place(self.offset, self.number)

    def begin_record(self) -> None:
        self.first_of_record = ""
        self._record_began = self.offset

    def go_on_from(self, place: Place) -> None:
        """Skip what is before *place*; the file must be one that can seek."""
        self._file.seek(place.offset)
        self.offset, self.number = place.offset, place.lines

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        raw = self._file.readline(MAX_LINE_BYTES)
        if not raw:
            raise StopIteration
        self.number += 1
        self.offset += len(raw)
        if self.number == 1:
            raw = self._without_mark(raw)
        if not self.first_of_record:
            self.first_of_record = raw[:1024].decode("utf-8", "replace")
        if len(raw) == MAX_LINE_BYTES and not raw.endswith(b"\n"):
            self._skip_line()
            raise _BadLine("the line is longer than 1 MiB")
        if self.offset - self._record_began > MAX_RECORD_BYTES:
            raise _BadLine("the record is longer than 4 MiB, or a quote never closed")
        if b"\x00" in raw:
            raise _BadLine("there is a NUL byte in the line")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _BadLine(
                f"byte {raw[error.start]:#04x} at position {error.start + 1} is not "
                "UTF-8: save the file as UTF-8"
            ) from None

    def _skip_line(self) -> None:
        while rest := self._file.readline(MAX_LINE_BYTES):
            self.offset += len(rest)
            if rest.endswith(b"\n"):
                return

    @staticmethod
    def _without_mark(raw: bytes) -> bytes:
        if raw.startswith(_UTF16):
            raise UnusableFile("the file is UTF-16: save it as UTF-8")
        return raw.removeprefix(_BOM)


def records(
    file: BinaryIO, required: tuple[str, ...], *, start: Place = START
) -> Iterator[Record | BadRecord]:
    """Read a CSV file with a header; names of columns are compared without case.

    The first of the *required* columns is the key. Begins at *start*, which is where a
    record began in an earlier reading. Raises ``UnusableFile`` if the header cannot be
    read or lacks a column.
    """
    lines = _Lines(file)
    reader = csv.reader(lines, strict=True)
    header = _header(reader, required)
    key, columns = header.index(required[0].casefold()), frozenset(header)
    if start.offset > lines.offset:
        lines.go_on_from(start)
    empty = 0
    while True:
        place = lines.place
        lines.begin_record()
        try:
            row = next(reader)
        except StopIteration:
            return
        except (csv.Error, _BadLine) as error:
            seems = _cell(lines.first_of_record, key)
            message = _explain(error)
            yield BadRecord(place.lines + 1, message, seems, place, lines.place)
            continue
        if not row:
            empty += 1
            if empty > MAX_EMPTY_LINES:
                raise UnusableFile(f"more than {MAX_EMPTY_LINES:,} lines are empty")
            continue
        empty = 0
        if len(row) != len(header):
            message = f"has {len(row)} columns where the header has {len(header)}"
            seems = row[key].strip() if key < len(row) else ""
            yield BadRecord(place.lines + 1, message, seems, place, lines.place)
            continue
        cells = zip(header, map(str.strip, row), strict=True)
        kept = {name: restore(cell) for name, cell in cells if cell}
        own = kept.get(header[key], "")
        yield Record(place.lines + 1, own, kept, place, lines.place, columns)


def _header(reader: Iterator[list[str]], required: tuple[str, ...]) -> list[str]:
    try:
        header = [name.strip().casefold() for name in next(reader)]
    except StopIteration:
        raise UnusableFile("the file is empty") from None
    except (csv.Error, _BadLine) as error:
        raise UnusableFile(f"the header cannot be read: {_explain(error)}") from None
    if missing := [name for name in required if name.casefold() not in header]:
        raise UnusableFile(f"the header has no column {', '.join(missing)}")
    named = [name for name in header if name]
    if len(set(named)) < len(named):
        raise UnusableFile("the header names a column twice")
    return header


def _cell(line: str, place: int) -> str:
    """A guess: right for cells that need no quotes, as those before a key rarely do."""
    cells = line.split(",", place + 1)
    return cells[place].strip(' "\r\n') if place < len(cells) else ""


def _explain(error: Exception) -> str:
    text = str(error)
    if "unexpected end of data" in text:
        return "a quote is opened and never closed"
    if "field larger" in text:
        return "a field is longer than 131,072 characters, or its quote never closed"
    if "new-line character" in text:
        return "lines end in CR alone: save the file with LF or CRLF"
    if "expected after" in text:
        return "there is text after a closing quote"
    return text
