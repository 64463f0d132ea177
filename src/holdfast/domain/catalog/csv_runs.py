"""Which rows of a CSV file are one product's, and whose those are that cannot be read.

A product is a run of rows with the same key. What the key of a row is that cannot be
read is a guess, and what is behind the row makes it a better one. So it is held back
until that is known, and no product goes in without a row that may be its own:

- between two rows of a product, it is of that product;
- with the key of the product before or behind it, it is of that one;
- with a key that could be a third product's, it is all that is left of that one;
- with any other, it may be of either of its neighbours.

Bounded: 500 rows that cannot be read are held back, and a product has 5,000 rows and
4 million characters at most.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from holdfast.domain.catalog.arrivals import RowFault
from holdfast.domain.catalog.csv_rows import START, BadRecord, Place, Record
from holdfast.domain.catalog.model import is_handle

MAX_UNREAD = 500
MAX_ROWS = 5_000
MAX_CHARS = 1 << 22
"""What one product may hold of memory while it is read: rows, and characters."""


@dataclass(frozen=True, slots=True)
class Run:
    """What there is of a product."""

    key: str
    rows: Sequence[Record]
    """Empty if the product stays out."""
    faults: Sequence[RowFault]
    line: int
    """Where it begins; 0 if it is nobody's."""
    end: Place
    """Where the next one begins."""


def runs(found: Iterable[Record | BadRecord]) -> Iterator[Run]:
    """The products of a file, each with what keeps it out.

    To begin again where one ended gives the same as to go on.
    """
    run: _Open | None = None
    unread: list[BadRecord] = []
    end = START
    for record in found:
        end = record.end
        if isinstance(record, BadRecord):
            if len(unread) >= MAX_UNREAD:
                if run is not None:
                    run.doubt(unread[0].line)
                yield from _settled(run, unread, None, record.place)[0]
                run, unread = None, []
            unread.append(record)
            continue
        if run is None or record.key != run.key:
            ended, unread = _settled(run, unread, record.key, record.place)
            yield from ended
            run = _Open(record)
            if unread and all(bad.key != run.key for bad in unread):
                run.doubt(unread[-1].line)
        run.keep_out(unread)
        run.add(record)
        unread = []
    yield from _settled(run, unread, None, end)[0]


def _settled(
    run: "_Open | None", unread: list[BadRecord], key: str | None, end: Place
) -> tuple[list[Run], list[BadRecord]]:
    """What has ended where a row with *key* follows, or None knows what.

    With it come the rows that are of the next product, or may be.
    """
    size = len(unread)
    own = [] if run is None else [n for n in range(size) if unread[n].key == run.key]
    mine = own[-1] + 1 if own else 0
    others = [n for n in range(mine, size) if unread[n].key == key]
    next_ = others[0] if others else _nobodys(unread, mine)
    if key is None:
        mine = size if run is not None and next_ == mine else mine
        next_ = size
    places = [*(bad.place for bad in unread), end]
    ended = []
    if run is not None:
        run.keep_out(unread[:mine])
        if mine < size and unread[mine].key != key and not is_handle(unread[mine].key):
            run.doubt(unread[mine].line)
        ended.append(run.ended(places[mine]))
    at = mine
    for seems, group in groupby(unread[mine:next_], lambda bad: bad.key):
        rows = list(group)
        at += len(rows)
        line = rows[0].line if is_handle(seems) else 0
        ended.append(Run(seems, (), _faults(rows), line, places[at]))
    return ended, unread[next_:]


def _nobodys(unread: Sequence[BadRecord], first: int) -> int:
    """Where those at the end begin whose key could be no product's."""
    last = len(unread)
    while last > first and not is_handle(unread[last - 1].key):
        last -= 1
    return last


def _faults(unread: Iterable[BadRecord]) -> list[RowFault]:
    return [RowFault(bad.line, bad.message) for bad in unread]


class _Open:
    """The rows of a product as far as they have come, and what keeps it out."""

    def __init__(self, first: Record) -> None:
        self.key = first.key
        self._line = first.line
        self._rows: list[Record] = []
        self._faults: list[RowFault] = []
        self._chars = 0
        self._is_whole = True
        self._is_large = False

    def add(self, record: Record) -> None:
        self._chars += sum(map(len, record.cells.values()))
        if len(self._rows) < MAX_ROWS and self._chars < MAX_CHARS:
            self._rows.append(record)
        elif not self._is_large:
            self._is_large = True
            self._refuse(RowFault(record.line, "the product is too large"))

    def keep_out(self, unread: Sequence[BadRecord]) -> None:
        """Rows of it cannot be read, or may be of it."""
        for fault in _faults(unread):
            self._refuse(fault)

    def doubt(self, line: int) -> None:
        """Another row may be of it, which is told of elsewhere."""
        said = f"line {line} cannot be read and may be of this product"
        self._refuse(RowFault(self._line, said))

    def ended(self, end: Place) -> Run:
        rows = self._rows if self._is_whole else ()
        return Run(self.key, rows, self._faults, self._line, end)

    def _refuse(self, fault: RowFault) -> None:
        self._is_whole = False
        if len(self._faults) < MAX_UNREAD:
            self._faults.append(fault)
        elif len(self._faults) == MAX_UNREAD:
            said = "and further rows of this product cannot be used"
            self._faults.append(RowFault(fault.line, said))
