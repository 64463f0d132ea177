"""Collections: products that a shop shows together, put in by hand or by a rule.

Anybody reads those that are shown; operators read and write all, and see their rules. A
page of products takes three statements: which collection, its products, their offers.
"""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response
from msgspec import UNSET, UnsetType

from holdfast.api import editions, languages, offers
from holdfast.api.editions import IfMatch, IfNoneMatch
from holdfast.api.languages import AcceptLanguage
from holdfast.api.listing import After, Limit, Listing, listing, listing_of_json
from holdfast.api.media import Alt
from holdfast.api.protection import extras
from holdfast.api.shop import Shop
from holdfast.domain import catalog, search
from holdfast.domain.identity import Caller, may
from holdfast.kernel.page import DEFAULT_LIMIT
from holdfast.workflows import collections as workflows

_PATH = "/v1/collections"
_ENCODER = msgspec.json.Encoder()

Key = Annotated[
    str, msgspec.Meta(max_length=255, description="Id or handle of a collection.")
]


class ShownCollection(catalog.Collection, frozen=True, kw_only=True):
    """A collection; what its rule is, operators alone are shown."""

    rule: search.Rule | UnsetType | None = UNSET


OneCollection = Annotated[Response[Any], ShownCollection]


class NewCollectionImage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A picture of the shop's own for a collection."""

    media_id: str
    alt: Alt = ""

    @property
    def fields(self) -> tuple[UUID, str]:
        media_id = catalog.parse_id(self.media_id)
        if media_id is None:
            wrong = catalog.Fault("/image/media_id", "does not exist")
            raise catalog.CollectionInvalid([wrong])
        return media_id, self.alt


class NewCollection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new collection. Without a handle it gets one made of its title."""

    title: str
    handle: str | None = None
    description_html: str = ""
    seo_title: str = ""
    seo_description: str = ""
    image: NewCollectionImage | None = None
    status: catalog.CollectionStatus = "draft"
    publish_at: datetime | None = None
    """From when buyers see it, once it is active."""
    unpublish_at: datetime | None = None
    """Until when they do."""
    sort: catalog.CollectionSort | None = None
    """Without it, by hand; by age where a rule says what belongs."""
    position: int = 0
    rule: search.Rule | None = None
    """What belongs; without it products are put in by hand."""

    @property
    def draft(self) -> catalog.CollectionDraft:
        by_itself: catalog.CollectionSort
        by_itself = "manual" if self.rule is None else "newest"
        given = {
            name: getattr(self, name)
            for name in self.__struct_fields__
            if name not in ("handle", "image", "sort")
        }
        draft = catalog.CollectionDraft(
            handle=catalog.slugify(self.title) if self.handle is None else self.handle,
            sort=self.sort or by_itself,
            **given,
        )
        if self.image is None:
            return draft
        image_id, image_alt = self.image.fields
        return replace(draft, image_id=image_id, image_alt=image_alt)


class CollectionChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a collection; what is absent stays as it is."""

    title: str | UnsetType = UNSET
    handle: str | UnsetType = UNSET
    description_html: str | UnsetType = UNSET
    seo_title: str | UnsetType = UNSET
    seo_description: str | UnsetType = UNSET
    image: NewCollectionImage | UnsetType | None = UNSET
    status: catalog.CollectionStatus | UnsetType = UNSET
    publish_at: datetime | UnsetType | None = UNSET
    unpublish_at: datetime | UnsetType | None = UNSET
    sort: catalog.CollectionSort | UnsetType = UNSET
    position: int | UnsetType = UNSET
    rule: search.Rule | UnsetType | None = UNSET
    """null: what was put in by hand belongs again, and nothing else."""

    def applied_to(self, draft: catalog.CollectionDraft) -> catalog.CollectionDraft:
        """The draft with these changes."""
        given: dict[str, Any] = {
            name: value
            for name in self.__struct_fields__
            if (value := getattr(self, name)) is not UNSET and name != "image"
        }
        if self.image is not UNSET:
            image = (None, "") if self.image is None else self.image.fields
            given["image_id"], given["image_alt"] = image
        return replace(draft, **given)


async def browse(
    shop: Shop,
    caller: Caller,
    *,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    accept_language: AcceptLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> Annotated[Response[Any], Listing[ShownCollection]]:
    """List the collections in the order of the shop."""
    page = await catalog.collections(
        shop.db, after=after, limit=limit, shown_at=_moment(shop, caller)
    )
    wanted = languages.wanted(shop, accept_language)
    items, spoken = await catalog.collections_in(shop.db, page.items, wanted)
    page = replace(page, items=[_shown(one, caller) for one in items])
    listed = listing(page, _PATH, limit=limit)
    return languages.answer(
        *(shop, _ENCODER.encode(listed.content), spoken),
        if_none_match=if_none_match,
        headers=listed.headers,
    )


async def show(
    shop: Shop,
    caller: Caller,
    collection: str,
    accept_language: AcceptLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> OneCollection:
    """One collection by its id or handle."""
    found = await find(shop, caller, collection)
    wanted = languages.wanted(shop, accept_language)
    (shown,), spoken = await catalog.collections_in(shop.db, [found], wanted)
    return languages.answer(
        *(shop, _ENCODER.encode(_shown(shown, caller)), spoken),
        version=found.version,
        if_none_match=if_none_match,
    )


async def create(shop: Shop, caller: Caller, data: NewCollection) -> OneCollection:
    """Add a collection."""
    made = await workflows.create(
        shop.db, data.draft, clock=shop.clock, actor=caller.actor
    )
    return _answer(made, caller, headers={"Location": f"{_PATH}/{made.id}"})


async def change(
    shop: Shop,
    caller: Caller,
    collection: str,
    data: CollectionChanges,
    if_match: IfMatch = None,
) -> OneCollection:
    """Change a collection, if nobody else did since it was read."""
    versions = editions.versions(if_match)
    found = await catalog.find_collection(shop.db, collection)
    changed = await workflows.change(
        *(shop.db, found.id, data.applied_to),
        clock=shop.clock,
        actor=caller.actor,
        versions=versions,
    )
    return _answer(changed, caller)


async def delete(
    shop: Shop, caller: Caller, collection: str, if_match: IfMatch = None
) -> None:
    """Delete a collection; its products stay."""
    versions = editions.versions(if_match)
    found = await catalog.find_collection(shop.db, collection)
    await workflows.delete(
        *(shop.db, found.id),
        clock=shop.clock,
        actor=caller.actor,
        versions=versions,
    )


async def history(
    shop: Shop,
    collection: str,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    if_none_match: IfNoneMatch = None,
) -> Annotated[Response[Any], Listing[catalog.Change]]:
    """List the changes of a collection; of one that was deleted, by its id."""
    collection_id = catalog.parse_id(collection)
    if collection_id is None:
        collection_id = (await catalog.find_collection(shop.db, collection)).id
    page = await catalog.collection_changes(
        shop.db, collection_id, after=after, limit=limit
    )
    if not page.items and after is None:
        raise catalog.CollectionNotFound
    listed = listing(page, f"{_PATH}/{collection}/history", limit=limit)
    return editions.answer(
        _ENCODER.encode(listed.content),
        if_none_match=if_none_match,
        headers=listed.headers,
    )


async def products(
    shop: Shop,
    caller: Caller,
    collection: str,
    *,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    sort: catalog.CollectionSort | None = None,
    status: catalog.Status | None = None,
    currency: offers.Currency = None,
    accept_language: AcceptLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> Annotated[Response[Any], Listing[offers.OfferedProduct]]:
    """List the products of a collection, in its order unless another is asked for.

    Buyers are shown what is on sale.
    """
    found = await find(shop, caller, collection)
    order = sort or found.sort
    asked = {"limit": limit, "sort": sort, "status": status, "currency": currency}
    degraded = []
    if limit > extras.SMALL_PAGE and not shop.load.extras.has(extras.LARGE_PAGES):
        limit = extras.SMALL_PAGE
        degraded.append(extras.LARGE_PAGES.name)
    shown = status
    if not may(caller, "products:read"):
        if status not in (None, "active"):
            raise search.FilterInvalid("status", "only what is on sale is shown")
        shown = "active"
    wanted = languages.wanted(shop, accept_language)
    if order == "manual":
        if found.rule is not None:
            raise search.FilterInvalid("sort", "a rule gives no order by hand")
        page = await catalog.page_by_hand(
            *(shop.db, found.id),
            after=after,
            limit=limit,
            status=shown,
            at=shop.clock(),
            wanted=wanted,
        )
        documents, next_ = page.items, page.next
    else:
        here = search.Filters(status=shown, among=among(shop, found))
        matches = await shop.finder.find(
            *(None, here),
            sort=order,
            language="en",
            now=shop.clock(),
            after=after,
            limit=limit,
            facets=False,
            spoken=() if wanted is None else wanted.tags,
        )
        documents = [catalog.document(row, wanted) for row in matches.documents]
        next_ = matches.next
    items = ",".join(document.json for document in documents)
    listed = listing_of_json(
        await offers.on_many(shop, caller, items, currency),
        *(next_, f"{_PATH}/{collection}/products", degraded),
        **asked,
    )
    return languages.answer(
        *(shop, listed.content, languages.of(shop, documents)),
        if_none_match=if_none_match,
        headers=listed.headers,
    )


async def find(shop: Shop, caller: Caller, key: str) -> catalog.Collection:
    """A collection that somebody may see, or ``CollectionNotFound``."""
    return await catalog.find_collection(shop.db, key, shown_at=_moment(shop, caller))


def among(shop: Shop, collection: catalog.Collection) -> search.Among:
    """What belongs to a collection now, as a condition of searches."""
    if collection.rule is None:
        return search.by_hand(collection.id)
    return search.by_rule(search.read_rule(collection.rule), shop.clock())


def _moment(shop: Shop, caller: Caller) -> datetime | None:
    return None if may(caller, "products:read") else shop.clock()


def _shown(collection: catalog.Collection, caller: Caller) -> catalog.Collection:
    # A rule may speak of what a shop does not tell, as tags about its margins.
    if not may(caller, "products:read"):
        return msgspec.structs.replace(collection, rule=UNSET)
    if collection.rule is None:
        return collection
    rule = search.read_rule(collection.rule)
    return msgspec.structs.replace(collection, rule=rule)


def _answer(
    collection: catalog.Collection,
    caller: Caller,
    *,
    headers: dict[str, str] | None = None,
) -> Response[Any]:
    return editions.answer(
        _ENCODER.encode(_shown(collection, caller)),
        version=collection.version,
        headers=headers,
    )
