"""Goods that come back: the states of a return, and the money that follows from it.

Pure. A return asks for units that were shipped; what is received of them is worth what
was paid for it. Of that, other goods are paid first if the buyer wants some (an
exchange), and the rest goes back as money. What was captured for an order and for the
orders that replace parts of it, less what was given back, is therefore always what the
buyer keeps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from holdfast.domain.ordering.errors import LinesNotOpen, ReturnAmountTooLarge
from holdfast.domain.ordering.model import Order
from holdfast.domain.ordering.states import Machine
from holdfast.domain.ordering.worth import refundable, worth_of
from holdfast.kernel.money import Money


class ReturnStatus(StrEnum):
    """Where a return is."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    RECEIVED = "received"
    COMPLETED = "completed"
    CANCELED = "canceled"


class ReturnKind(StrEnum):
    """What the buyer wants for the goods: their money, or other goods."""

    RETURN = "return"
    EXCHANGE = "exchange"


_R = ReturnStatus

RETURN = Machine(
    "return",
    _R.REQUESTED,
    {
        _R.REQUESTED: frozenset({_R.APPROVED, _R.REJECTED, _R.CANCELED}),
        _R.APPROVED: frozenset({_R.RECEIVED, _R.CANCELED}),
        _R.REJECTED: frozenset(),
        # Its money is on the way, or has arrived.
        _R.RECEIVED: frozenset({_R.COMPLETED}),
        _R.COMPLETED: frozenset(),
        _R.CANCELED: frozenset(),
    },
)

UNDER_RETURN = frozenset({_R.REQUESTED, _R.APPROVED})
"""While a return is in one of these, nobody else can return its units."""


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """Units of a line of the order, and what became of them."""

    position: int
    quantity: int
    received: int = 0
    # The rest of what was received was written off.
    restocked: int = 0
    sku: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class ExchangeLine:
    """What the buyer gets instead, at the price of the day on which they asked."""

    variant_id: UUID
    sku: str
    title: str
    quantity: int
    unit_price: Money

    @property
    def total(self) -> Money:
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a return is worth, and where that goes; in minor units of the order."""

    goods: int = 0
    shipping: int = 0
    # What the shop keeps for the trouble.
    fee: int = 0
    # Pays for other goods.
    credit: int = 0
    refund: int = 0


@dataclass(frozen=True, slots=True)
class Return:
    """Goods of an order that come back, or are to."""

    id: UUID
    order_id: UUID
    kind: ReturnKind
    status: ReturnStatus
    reason: str
    actor: str
    requested_at: datetime
    lines: Sequence[ReturnLine]
    exchange: Sequence[ExchangeLine] = ()
    # What the buyer says, and what the shop said to it; None once they were erased.
    text: str | None = None
    answer: str | None = None
    amounts: Amounts = Amounts()
    currency: str = ""
    order_number: int = 0
    location_id: UUID | None = None
    # The cart that became, or is to become, the order of the other goods.
    replacement_id: UUID | None = None
    replacement_order_id: UUID | None = None
    decided_at: datetime | None = None
    received_at: datetime | None = None
    completed_at: datetime | None = None
    canceled_at: datetime | None = None

    @property
    def requested(self) -> dict[int, int]:
        """How many units of each line, by position."""
        return {line.position: line.quantity for line in self.lines}


@dataclass(frozen=True, slots=True)
class Arrival:
    """What was received of a line, and how much of it can be sold again."""

    received: int
    restocked: int


def check_arrivals(asked: Return, arrived: Mapping[int, Arrival]) -> None:
    """Raise ``LinesNotOpen`` for what was not announced, or more than was."""
    announced = asked.requested
    wrong = [
        position
        for position, line in arrived.items()
        if not 1 <= line.received <= announced.get(position, 0)
        or not 0 <= line.restocked <= line.received
    ]
    if wrong or not arrived:
        raise LinesNotOpen(sorted(wrong))


def paid_for(order: Order, units: Mapping[int, int]) -> int:
    """What was paid for units of lines, by position, in minor units."""
    return sum(n.unit_price.amount * units.get(n.position, 0) for n in order.lines)


def available(orders: Sequence[Order]) -> int:
    """What can still be given back for the first of some orders.

    Each of the others is the one that goods came back from to pay for the one before
    it: of its money, no more than they paid.
    """
    found = 0
    for order in reversed(orders):
        found = refundable(order).amount + min(order.credit_amount, found)
    return found


def settled(
    order: Order,
    units: Mapping[int, int],
    *,
    shipping: int,
    shipping_left: int,
    fee: int,
    there: int,
    others: int,
    used: int | None,
) -> Amounts:
    """Where the worth of received *units* goes; ``ReturnAmountTooLarge``.

    *shipping_left* is what of the shipping price did not go back with another return.
    *there* is what can be given back at all: a refund made out of kindness before was
    made in advance. *others* is what the other goods cost; *used* what they were given
    of it already, before these arrived, or None.
    """
    if shipping > shipping_left:
        raise ReturnAmountTooLarge(Money(shipping_left, order.currency))
    goods = paid_for(order, units)
    if fee > goods + shipping:
        raise ReturnAmountTooLarge(Money(goods + shipping, order.currency))
    worth = min(goods + shipping - fee, there)
    credit = min(worth, others) if used is None else used
    return Amounts(goods, shipping, fee, credit, max(0, worth - credit))


def credit_in_use(order: Order) -> int:
    """What of the credit of a replacement still pays for something."""
    return min(order.credit_amount, worth_of(order).amount)
