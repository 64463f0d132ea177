"""Which price holds: for a variant, a customer, a quantity and a moment.

The prices of a variant in one currency are a ``Book``. What is on record for nobody in
particular are the shop's own prices: the variant's price itself, others from a quantity
on, and others for a time. A price for a time stands in place of the one that always
holds for the same quantity. Price lists add to them:

- a *sale* lowers: whoever it is for pays the lowest of the shop's own price and those
  of the sales;
- a *contract* takes the place of all these, with higher prices too; of several
  contracts the lowest price holds.

Within the shop's own prices and within each list, a buyer pays the lowest of the prices
whose quantity is reached. So more units never cost more each, and another group never
makes a sale dearer.

Amounts are minor units of the book's currency. Periods contain their start and not
their end.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal, TypeAlias, get_args
from uuid import UUID

Kind: TypeAlias = Literal["sale", "contract"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_FIRST = datetime.min.replace(tzinfo=UTC)

MAX_QUANTITY = 1_000_000
"""The largest quantity from which on a price may hold."""


@dataclass(frozen=True, slots=True)
class Period:
    """From a moment on, until another; None: without that bound."""

    starts_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def always(self) -> bool:
        return self.starts_at is None and self.ends_at is None

    def holds(self, at: datetime) -> bool:
        return (self.starts_at is None or self.starts_at <= at) and (
            self.ends_at is None or at < self.ends_at
        )

    def overlaps(self, other: "Period") -> bool:
        """Whether there is a moment that both contain."""
        return _before(self.starts_at, other.ends_at) and _before(
            other.starts_at, self.ends_at
        )

    @property
    def bounds(self) -> list[datetime]:
        return [at for at in (self.starts_at, self.ends_at) if at is not None]


ALWAYS = Period()


@dataclass(frozen=True, slots=True)
class Terms:
    """Of a price list, what decides whether its prices hold."""

    list_id: UUID
    kind: Kind = "sale"
    groups: frozenset[UUID] | None = None
    """Whom it is for; None: everybody."""
    period: Period = ALWAYS

    def hold(self, at: datetime, groups: Collection[UUID]) -> bool:
        theirs = self.groups is None or not self.groups.isdisjoint(groups)
        return theirs and self.period.holds(at)


@dataclass(frozen=True, slots=True)
class Entry:
    """One price of a variant in one currency."""

    amount: int
    min_quantity: int = 1
    compare_at: int | None = None
    period: Period = ALWAYS
    terms: Terms | None = None
    """Of the list that it is in; None for the shop's own."""
    id: UUID | None = None
    """None for the price of the variant itself."""


@dataclass(frozen=True, slots=True)
class Book:
    """All prices of a variant in one currency."""

    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Holding:
    """The price that holds, and what it is compared with."""

    amount: int
    compare_at: int | None
    """What it is shown to be lower than; None where there is nothing to show."""
    entry: Entry

    @property
    def agreed(self) -> bool:
        """Whether a contract says so."""
        return self.entry.terms is not None and self.entry.terms.kind == "contract"


def resolve(
    book: Book, *, quantity: int, at: datetime, groups: Collection[UUID] = ()
) -> Holding | None:
    """The price each of so many costs a member of *groups*; None if there is none."""
    entries = [
        entry
        for entry in book.entries
        if entry.min_quantity <= quantity
        and entry.period.holds(at)
        and (entry.terms is None or entry.terms.hold(at, groups))
    ]
    if len(entries) <= 1:
        # As of most variants, of which lists show many.
        alone = [entry for entry in entries if entry.terms is None]
        return _holding(entries[0], alone) if entries else None
    own: list[Entry] = []
    sales: list[Entry] = []
    contracts: list[Entry] = []
    for entry in entries:
        if entry.terms is None:
            own.append(entry)
        else:
            (sales if entry.terms.kind == "sale" else contracts).append(entry)
    offered = _in_force(contracts) or [*_in_force(own), *_in_force(sales)]
    found = _lowest(offered)
    return None if found is None else _holding(found, own)


def _holding(found: Entry, own: Sequence[Entry]) -> Holding:
    return Holding(found.amount, _compared(found, own), found)


def _in_force(entries: Iterable[Entry]) -> list[Entry]:
    """Without what always holds where something is said for just this time."""
    chosen: dict[tuple[UUID | None, int], Entry] = {}
    for entry in entries:
        key = (entry.terms.list_id if entry.terms else None, entry.min_quantity)
        if key not in chosen or _rank(entry) > _rank(chosen[key]):
            chosen[key] = entry
    return list(chosen.values())


def _rank(entry: Entry) -> tuple[bool, bool]:
    """A price for a time before one for always, one on record before the variant's."""
    return not entry.period.always, entry.id is not None


def _lowest(entries: Iterable[Entry]) -> Entry | None:
    # Of equal amounts the shop's own comes first: nothing is reduced then.
    return min(
        entries,
        key=lambda entry: (entry.amount, entry.terms is not None, entry.min_quantity),
        default=None,
    )


def _compared(found: Entry, own: Sequence[Entry]) -> int | None:
    """What is said to compare with, or else the price that this one stands in for."""
    if found.compare_at is not None:
        return found.compare_at if found.compare_at > found.amount else None
    if found.terms is None:
        if found.period.always:
            return None
        # Quantities are no reduction: what is compared is the price of as many.
        usual = _lowest(
            _in_force(
                entry
                for entry in own
                if entry.period.always and entry.min_quantity <= found.min_quantity
            )
        )
    elif found.terms.kind == "sale":
        usual = _lowest(_in_force(own))
    else:
        # A contract is no reduction of what others pay.
        return None
    if usual is None:
        return None
    shown = max(usual.amount, usual.compare_at or 0)
    return shown if shown > found.amount else None


def breaks(
    book: Book, *, at: datetime, groups: Collection[UUID] = ()
) -> list[tuple[int, Holding]]:
    """The quantities at which the price falls, and the price from there on."""
    found: list[tuple[int, Holding]] = []
    for quantity in sorted({1, *(entry.min_quantity for entry in book.entries)}):
        holding = resolve(book, quantity=quantity, at=at, groups=groups)
        if holding and (not found or holding.amount != found[-1][1].amount):
            found.append((quantity, holding))
    return found


@dataclass(frozen=True, slots=True)
class Known:
    """A price, and the time for which it was on record just so."""

    entry: Entry
    on_record: Period


BEFORE_A_REDUCTION = timedelta(days=30)
"""How far a trader has to look back (Directive 98/6/EC, article 6a(2))."""


def lowest_before(
    known: Sequence[Known], *, at: datetime, groups: Collection[UUID] = ()
) -> int | None:
    """The lowest price of one unit in the 30 days before the present one began.

    None if there is no price now, or there was none before it. Where a price was
    lowered in steps, each step is a reduction of its own.
    """
    if len(known) <= 1:
        return None
    moments = sorted(
        {bound for each in known for bound in _bounds(each) if bound <= at}
    )

    def amount_at(moment: datetime) -> int | None:
        entries = tuple(n.entry for n in known if n.on_record.holds(moment))
        found = resolve(Book(entries), quantity=1, at=moment, groups=groups)
        return found.amount if found else None

    now = amount_at(at)
    began = None
    while now is not None and moments and amount_at(moments[-1]) == now:
        began = moments.pop()
    if began is None:
        return None
    first = began - BEFORE_A_REDUCTION
    # Between two moments nothing changes.
    looked_at = [first, *(moment for moment in moments if moment > first)]
    amounts = [amount_at(moment) for moment in looked_at]
    return min((amount for amount in amounts if amount is not None), default=None)


def _bounds(known: Known) -> list[datetime]:
    terms = known.entry.terms
    return [
        *known.on_record.bounds,
        *known.entry.period.bounds,
        *(terms.period.bounds if terms else ()),
    ]


def clash(periods: Sequence[Period]) -> int | None:
    """The place of a period that overlaps another; None if none does.

    What always holds overlaps nothing, but for another that always does: it holds
    while nothing else is said.
    """
    always = [place for place, period in enumerate(periods) if period.always]
    if len(always) > 1:
        return always[1]
    dated = [place for place, period in enumerate(periods) if not period.always]
    dated.sort(key=lambda place: periods[place].starts_at or _FIRST)
    for earlier, later in pairwise(dated):
        if periods[earlier].overlaps(periods[later]):
            return later
    return None


def _before(start: datetime | None, end: datetime | None) -> bool:
    return start is None or end is None or start < end
