"""What a return looks like to those who may see it."""

from datetime import datetime
from uuid import UUID

import msgspec

from holdfast.domain.ordering import Return, ReturnKind, ReturnStatus
from holdfast.kernel.money import Money


class ReturnLineView(msgspec.Struct, frozen=True):
    """Units of a line of the order, and what became of them."""

    position: int
    sku: str
    title: str
    quantity: int
    received_quantity: int
    # The rest of what was received was written off.
    restocked_quantity: int


class ExchangeLineView(msgspec.Struct, frozen=True):
    """What the buyer gets instead."""

    sku: str
    title: str
    quantity: int
    unit_price: Money
    total: Money


class ReturnView(msgspec.Struct, frozen=True):
    """A return. `actor` is for operators; so is nothing else."""

    id: UUID
    order_id: UUID
    order_number: str
    kind: ReturnKind
    status: ReturnStatus
    reason: str
    text: str | None
    answer: str | None
    lines: list[ReturnLineView]
    exchange_lines: list[ExchangeLineView]
    # What the goods cost that were received.
    goods: Money
    refund_shipping: Money
    restocking_fee: Money
    # What of it pays for other goods, and what goes back as money.
    credit: Money
    refund: Money
    # The draft order of the other goods, and the order that it became.
    exchange_cart_id: UUID | None
    exchange_order_id: UUID | None
    actor: str | None
    requested_at: datetime
    decided_at: datetime | None
    received_at: datetime | None
    completed_at: datetime | None
    canceled_at: datetime | None

    @classmethod
    def of(cls, found: Return, *, for_operator: bool) -> "ReturnView":
        def money(amount: int) -> Money:
            return Money(amount, found.currency)

        amounts = found.amounts
        return cls(
            id=found.id,
            order_id=found.order_id,
            order_number=f"HF-{found.order_number}",
            kind=found.kind,
            status=found.status,
            reason=found.reason,
            text=found.text,
            answer=found.answer,
            lines=[
                ReturnLineView(
                    *(n.position, n.sku, n.title, n.quantity, n.received, n.restocked)
                )
                for n in found.lines
            ],
            exchange_lines=[
                ExchangeLineView(n.sku, n.title, n.quantity, n.unit_price, n.total)
                for n in found.exchange
            ],
            goods=money(amounts.goods),
            refund_shipping=money(amounts.shipping),
            restocking_fee=money(amounts.fee),
            credit=money(amounts.credit),
            refund=money(amounts.refund),
            exchange_cart_id=found.replacement_id,
            exchange_order_id=found.replacement_order_id,
            actor=found.actor if for_operator else None,
            requested_at=found.requested_at,
            decided_at=found.decided_at,
            received_at=found.received_at,
            completed_at=found.completed_at,
            canceled_at=found.canceled_at,
        )
