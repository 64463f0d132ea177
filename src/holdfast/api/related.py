"""Products that go with a product: a buyer sees those on sale."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response

from holdfast.api import editions, languages, offers
from holdfast.api.editions import IfMatch, IfNoneMatch
from holdfast.api.languages import AcceptLanguage
from holdfast.api.shop import Shop
from holdfast.domain import catalog
from holdfast.domain.identity import Caller, may
from holdfast.kernel.negotiation import Preference
from holdfast.workflows import related as workflows


class Related(msgspec.Struct, frozen=True):
    """The products related to one, in their order."""

    items: list[offers.OfferedProduct]


class RelatedWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a product is related to, and to nothing else."""

    products: list[str]
    """Ids or handles, in order."""


RelatedProducts = Annotated[Response[Any], Related]


async def show(
    shop: Shop,
    caller: Caller,
    product: str,
    *,
    currency: offers.Currency = None,
    accept_language: AcceptLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> RelatedProducts:
    """List the products related to one."""
    found = await shop.products.find(product)
    if found.status != "active" and not may(caller, "products:read"):
        raise catalog.ProductNotFound
    return await _answer(
        *(shop, caller, found.id, found.version),
        currency=currency,
        wanted=languages.wanted(shop, accept_language),
        if_none_match=if_none_match,
    )


async def replace(
    shop: Shop,
    caller: Caller,
    product: str,
    data: RelatedWanted,
    if_match: IfMatch = None,
) -> RelatedProducts:
    """Relate a product to these and to no others."""
    versions = editions.versions(if_match)
    found = await shop.products.find(product)
    version = await workflows.relate(
        *(shop.db, found.id, data.products),
        clock=shop.clock,
        actor=caller.actor,
        versions=versions,
    )
    return await _answer(shop, caller, found.id, version)


async def _answer(
    shop: Shop,
    caller: Caller,
    product_id: UUID,
    version: int,
    *,
    currency: str | None = None,
    wanted: Preference | None = None,
    if_none_match: str | None = None,
) -> Response[Any]:
    others = await catalog.related(shop.db, product_id, at=shop.clock(), wanted=wanted)
    shown = [
        other
        for other in others
        if other.status == "active" or may(caller, "products:read")
    ]
    items = ",".join(other.json for other in shown)
    items = await offers.on_many(shop, caller, items, currency)
    return languages.answer(
        *(shop, f'{{"items":[{items}]}}'.encode(), languages.of(shop, shown)),
        version=version,
        if_none_match=if_none_match,
    )
