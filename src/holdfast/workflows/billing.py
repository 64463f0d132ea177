"""What an invoice comes to: sums over an order as it stands, which add up.

Pure. What was canceled is not charged for, and what an edit added is: the goods are the
amounts of the lines that are shown. Below the total stands the money that moved, and
what of it is still to move, either way. Amounts are in minor units.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from holdfast.domain import ordering
from holdfast.domain.ordering import Order, OrderEvent, OrderLine
from holdfast.domain.payments import Progress, Refund
from holdfast.kernel.money import Money

_OWED = frozenset({"refund_owed", "refund_failed"})
_GIVEN = "refund"


@dataclass(frozen=True, slots=True)
class Bill:
    """What an order comes to, what was paid of it, and what is still to move."""

    goods: Money
    shipping: Money
    credit: Money
    """What goods that came back pay of it."""
    paid: Money
    given_back: Money
    promised: Money
    """On its way back to the buyer."""
    owed: Money
    """To go back, and not on its way: a refund failed, or the shop pays by hand."""

    @property
    def total(self) -> Money:
        whole = self.goods + self.shipping
        return Money(whole.amount - self.credit.amount, whole.currency)

    @property
    def to_pay(self) -> Money:
        """What was not paid yet: it is set aside, and taken when something is sent."""
        missing = max(0, self.total.amount - self.paid.amount)
        return Money(missing, self.paid.currency)

    @property
    def remaining(self) -> Money:
        """What the shop keeps once everything has moved that is to go back."""
        back = self.given_back + self.promised + self.owed
        return Money(self.paid.amount - back.amount, self.paid.currency)

    @property
    def is_touched(self) -> bool:
        """Whether money went back, or is to."""
        return self.remaining != self.paid


def charged_units(line: OrderLine) -> int:
    """How many units of a line are charged for; what came back was, and is refunded."""
    return line.quantity - line.canceled


def charged(line: OrderLine) -> Money:
    return line.unit_price * charged_units(line)


def bill(order: Order, refunds: Iterable[Refund], events: Sequence[OrderEvent]) -> Bill:
    """Reckon an order up; *refunds* and *events* are all there are of it."""
    known = [refund for refund in refunds if not refund.stray]
    given, promised = (
        sum(refund.amount.amount for refund in known if refund.status is status)
        for status in (Progress.SUCCEEDED, Progress.PENDING)
    )
    value = ordering.value_of(order).amount
    shipping = order.shipping.price.amount if ordering.is_kept(order.lines) else 0
    kept = order.captured_amount - given - promised
    owed = max(kept - value, _left_owed(events) - promised)

    def money(amount: int) -> Money:
        return Money(amount, order.currency)

    return Bill(
        goods=money(ordering.kept_of(order.lines)),
        shipping=money(shipping),
        credit=money(ordering.worth_of(order).amount - value),
        paid=money(order.captured_amount),
        given_back=money(given),
        promised=money(promised),
        owed=money(max(0, min(owed, kept))),
    )


def _left_owed(events: Iterable[OrderEvent]) -> int:
    """What was owed and has not gone back since.

    A refund pays what was owed before it. One out of kindness, before anything was
    owed, pays nothing of what is owed later.
    """
    owed = 0
    for event in events:
        if event.kind in _OWED:
            owed += event.detail["amount"]
        elif event.kind == _GIVEN:
            owed = max(0, owed - event.detail["amount"])
    return owed
