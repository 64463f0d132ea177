"""The catalogue in PostgreSQL: one short function for each statement."""

from collections.abc import Sequence

from holdfast.domain.catalog.model import Offer
from holdfast.kernel.money import Money
from holdfast.platform import sql
from holdfast.platform.db import Connection

_SQL = sql.load("holdfast.domain.catalog")
_OFFERS = _SQL["offers"]


async def offers(connection: Connection, skus: Sequence[str]) -> dict[str, Offer]:
    """What is known of these SKUs, by SKU; unknown ones are absent."""
    # PostgreSQL cannot hold NUL in a text, so no variant has such a SKU.
    known = [sku for sku in skus if "\x00" not in sku]
    rows = await connection.fetch(_OFFERS, known)
    return {
        row["sku"]: Offer(
            variant_id=row["variant_id"],
            sku=row["sku"],
            title=" - ".join(filter(None, (row["title"], row["variant_title"]))),
            price=Money(row["price_amount"], row["currency"]),
            weight_grams=row["weight_grams"],
            active=row["active"],
        )
        for row in rows
    }
