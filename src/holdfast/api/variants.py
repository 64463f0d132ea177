"""The variants of a product, each at an address of its own.

They are versioned with their product: the tag of either is what a change of the other
compares, since two variants must not have the same options. What one costs whoever asks
is said with it where it is read, as in the product.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response

from holdfast.api import editions, languages, offers
from holdfast.api.editions import IfMatch, IfNoneMatch
from holdfast.api.languages import AcceptLanguage
from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.products import NewVariant
from holdfast.api.shapes import Amount
from holdfast.api.shop import Shop
from holdfast.domain import catalog
from holdfast.domain.identity import Caller, may
from holdfast.kernel.negotiation import Preference
from holdfast.kernel.page import DEFAULT_LIMIT, Page, decode_id_cursor, encode_cursor
from holdfast.workflows import variants as workflows

_ENCODER = msgspec.json.Encoder()

OneVariant = Annotated[Response[Any], offers.OfferedVariant]
Variants = Annotated[Response[Any], Listing[offers.OfferedVariant]]


class _Varied(msgspec.Struct, frozen=True):
    """Of a product, what it comes in."""

    variants: tuple[offers.OfferedVariant, ...]


_decoder = msgspec.json.Decoder(_Varied)


class VariantEdits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a variant; what is absent stays as it is."""

    sku: str | msgspec.UnsetType = msgspec.UNSET
    price: Amount | msgspec.UnsetType = msgspec.UNSET
    options: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    compare_at_price: Amount | msgspec.UnsetType | None = msgspec.UNSET
    weight_grams: int | msgspec.UnsetType = msgspec.UNSET
    barcode: str | msgspec.UnsetType | None = msgspec.UNSET
    image_id: UUID | msgspec.UnsetType | None = msgspec.UNSET
    """One of the product's images."""

    def applied_to(self, variant: catalog.VariantDraft) -> catalog.VariantDraft:
        """The variant with these changes."""
        given: dict[str, Any] = {
            name: value.money if isinstance(value, Amount) else value
            for name in self.__struct_fields__
            if (value := getattr(self, name)) is not msgspec.UNSET
        }
        return replace(variant, **given)


async def browse(
    shop: Shop,
    caller: Caller,
    product: str,
    *,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    currency: offers.Currency = None,
    accept_language: AcceptLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> Variants:
    """List the variants of a product in their order."""
    wanted = languages.wanted(shop, accept_language)
    found = await _visible(shop, caller, product, wanted)
    variants = _variants(await offers.on_one(shop, caller, found, currency))
    start = 0 if after is None else _place(variants, decode_id_cursor(after)) + 1
    items = list(variants[start : start + limit])
    more = start + limit < len(variants)
    page = Page(items, encode_cursor(str(items[-1].id)) if more else None)
    path = f"/v1/products/{product}/variants"
    listed = listing(page, path, limit=limit, currency=currency)
    return languages.answer(
        *(shop, _ENCODER.encode(listed.content), found.languages),
        version=found.version,
        if_none_match=if_none_match,
        headers=listed.headers,
    )


async def show(
    shop: Shop,
    caller: Caller,
    product: str,
    variant_id: UUID,
    *,
    currency: offers.Currency = None,
    accept_language: AcceptLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> OneVariant:
    """One variant of a product."""
    wanted = languages.wanted(shop, accept_language)
    found = await _visible(shop, caller, product, wanted)
    offered = await offers.on_one(shop, caller, found, currency)
    return languages.answer(
        *(shop, _ENCODER.encode(_of(offered, variant_id)), found.languages),
        version=found.version,
        if_none_match=if_none_match,
    )


async def create(
    shop: Shop,
    caller: Caller,
    product: str,
    data: NewVariant,
    if_match: IfMatch = None,
) -> OneVariant:
    """Add a variant with empty stock; its options must be values of the product's."""
    versions = None if if_match is None else editions.versions(if_match)
    found = await shop.products.find(product)
    changed, variant_id = await workflows.add_variant(
        *(shop.db, found.id, data.draft),
        clock=shop.clock,
        actor=caller.actor,
        versions=versions,
    )
    location = f"/v1/products/{found.id}/variants/{variant_id}"
    return _answer(changed, variant_id, headers={"Location": location})


async def change(
    shop: Shop,
    caller: Caller,
    product: str,
    variant_id: UUID,
    *,
    data: VariantEdits,
    if_match: IfMatch = None,
) -> OneVariant:
    """Change a variant, if nobody changed its product since it was read."""
    versions = editions.versions(if_match)
    found = await shop.products.find(product)
    changed = await workflows.change_variant(
        *(shop.db, found.id, variant_id, data.applied_to),
        clock=shop.clock,
        actor=caller.actor,
        versions=versions,
    )
    return _answer(changed, variant_id)


async def delete(
    shop: Shop,
    caller: Caller,
    product: str,
    variant_id: UUID,
    if_match: IfMatch = None,
) -> None:
    """Delete a variant that was never sold nor kept in stock."""
    versions = editions.versions(if_match)
    found = await shop.products.find(product)
    await workflows.delete_variant(
        *(shop.db, found.id, variant_id),
        clock=shop.clock,
        actor=caller.actor,
        versions=versions,
    )


async def _visible(
    shop: Shop, caller: Caller, product: str, wanted: Preference | None
) -> catalog.Document:
    found = await shop.products.find(product, wanted)
    if found.status != "active" and not may(caller, "products:read"):
        raise catalog.ProductNotFound
    return found


def _place(variants: Sequence[offers.OfferedVariant], last: UUID) -> int:
    """Where the page before ended; it was the first if that variant is gone."""
    places = (n for n, variant in enumerate(variants) if variant.id == last)
    return next(places, -1)


def _answer(
    document: catalog.Document,
    variant_id: UUID,
    *,
    headers: dict[str, str] | None = None,
) -> Response[Any]:
    variant = _of(document.json, variant_id)
    return editions.answer(
        _ENCODER.encode(variant), version=document.version, headers=headers
    )


def _variants(product: str) -> tuple[offers.OfferedVariant, ...]:
    return _decoder.decode(product).variants


def _of(product: str, variant_id: UUID) -> offers.OfferedVariant:
    for variant in _variants(product):
        if variant.id == variant_id:
            return variant
    raise catalog.VariantNotFound
