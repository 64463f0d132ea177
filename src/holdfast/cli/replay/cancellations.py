"""Which sale a cancellation takes back, as far as the files tell.

The files say who canceled how many of what, and not of which sale. A canceled line is
held against what the same customer has bought of the same article before it, in the
order of the rows: the latest sale first, as much of it as was not canceled yet, and
then the one before. What finds no sale is not invented: the sale may lie before the
first file, or nobody was named.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from holdfast.kernel.money import Money


class Why(StrEnum):
    """Why units of a canceled line have no sale to go back to."""

    NOBODY = "no customer is named"
    NOT_BOUGHT = "the customer has not bought it before, in these files"
    TOO_MANY = "the customer has not bought so many before, in these files"


@dataclass(frozen=True, slots=True)
class Canceled:
    """A line of a cancellation; the quantity is above zero here."""

    number: str
    customer: str
    code: str
    quantity: int
    price: Money


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Units of a canceled line that no sale was found for."""

    line: Canceled
    quantity: int
    why: Why

    @property
    def worth(self) -> Money:
        return self.line.price * self.quantity


@dataclass(slots=True)
class Comeback:
    """What of one invoice comes back with one cancellation."""

    number: str
    invoice: str
    units: dict[int, int] = field(default_factory=dict)
    """By the position of the line of the invoice, from 1."""
    worth: int = 0
    """What was paid for them, in pence."""


@dataclass(slots=True)
class _Sale:
    invoice: str
    position: int
    left: int
    price: Money


@dataclass
class Matching:
    """Sales and cancellations in the order of their rows, and what came of them."""

    lines: int = 0
    matched_units: int = 0
    other_price_units: int = 0
    """Of these, units that were canceled at another price than they were sold at."""
    unmatched: list[Unmatched] = field(default_factory=list)
    _numbers: set[str] = field(default_factory=set)
    _comebacks: dict[tuple[str, str], Comeback] = field(default_factory=dict)
    _sales: dict[tuple[str, str], list[_Sale]] = field(default_factory=dict)

    @property
    def cancellations(self) -> int:
        """How many there are, matched or not."""
        return len(self._numbers)

    @property
    def comebacks(self) -> Sequence[Comeback]:
        """What comes back, in the order of the cancellations."""
        return list(self._comebacks.values())

    def sold(
        self,
        customer: str,
        code: str,
        invoice: str,
        *,
        position: int,
        quantity: int,
        price: Money,
    ) -> None:
        """Somebody bought something."""
        if customer:
            sale = _Sale(invoice, position, quantity, price)
            self._sales.setdefault((customer, code), []).append(sale)

    def canceled(self, line: Canceled) -> None:
        """Somebody gives something back."""
        self.lines += 1
        self._numbers.add(line.number)
        sales = self._sales.get((line.customer, line.code), [])
        wanted = line.quantity
        for sale in reversed(sales):
            taken = min(wanted, sale.left)
            if taken:
                self._take(line, sale, taken)
                wanted -= taken
        if wanted:
            self.unmatched.append(Unmatched(line, wanted, _why(line, wanted)))

    def _take(self, line: Canceled, sale: _Sale, quantity: int) -> None:
        sale.left -= quantity
        self.matched_units += quantity
        if sale.price != line.price:
            self.other_price_units += quantity
        back = self._comebacks.setdefault(
            (line.number, sale.invoice), Comeback(line.number, sale.invoice)
        )
        back.units[sale.position] = back.units.get(sale.position, 0) + quantity
        back.worth += sale.price.amount * quantity


def _why(line: Canceled, left: int) -> Why:
    if not line.customer:
        return Why.NOBODY
    return Why.NOT_BOUGHT if left == line.quantity else Why.TOO_MANY
