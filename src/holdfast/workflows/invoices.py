"""The invoice of an order as PDF: what was sold, canceled, returned, paid, given back.

Its number is the order's. It is drawn when it is asked for, from the order as it is
then, in a thread: the event loop serves others meanwhile. The same order gives the same
bytes, whoever asks and however often.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from holdfast.domain import ordering, payments
from holdfast.domain.ordering import Order, OrderLine, OrderStatus
from holdfast.domain.payments import Progress, Refund
from holdfast.kernel.errors import Conflict, Unavailable
from holdfast.kernel.money import Money
from holdfast.platform.db import Connection
from holdfast.workflows.billing import Bill, bill, charged, charged_units

# A drawing keeps one core busy for a tenth of a second, and a thousand lines for two:
# more at once would only take longer together.
_AT_ONCE = 1
_MOST_WAITING = 20


@dataclass(eq=False)
class InvoiceNotReady(Conflict):
    """An order has an invoice once it is confirmed."""

    order_status: OrderStatus


@dataclass(eq=False)
class InvoicesBusy(Unavailable):
    """So many invoices are being made that this one has to wait."""

    retry_after_seconds: float = 2.0


@dataclass
class Press:
    """Draws invoices, one at a time in a process; of the rest a few may wait."""

    seller: Sequence[str]
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    waiting: int = 0

    async def invoice(self, connection: Connection, order: Order) -> bytes:
        """The invoice of an order; ``InvoiceNotReady`` or ``InvoicesBusy``."""
        if order.status in (OrderStatus.PENDING, OrderStatus.FAILED):
            raise InvoiceNotReady(order.status)
        if self.waiting >= _MOST_WAITING:
            raise InvoicesBusy
        refunds = await payments.refunds_of(connection, order.id)
        events = await ordering.events_of(connection, order.id)
        reckoned = bill(order, refunds, events)
        given = [
            refund
            for refund in refunds
            if refund.status is Progress.SUCCEEDED and not refund.stray
        ]
        self.waiting += 1
        try:
            async with self.turn:
                return await asyncio.to_thread(
                    draw, order, reckoned, given, self.seller
                )
        finally:
            self.waiting -= 1


def draw(
    order: Order, reckoned: Bill, refunds: Sequence[Refund], seller: Sequence[str]
) -> bytes:
    """The invoice as PDF; *refunds* are those that were given back."""
    # Here, because it takes 0.4 s and 30 MiB, and few processes ever draw one.
    from holdfast.platform.paper import Column, Paper, Row  # noqa: PLC0415

    issued = order.settled_at or order.placed_at
    paper = Paper(title=f"Invoice {order.label}", foot=seller[0], made_at=issued)
    paper.block(seller, align="R")
    paper.heading("Invoice")
    facts = [
        ("Invoice number", order.label),
        ("Date", _day(issued)),
        ("Order of", _day(order.placed_at)),
        ("Payment", order.payment_reference or ""),
    ]
    if order.canceled_at is not None:
        facts.append(("Canceled", _day(order.canceled_at)))
    paper.fields(facts)
    paper.gap()
    paper.block(_buyer(order))
    paper.gap()
    columns = [
        Column("Description", 0.46),
        Column("Quantity", 0.1, "R"),
        Column("Unit price", 0.22, "R"),
        Column("Amount", 0.22, "R"),
    ]
    paper.table(columns, [Row(_cells(line), _remark(line)) for line in order.lines])
    paper.gap(3)
    paper.sums(_sums(order.shipping.method, reckoned), bold=("Total",))
    paper.gap(3)
    for refund in refunds:
        paper.note(_refund(refund))
    return paper.finish()


def _cells(line: OrderLine) -> tuple[str, ...]:
    """As it stands: canceled units are named below it, and not charged for."""
    units, amount = charged_units(line), charged(line)
    return line.title, str(units), str(line.unit_price), str(amount)


def _remark(line: OrderLine) -> str:
    remarks = [line.sku]
    remarks += [f"{line.canceled} canceled"] if line.canceled else []
    remarks += [f"{line.returned} returned"] if line.returned else []
    return ", ".join(remarks)


def _buyer(order: Order) -> list[str]:
    """Name and address; nothing of somebody who was erased."""
    where = order.shipping_address
    if where is None:
        return []
    town = " ".join(filter(None, (where.postal_code, where.city)))
    lines = (where.name, where.line1, where.line2, town, where.region, where.country)
    return [line for line in lines if line]


def _sums(method: str, reckoned: Bill) -> list[tuple[str, str]]:
    sums = [
        ("Subtotal", str(reckoned.goods)),
        (f"Shipping ({method})", str(reckoned.shipping)),
    ]
    if reckoned.credit.amount:
        sums.append(("Credit", _less(reckoned.credit)))
    sums += [("Total", str(reckoned.total)), ("Paid", str(reckoned.paid))]
    if reckoned.to_pay.amount:
        sums.append(("To be paid", str(reckoned.to_pay)))
    back = (
        ("Given back", reckoned.given_back),
        ("On its way back", reckoned.promised),
        ("To be given back", reckoned.owed),
    )
    sums += [(name, _less(amount)) for name, amount in back if amount.amount]
    if reckoned.is_touched:
        sums.append(("Remaining", str(reckoned.remaining)))
    return sums


def _refund(refund: Refund) -> str:
    at = refund.settled_at or refund.requested_at
    reference = f" ({refund.reference})" if refund.reference else ""
    return f"{_day(at)}: {refund.amount} given back{reference}"


def _less(money: Money) -> str:
    return f"-{money}"


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%d")
