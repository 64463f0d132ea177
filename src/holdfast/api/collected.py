"""The products of a collection by hand: put in, added, moved and taken out.

They are part of the collection, and have its version.
"""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response

from holdfast.api import editions
from holdfast.api.collections import OneCollection
from holdfast.api.editions import IfMatch
from holdfast.api.shop import Shop
from holdfast.domain import catalog
from holdfast.domain.identity import Caller
from holdfast.workflows import collections as workflows

_ENCODER = msgspec.json.Encoder()

Place = Annotated[
    int,
    msgspec.Meta(ge=1, le=10_000, description="1 is the first; the others move up."),
]


class CollectedWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is in a collection, and nothing else."""

    products: list[str]
    """Ids or handles, in order; at most 1,000."""


class NewCollected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A product for a collection: last, unless it is said."""

    product: str
    """Id or handle."""
    position: Place | msgspec.UnsetType = msgspec.UNSET


class CollectedMove(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a product of a collection is to stand."""

    position: Place


async def replace(
    shop: Shop,
    caller: Caller,
    collection: str,
    data: CollectedWanted,
    if_match: IfMatch = None,
) -> OneCollection:
    """Put these products into a collection, in this order, and no others."""
    versions = editions.versions(if_match)
    found = await catalog.find_collection(shop.db, collection)
    changed = await workflows.put_products(
        *(shop.db, found.id, data.products),
        clock=shop.clock,
        actor=caller.actor,
        versions=versions,
    )
    return _answer(changed)


async def add(
    shop: Shop,
    caller: Caller,
    collection: str,
    data: NewCollected,
    if_match: IfMatch = None,
) -> OneCollection:
    """Put one more product into a collection."""
    versions = None if if_match is None else editions.versions(if_match)
    found = await catalog.find_collection(shop.db, collection)
    changed = await workflows.add_product(
        *(shop.db, found.id, data.product),
        None if data.position is msgspec.UNSET else data.position,
        clock=shop.clock,
        actor=caller.actor,
        versions=versions,
    )
    return _answer(changed)


async def move(  # noqa: PLR0917 - what a change of a part is made of
    shop: Shop,
    caller: Caller,
    collection: str,
    product: str,
    data: CollectedMove,
    if_match: IfMatch = None,
) -> OneCollection:
    """Let a product of a collection stand elsewhere."""
    versions = editions.versions(if_match)
    found = await catalog.find_collection(shop.db, collection)
    changed = await workflows.move_product(
        *(shop.db, found.id, await _product(shop, product), data.position),
        clock=shop.clock,
        actor=caller.actor,
        versions=versions,
    )
    return _answer(changed)


async def remove(
    shop: Shop,
    caller: Caller,
    collection: str,
    product: str,
    if_match: IfMatch = None,
) -> None:
    """Take a product out of a collection; the product itself stays."""
    versions = editions.versions(if_match)
    found = await catalog.find_collection(shop.db, collection)
    await workflows.remove_product(
        *(shop.db, found.id, await _product(shop, product)),
        clock=shop.clock,
        actor=caller.actor,
        versions=versions,
    )


async def _product(shop: Shop, key: str) -> UUID:
    """Its id; ``NotInCollection`` if there is no such product at all."""
    product_id = catalog.parse_id(key)
    if product_id is not None:
        return product_id
    try:
        return (await shop.products.find(key)).id
    except catalog.ProductNotFound:
        raise catalog.NotInCollection from None


def _answer(collection: catalog.Collection) -> Response[Any]:
    return editions.answer(_ENCODER.encode(collection), version=collection.version)
