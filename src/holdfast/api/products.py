"""Products: anybody reads what is on sale, operators read and write everything.

A product travels as JSON text from the database to the client; no object is
built for it on the way (see ``catalog.documents``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response

from holdfast.api import editions, languages, matching, offers
from holdfast.api.editions import IfMatch, IfNoneMatch
from holdfast.api.languages import AcceptLanguage
from holdfast.api.listing import After, Limit, Listing, listing_of_json
from holdfast.api.protection import extras
from holdfast.api.shapes import Amount
from holdfast.api.shop import Shop
from holdfast.domain import catalog
from holdfast.domain.identity import Caller, may
from holdfast.kernel.money import Money
from holdfast.kernel.page import DEFAULT_LIMIT
from holdfast.workflows import catalog as workflows

_PATH = "/v1/products"
_MAX_QUERY = 200

Query = Annotated[
    str,
    msgspec.Meta(
        max_length=_MAX_QUERY,
        description='Words to search for; "a phrase", -not, this or that.',
    ),
]
CategoryKey = Annotated[
    str, msgspec.Meta(max_length=255, description="Id or handle of a category.")
]
OneProduct = Annotated[Response[Any], offers.OfferedProduct]
Products = Annotated[Response[Any], Listing[offers.OfferedProduct]]


class NewOption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something a buyer chooses, and what there is to choose from."""

    name: str
    values: list[str]

    @property
    def option(self) -> catalog.Option:
        return catalog.Option(self.name, tuple(self.values))


class NewImage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A picture that is kept elsewhere, or under ``/images/``."""

    url: str
    alt: str = ""
    width: int | None = None
    height: int | None = None

    @property
    def image(self) -> catalog.Image:
        return catalog.Image(self.url, self.alt, self.width, self.height)


class NewVariant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A variant of a new product: one value for each of its options."""

    sku: str
    price: Amount
    options: dict[str, str] = {}
    compare_at_price: Amount | None = None
    weight_grams: int = 0
    barcode: str | None = None
    image_id: UUID | None = None
    """One of the images of a product that is there."""

    @property
    def draft(self) -> catalog.VariantDraft:
        return catalog.VariantDraft(
            sku=self.sku,
            price=self.price.money,
            options=self.options,
            compare_at_price=_money(self.compare_at_price),
            weight_grams=self.weight_grams,
            barcode=self.barcode,
            image_id=self.image_id,
        )


class NewProduct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new product. Without a handle it gets one made of its title."""

    title: str
    variants: list[NewVariant]
    handle: str | None = None
    description_html: str = ""
    vendor: str = ""
    product_type: str = ""
    status: catalog.Status = "draft"
    tags: list[str] = []
    options: list[NewOption] = []
    images: list[NewImage] = []
    categories: list[str] = []
    seo_title: str = ""
    seo_description: str = ""
    publish_at: datetime | None = None
    """When it goes on sale, if its status is scheduled."""
    unpublish_at: datetime | None = None
    """When it is archived by itself."""
    attributes: dict[str, catalog.Value] = {}
    """Values by the codes of attributes."""

    @property
    def draft(self) -> catalog.Draft:
        handle = self.handle
        return catalog.Draft(
            handle=catalog.slugify(self.title) if handle is None else handle,
            title=self.title,
            variants=tuple(variant.draft for variant in self.variants),
            description_html=self.description_html,
            vendor=self.vendor,
            product_type=self.product_type,
            status=self.status,
            tags=tuple(self.tags),
            seo_title=self.seo_title,
            seo_description=self.seo_description,
            publish_at=self.publish_at,
            unpublish_at=self.unpublish_at,
            attributes=self.attributes,
            options=tuple(option.option for option in self.options),
            images=tuple(image.image for image in self.images),
            categories=tuple(self.categories),
        )


class VariantChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of the variant with this SKU; a new one if there is none."""

    sku: str
    price: Amount | msgspec.UnsetType = msgspec.UNSET
    options: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    compare_at_price: Amount | msgspec.UnsetType | None = msgspec.UNSET
    weight_grams: int | msgspec.UnsetType = msgspec.UNSET
    barcode: str | msgspec.UnsetType | None = msgspec.UNSET


class ProductChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a product; what is absent stays as it is.

    Lists replace the list there was, except ``variants``: those that are not named
    stay.
    """

    handle: str | msgspec.UnsetType = msgspec.UNSET
    title: str | msgspec.UnsetType = msgspec.UNSET
    description_html: str | msgspec.UnsetType = msgspec.UNSET
    vendor: str | msgspec.UnsetType = msgspec.UNSET
    product_type: str | msgspec.UnsetType = msgspec.UNSET
    status: catalog.Status | msgspec.UnsetType = msgspec.UNSET
    tags: list[str] | msgspec.UnsetType = msgspec.UNSET
    options: list[NewOption] | msgspec.UnsetType = msgspec.UNSET
    images: list[NewImage] | msgspec.UnsetType = msgspec.UNSET
    categories: list[str] | msgspec.UnsetType = msgspec.UNSET
    variants: list[VariantChanges] | msgspec.UnsetType = msgspec.UNSET
    seo_title: str | msgspec.UnsetType = msgspec.UNSET
    seo_description: str | msgspec.UnsetType = msgspec.UNSET
    publish_at: datetime | msgspec.UnsetType | None = msgspec.UNSET
    unpublish_at: datetime | msgspec.UnsetType | None = msgspec.UNSET
    attributes: dict[str, catalog.Value | None] | msgspec.UnsetType = msgspec.UNSET
    """Those that are named change, and go where they are null; the others stay."""

    def applied_to(self, draft: catalog.Draft) -> catalog.Draft:
        """The draft with these changes."""
        _check_sizes(_given(self, _MOST))
        changes: dict[str, Any] = _given(self, _AS_THEY_ARE)
        if self.attributes is not msgspec.UNSET:
            changes["attributes"] = {
                code: value
                for code, value in {**draft.attributes, **self.attributes}.items()
                if value is not None
            }
        if self.tags is not msgspec.UNSET:
            changes["tags"] = tuple(self.tags)
        if self.categories is not msgspec.UNSET:
            changes["categories"] = tuple(self.categories)
        if self.options is not msgspec.UNSET:
            changes["options"] = tuple(option.option for option in self.options)
        if self.images is not msgspec.UNSET:
            changes["images"] = tuple(image.image for image in self.images)
        if self.variants is not msgspec.UNSET:
            changes["variants"] = _changed(draft.variants, self.variants)
        return replace(draft, **changes)


_AS_THEY_ARE = (
    *("handle", "title", "description_html", "vendor", "product_type", "status"),
    *("seo_title", "seo_description", "publish_at", "unpublish_at"),
)
_MOST = {
    "options": catalog.MAX_OPTIONS,
    "images": catalog.MAX_IMAGES,
    "variants": catalog.MAX_VARIANTS,
}


async def browse(
    shop: Shop,
    caller: Caller,
    *,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    category: CategoryKey | None = None,
    q: Query | None = None,
    status: catalog.Status | None = None,
    currency: offers.Currency = None,
    accept_language: AcceptLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> Products:
    """List what is on sale, by age or by how well it matches ``q``.

    With ``q`` it is what `/v1/search` finds, and a category has all below it.
    """
    shown = status
    if not may(caller, "products:read"):
        # Somebody without the scope sees a shop in which nothing else exists.
        if status not in (None, "active"):
            return languages.answer(
                *(shop, listing_of_json("", None, _PATH).content, ()),
                if_none_match=if_none_match,
            )
        shown = "active"
    asked = {
        "limit": limit,
        "category": category,
        "q": q,
        "status": status,
        "currency": currency,
    }
    degraded = []
    if limit > extras.SMALL_PAGE and not shop.load.extras.has(extras.LARGE_PAGES):
        # The link to the next page asks for as many as were wanted.
        limit = extras.SMALL_PAGE
        degraded.append(extras.LARGE_PAGES.name)
    wanted = languages.wanted(shop, accept_language)
    if q is not None and q.strip():
        page = await matching.page(
            *(shop, q),
            after=after,
            limit=limit,
            status=shown,
            category=category,
            wanted=wanted,
        )
    else:
        category_id = None
        if category is not None:
            category_id = (await catalog.find_category(shop.looking, category)).id
        page = await catalog.page(
            shop.looking,
            after=after,
            limit=limit,
            status=shown,
            category_id=category_id,
            at=shop.clock(),
            wanted=wanted,
        )
    items = await offers.on_many(shop, caller, page.json, currency)
    listed = listing_of_json(items, page.next, _PATH, degraded, **asked)
    return languages.answer(
        *(shop, listed.content, page.languages),
        if_none_match=if_none_match,
        headers=listed.headers,
    )


async def show(
    shop: Shop,
    caller: Caller,
    product: str,
    *,
    currency: offers.Currency = None,
    accept_language: AcceptLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> OneProduct:
    """One product by its id or handle."""
    wanted = languages.wanted(shop, accept_language)
    found = await shop.products.find(product, wanted)
    if found.status != "active" and not may(caller, "products:read"):
        raise catalog.ProductNotFound
    body = (await offers.on_one(shop, caller, found, currency)).encode()
    return languages.answer(
        *(shop, body, found.languages),
        version=found.version,
        if_none_match=if_none_match,
    )


async def create(shop: Shop, caller: Caller, data: NewProduct) -> OneProduct:
    """Add a product, with empty stock for each of its variants."""
    made = await workflows.create_product(
        shop.db, data.draft, clock=shop.clock, actor=caller.actor
    )
    location = f"{_PATH}/{made.id}"
    return _answer(made, headers={"Location": location})


async def change(
    shop: Shop,
    caller: Caller,
    product: str,
    data: ProductChanges,
    if_match: IfMatch = None,
) -> OneProduct:
    """Change a product and its variants, if nobody else did since it was read."""
    versions = editions.versions(if_match)
    found = await shop.products.find(product)
    changed = await workflows.change_product(
        *(shop.db, found.id, data.applied_to),
        clock=shop.clock,
        versions=versions,
        actor=caller.actor,
    )
    return _answer(changed)


async def delete(
    shop: Shop, caller: Caller, product: str, if_match: IfMatch = None
) -> None:
    """Delete a product that was never sold; archive one that was."""
    versions = editions.versions(if_match)
    found = await shop.products.find(product)
    await workflows.delete_product(
        shop.db, found.id, clock=shop.clock, actor=caller.actor, versions=versions
    )


def _answer(
    document: catalog.Document, *, headers: dict[str, str] | None = None
) -> Response[Any]:
    return editions.answer(
        document.json.encode(), version=document.version, headers=headers
    )


def _changed(
    variants: Sequence[catalog.VariantDraft], changes: Sequence[VariantChanges]
) -> tuple[catalog.VariantDraft, ...]:
    by_sku = {variant.sku: variant for variant in variants}
    faults = []
    for index, change in enumerate(changes):
        given: dict[str, Any] = _given(change, ("options", "weight_grams", "barcode"))
        if change.price is not msgspec.UNSET:
            given["price"] = change.price.money
        if change.compare_at_price is not msgspec.UNSET:
            given["compare_at_price"] = _money(change.compare_at_price)
        if (old := by_sku.get(change.sku)) is not None:
            by_sku[change.sku] = replace(old, **given)
        elif change.price is not msgspec.UNSET:
            given.setdefault("options", {})
            by_sku[change.sku] = catalog.VariantDraft(sku=change.sku, **given)
        else:
            fault = "must be given for a new variant"
            faults.append(catalog.Fault(f"/variants/{index}/price", fault))
    if faults:
        raise catalog.ProductInvalid(faults)
    return tuple(by_sku.values())


def _check_sizes(given: dict[str, Any]) -> None:
    """Before what is given is held against each part of what there is."""
    if found := [
        catalog.Fault(f"/{name}", f"must be at most {_MOST[name]}")
        for name, parts in given.items()
        if len(parts) > _MOST[name]
    ]:
        raise catalog.ProductInvalid(found)


def _given(changes: msgspec.Struct, names: Iterable[str]) -> dict[str, Any]:
    values = {name: getattr(changes, name) for name in names}
    return {n: value for n, value in values.items() if value is not msgspec.UNSET}


def _money(price: Amount | None) -> Money | None:
    return None if price is None else price.money
