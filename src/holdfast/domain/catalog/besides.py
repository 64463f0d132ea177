"""What a file says of products that their documents do not, read a page at a time.

Where their categories stand, what their variants cost besides, what they are related
to and called in other languages: a reader of the shop is told each at another address.
What an attribute refers to has its handle here: ids are those of one shop.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from holdfast.domain.catalog.arrivals import OtherPrice
from holdfast.domain.catalog.carried import (
    handles_of,
    references_among,
    related_to,
    texts_of,
)
from holdfast.domain.catalog.model import Product
from holdfast.domain.catalog.translations import ProductTexts
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
    related: Mapping[UUID, list[str]] = field(default_factory=dict)
    """By product, handles in their order."""
    texts: Mapping[UUID, Mapping[str, ProductTexts]] = field(default_factory=dict)
    """By product and language."""
    references: Mapping[UUID, Mapping[str, str]] = field(default_factory=dict)
    """By product and the code of an attribute, the handle it refers to."""


async def besides(
    connection: Connection, products: Sequence[Product], *, at: datetime
) -> Besides:
    """The same of these products at a moment; at most six statements."""
    categories = {one.id for product in products for one in product.categories}
    ids = [product.id for product in products]
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
        {
            id_: [*handles]
            for id_, handles in (await related_to(connection, ids)).items()
        },
        await texts_of(connection, ids),
        await _references(connection, products),
    )


async def _references(
    connection: Connection, products: Sequence[Product]
) -> dict[UUID, dict[str, str]]:
    codes = {code for product in products for code in product.attributes}
    kinds = await references_among(connection, sorted(codes)) if codes else frozenset()
    wanted = {
        (product.id, code): UUID(str(value))
        for product in products
        for code, value in product.attributes.items()
        if code in kinds
    }
    handles = await handles_of(connection, [*wanted.values()]) if wanted else {}
    told: dict[UUID, dict[str, str]] = {}
    for (product_id, code), referred in wanted.items():
        # One that is gone meanwhile was referred to a moment ago.
        if (handle := handles.get(referred)) is not None:
            told.setdefault(product_id, {})[code] = handle
    return told
