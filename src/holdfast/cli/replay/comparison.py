"""What the files say against what the books say, one promise after the other."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from holdfast.cli.replay.books import Books
from holdfast.cli.replay.placing import PlacedOrder
from holdfast.cli.replay.returning import PlacedReturn
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
        *_returns(sales, books, paid),
        *_stock(sales, books),
        *_money(sales, books, paid),
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


def _returns(
    sales: Sales, books: Books, paid: Sequence[PlacedOrder]
) -> Iterator[Finding]:
    invoice_of = {order.id: order.invoice for order in books.orders}
    done = {
        (one.text, invoice_of[one.order_id]): one
        for one in books.returns
        if one.order_id in invoice_of and one.status == "completed"
    }
    wanted = {(n.number, n.invoice): n for n in sales.canceled.comebacks}
    unlike = [
        f"{number} of {invoice}"
        for (number, invoice), back in wanted.items()
        if (one := done.get((number, invoice))) is not None
        and (_restocked(one) != back.units or one.refund.amount != back.worth)
    ]
    yield Finding(
        "returns completed",
        _count(len(wanted)),
        _count(len(done)),
        (
            *_named("not returned", [f"{n} of {i}" for n, i in wanted - done.keys()]),
            *_named("in no file", [f"{n} of {i}" for n, i in done.keys() - wanted]),
            *_named("other units or another refund", unlike),
        ),
    )
    came_back = sum(n.returned_quantity for order in paid for n in order.lines)
    yield Finding(
        "units returned", _count(sales.canceled.matched_units), _count(came_back)
    )
    wrong = [
        f"{order.invoice} ({order.number})"
        for order in paid
        if order.payment.refunded_amount.amount != sales.refunds.get(order.invoice, 0)
    ]
    yield Finding(
        "refunded",
        str(sales.refunded),
        str(_sum(order.payment.refunded_amount for order in paid)),
        _named("another amount", wrong),
    )


def _restocked(one: PlacedReturn) -> dict[int, int]:
    return {line.position: line.restocked_quantity for line in one.lines}


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

    def back(code: str) -> int:
        return sales.returned.get(code, 0)

    yield Finding(
        "units free to be sold",
        _count(sales.canceled.matched_units),
        _count(left),
        (
            *_named("no stock is kept of", missing),
            *_named("not those that came back", those(lambda c: free(c) != back(c))),
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
    taken_back = sum(shelf.returned for shelf in shelves.values())
    yield Finding(
        "units returned in the ledger",
        _count(sales.canceled.matched_units),
        _count(taken_back),
        _named("another number", those(lambda c: shelves[c].returned != back(c))),
    )
    unbalanced = those(lambda c: shelves[c].moved != shelves[c].level.on_hand)
    yield Finding(
        "SKUs off their ledger",
        _count(0),
        _count(len(unbalanced)),
        _named("ledger and stock differ", unbalanced),
    )


def _money(
    sales: Sales, books: Books, paid: Sequence[PlacedOrder]
) -> Iterator[Finding]:
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
    by_id = {order.id: order for order in paid}
    stray = [f"{c.reference} ({c.id})" for c in captured if c.key not in by_id]
    pounds = [c for c in captured if c.currency == CURRENCY]
    yield Finding(
        "captured at the provider",
        str(_sum(order.total for order in paid)),
        str(_sum(Money(charge.amount, charge.currency) for charge in pounds)),
        _named("charged without a paid order", stray),
    )
    yield Finding(
        "captured, by its own summary",
        str(Money(sales.revenue.amount + books.others[0], CURRENCY)),
        str(Money(books.summary[0], CURRENCY)),
    )
    unlike = [
        f"{c.reference} ({c.id})"
        for c in captured
        if (order := by_id.get(c.key)) is not None
        and c.refunded_amount != sales.refunds.get(order.invoice, 0)
    ]
    yield Finding(
        "refunded at the provider",
        str(sales.refunded),
        str(Money(sum(c.refunded_amount for c in captured), CURRENCY)),
        _named("another amount", unlike),
    )
    yield Finding(
        "refunded, by its own summary",
        str(Money(sales.refunded.amount + books.others[1], CURRENCY)),
        str(Money(books.summary[1], CURRENCY)),
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
