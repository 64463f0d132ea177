"""What a file says of products that their documents do not, read a page at a time.

Where their categories stand, and what their variants cost besides: a reader of the shop
is told the one by the tree of categories, the other by his own prices.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from holdfast.domain.catalog.arrivals import OtherPrice
from holdfast.domain.catalog.model import Product
from holdfast.kernel.money import Money
from holdfast.platform import sql
from holdfast.platform.db import Connection

_SQL = sql.load("holdfast.domain.catalog")
_PATHS = _SQL["paths"]
_OTHER_PRICES = _SQL["other_prices"]


@dataclass(frozen=True, slots=True)
class Besides:
    """What there is to be said of some products besides."""

    paths: Mapping[UUID, Sequence[tuple[str, str]]] = field(default_factory=dict)
    """By category, handles and names of those above it, from the top down."""
    prices: Mapping[UUID, Sequence[OtherPrice]] = field(default_factory=dict)
    """By variant; of the shop's own prices, those that are not over."""


async def besides(
    connection: Connection, products: Sequence[Product], *, at: datetime
) -> Besides:
    """The same of these products at a moment; two statements."""
    categories = {one.id for product in products for one in product.categories}
    variants = [variant.id for product in products for variant in product.variants]
    paths = await connection.fetch(_PATHS, list(categories)) if categories else []
    prices: dict[UUID, list[OtherPrice]] = {}
    for row in await connection.fetch(_OTHER_PRICES, variants, at):
        currency, compare_at = row["currency"], row["compare_at_amount"]
        price = OtherPrice(
            Money(row["amount"], currency),
            None if compare_at is None else Money(compare_at, currency),
            row["min_quantity"],
            row["starts_at"],
            row["ends_at"],
        )
        prices.setdefault(row["variant_id"], []).append(price)
    return Besides(
        {
            row["id"]: list(zip(row["handles"], row["names"], strict=True))
            for row in paths
        },
        prices,
    )
