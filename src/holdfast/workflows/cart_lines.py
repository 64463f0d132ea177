"""Lines as they are asked for, priced for whoever they are for.

An operator may name a unit price; every other is the one that holds at the moment, for
as many units of the variant as are asked for in all.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from holdfast.domain import ordering, pricing
from holdfast.domain.ordering import Line, Listed, NewLine
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.platform.db import Connection
from holdfast.workflows.prices import holding_of


@dataclass(frozen=True, slots=True)
class LineWanted:
    """A line as a client asks for it.

    A unit price other than the catalogue's is for callers with the scope
    ``prices:override``; the door the request came in by has checked that.
    """

    sku: str
    quantity: int
    unit_price: Money | None = None


async def price(
    connection: Connection,
    wanted: Sequence[LineWanted],
    currency: str,
    *,
    account_id: UUID | None,
    at: datetime,
) -> list[Line]:
    """Price what is wanted by whoever it is for, or say what cannot be sold."""
    ordering.check_line_count(len(wanted))
    for line in wanted:
        ordering.check_quantity(line.sku, line.quantity)
        if line.unit_price is not None:
            ordering.check_currency(currency, line.sku, line.unit_price.currency)
    if not wanted:
        return []
    skus = sorted({line.sku for line in wanted})
    wares = await pricing.wares(
        connection, skus, currency=currency, account_id=account_id, at=at
    )
    if unknown := [sku for sku in skus if sku not in wares]:
        raise ordering.UnknownSku(unknown)
    if inactive := [sku for sku in skus if not wares[sku].active]:
        raise ordering.VariantUnavailable(inactive)
    # Sorted, because lines made in one millisecond would otherwise come back in
    # any order, and a cart shows its lines by id.
    ids = sorted(new_id() for _ in wanted)
    units = Counter[str]()
    for line in wanted:
        units[line.sku] += line.quantity if line.unit_price is None else 0
    lines = []
    for line_id, line in zip(ids, wanted, strict=True):
        ware = wares[line.sku]
        base_currency, base_amount = ware.base
        unit_price = line.unit_price
        if unit_price is None:
            holding = holding_of(ware.book, units[line.sku], at)
            if holding is None:
                raise ordering.CurrencyMismatch(line.sku, currency, base_currency)
            unit_price = Money(holding.amount, currency)
        lines.append(
            Line(
                line_id,
                ware.variant_id,
                line.sku,
                ware.title,
                line.quantity,
                unit_price,
                ware.weight_grams,
                listed=Listed(base_currency, base_amount, ware.entries)
                if line.unit_price is None
                else None,
            )
        )
    return lines


def to_store(lines: Sequence[Line], wanted: Sequence[LineWanted]) -> list[NewLine]:
    """Priced lines as they are stored: with a price only where an operator set it."""
    return [
        NewLine(
            line.id,
            line.variant_id,
            line.quantity,
            None if asked.unit_price is None else asked.unit_price.amount,
        )
        for line, asked in zip(lines, wanted, strict=True)
    ]
