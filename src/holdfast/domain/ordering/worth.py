"""What an order is worth now, and how much of its money may be given back.

The totals of an order never change. What its buyer keeps is less once lines were
canceled; the difference is what is owed to them. The price of the shipping is given
back with the last line, not before: something is still sent.
"""

from collections.abc import Iterable, Mapping

from holdfast.domain.ordering.errors import LinesNotOpen
from holdfast.domain.ordering.model import Order, OrderLine
from holdfast.domain.ordering.states import PaymentStatus
from holdfast.kernel.money import Money


def kept_of(lines: Iterable[OrderLine]) -> int:
    """What lines cost that were not canceled, in minor units."""
    return sum(n.unit_price.amount * (n.quantity - n.canceled) for n in lines)


def is_kept(lines: Iterable[OrderLine]) -> bool:
    """Whether anything was not canceled."""
    return any(line.quantity > line.canceled for line in lines)


def worth_of(order: Order) -> Money:
    """What the buyer keeps, shipping included, however it is paid."""
    shipping = order.shipping.price.amount if is_kept(order.lines) else 0
    return Money(kept_of(order.lines) + shipping, order.currency)


def value_of(order: Order) -> Money:
    """What of its worth is to be paid in money: goods that came back pay the rest."""
    worth = worth_of(order)
    return Money(max(0, worth.amount - order.credit_amount), order.currency)


def refundable(order: Order) -> Money:
    """What may still be given back: captured, and not given back or about to be."""
    given = order.refunded_amount + order.refunding_amount
    return Money(order.captured_amount - given, order.currency)


def owed(before: Order, after: Order) -> Money:
    """What the buyer is not to pay because an order is worth less than it was.

    Of money that was captured never more than there is to give back: a refund made
    out of kindness before was made in advance.
    """
    less = max(0, value_of(before).amount - value_of(after).amount)
    if after.payment_status is not PaymentStatus.AUTHORIZED:
        less = min(less, refundable(after).amount)
    return Money(less, after.currency)


def credit_owed(before: Order, after: Order, earned: int) -> Money:
    """What of that was paid with goods that came back: their own order owes it.

    Never more than they *earned*: an order that was sent before they arrived may have
    been given more for them.
    """
    credit = min(before.credit_amount, earned)
    used = [min(credit, worth_of(order).amount) for order in (before, after)]
    return Money(max(0, used[0] - used[1]), after.currency)


def price_of(order: Order, quantities: Mapping[int, int]) -> Money:
    """What units of lines cost, by position; ``LinesNotOpen`` if there are not so many.

    Canceled units do not count: they were given back when they were canceled.
    """
    kept = {line.position: line.quantity - line.canceled for line in order.lines}
    wrong = [
        position
        for position, quantity in quantities.items()
        if not 1 <= quantity <= kept.get(position, 0)
    ]
    if wrong or not quantities:
        raise LinesNotOpen(sorted(wrong))
    amount = sum(
        line.unit_price.amount * quantities.get(line.position, 0)
        for line in order.lines
    )
    return Money(amount, order.currency)
