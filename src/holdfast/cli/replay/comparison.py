"""What the files say against what the books say, one promise after the other."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from holdfast.cli.replay.books import Books
from holdfast.cli.replay.placing import PlacedOrder
from holdfast.cli.replay.sales import CURRENCY, Invoice, Sales
from holdfast.kernel.money import Money

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One comparison: what there should be, what there is, and where it differs."""

    what: str
    expected: str
    found: str
    differences: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        return self.expected == self.found and not self.differences


_PAID = frozenset({"confirmed", "completed"})


def compare(sales: Sales, books: Books) -> list[Finding]:
    """Hold the books against the files."""
    paid = [order for order in books.orders if order.status in _PAID]
    return [
        _orders(sales, books, paid),
        _lines(sales, paid),
        Finding("units sold", _count(sales.units), _count(_units(paid))),
        Finding("revenue", str(sales.revenue), str(_sum(o.total for o in paid))),
        *_stock(sales, books),
        *_money(books, paid),
    ]


def _orders(sales: Sales, books: Books, paid: Sequence[PlacedOrder]) -> Finding:
    wanted = sales.invoices.keys()
    number_of = Counter(order.invoice for order in paid)
    pending = [o.invoice for o in books.orders if o.status == "pending"]
    return Finding(
        "orders paid",
        _count(len(wanted)),
        _count(len(paid)),
        (
            *_named("not ordered", sorted(wanted - number_of.keys() - set(pending))),
            *_named("payment still open", sorted(pending)),
            *_named("ordered twice", sorted(i for i, n in number_of.items() if n > 1)),
            *_named("in no file", sorted(number_of.keys() - wanted)),
        ),
    )


def _lines(sales: Sales, paid: Iterable[PlacedOrder]) -> Finding:
    unlike = [
        f"{order.invoice} ({order.number})"
        for order in paid
        if (invoice := sales.invoices.get(order.invoice)) is not None
        and not _alike(order, invoice)
    ]
    return Finding(
        "orders unlike their invoice",
        _count(0),
        _count(len(unlike)),
        _named("other lines or another total", unlike),
    )


def _alike(order: PlacedOrder, invoice: Invoice) -> bool:
    ordered = [(n.sku, n.quantity, n.unit_price) for n in order.lines]
    sold = [(n.code, n.quantity, n.price) for n in invoice.lines]
    return ordered == sold and order.total == invoice.total


def _stock(sales: Sales, books: Books) -> Iterator[Finding]:
    shelves = books.shelves
    missing = [a.code for a in sales.articles if a.code not in shelves]
    left = sum(n.level.on_hand - n.level.reserved for n in shelves.values())

    def those(wrong: Callable[[str], bool]) -> list[str]:
        return [code for code in sorted(shelves) if wrong(code)]

    def free(code: str) -> int:
        return shelves[code].level.on_hand - shelves[code].level.reserved

    def gone(code: str) -> int:
        return shelves[code].level.reserved + shelves[code].sold

    yield Finding(
        "units nobody ordered",
        _count(0),
        _count(left),
        (
            *_named("no stock is kept of", missing),
            *_named("units left", those(lambda c: free(c) != 0)),
        ),
    )
    negative = those(
        lambda c: (
            min(shelves[c].level.on_hand, shelves[c].level.reserved) < 0
            or shelves[c].level.on_hand < shelves[c].level.reserved
        )
    )
    yield Finding(
        "SKUs below zero",
        _count(0),
        _count(len(negative)),
        _named("oversold", negative),
    )
    wanted = {article.code: article.units for article in sales.articles}
    yield Finding(
        "units promised or sold",
        _count(sales.units),
        _count(sum(gone(code) for code in shelves)),
        _named("other number", those(lambda c: gone(c) != wanted[c])),
    )
    unbalanced = those(lambda c: shelves[c].moved != shelves[c].level.on_hand)
    yield Finding(
        "SKUs off their ledger",
        _count(0),
        _count(len(unbalanced)),
        _named("ledger and stock differ", unbalanced),
    )


def _money(books: Books, paid: Sequence[PlacedOrder]) -> Iterator[Finding]:
    captured = [charge for charge in books.charges if charge.status == "captured"]
    by_key: dict[str, list[Money]] = {}
    for charge in captured:
        amount = Money(charge.amount, charge.currency)
        by_key.setdefault(charge.key, []).append(amount)
    wrong = [
        f"{order.invoice} ({order.number})"
        for order in paid
        # Nothing is charged for nothing.
        if by_key.get(order.id, []) != ([order.total] if order.total.amount else [])
    ]
    ids = {order.id for order in paid}
    stray = [f"{c.reference} ({c.id})" for c in captured if c.key not in ids]
    pounds = [c for c in captured if c.currency == CURRENCY]
    yield Finding(
        "captured at the provider",
        str(_sum(order.total for order in paid)),
        str(_sum(Money(charge.amount, charge.currency) for charge in pounds)),
        _named("charged without a paid order", stray),
    )
    yield Finding(
        "orders without exactly their charge",
        _count(0),
        _count(len(wrong)),
        _named("not charged exactly once and in full", wrong),
    )


def _units(orders: Iterable[PlacedOrder]) -> int:
    return sum(line.quantity for order in orders for line in order.lines)


def _sum(amounts: Iterable[Money]) -> Money:
    return sum(amounts, Money(0, CURRENCY))


def _count(number: int) -> str:
    return f"{number:,}"


def _named(what: str, names: Sequence[str]) -> tuple[str, ...]:
    """A difference with some of the names it is about; nothing without names."""
    if not names:
        return ()
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return (f"{what}: {', '.join(names[:_NAMED])}{more}",)
