"""Categories: the shelves of the shop, as a tree.

Anybody reads them; operators add, change, move and delete them.
"""

from dataclasses import replace
from typing import Annotated, Any

import msgspec
from litestar import Response

from holdfast.api import editions, languages
from holdfast.api.editions import IfMatch, IfNoneMatch
from holdfast.api.languages import AcceptLanguage
from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.shop import Shop
from holdfast.domain import catalog
from holdfast.domain.catalog import CategoryInvalid, CategoryNotFound, Fault
from holdfast.domain.identity import Caller
from holdfast.kernel.page import DEFAULT_LIMIT, Page
from holdfast.workflows import categories as workflows

_PATH = "/v1/categories"
_ENCODER = msgspec.json.Encoder()

Key = Annotated[
    str, msgspec.Meta(max_length=255, description="Id or handle of a category.")
]
OneCategory = Annotated[Response[Any], catalog.Category]


class NewCategory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new category. Without a handle it gets one made of its name."""

    name: str
    handle: str | None = None
    position: int = 0
    parent: str | None = None
    """Id or handle of the category it is to stand in."""
    description_html: str = ""
    seo_title: str = ""
    seo_description: str = ""


class CategoryChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a category; what is absent stays as it is."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    handle: str | msgspec.UnsetType = msgspec.UNSET
    position: int | msgspec.UnsetType = msgspec.UNSET
    parent: str | msgspec.UnsetType | None = msgspec.UNSET
    """Id or handle of the category it is to stand in; null for the top."""
    description_html: str | msgspec.UnsetType = msgspec.UNSET
    seo_title: str | msgspec.UnsetType = msgspec.UNSET
    seo_description: str | msgspec.UnsetType = msgspec.UNSET


async def browse(
    shop: Shop,
    *,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    parent: Key | None = None,
    under: Key | None = None,
    roots: bool = False,
    accept_language: AcceptLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> Annotated[Response[Any], Listing[catalog.Category]]:
    """List categories: all, those in a *parent*, all *under* one, or the *roots*."""
    above = None
    if (key := under or parent) is not None:
        above = (await catalog.find_category(shop.db, key)).id
    page = await catalog.categories(
        shop.db,
        after=after,
        limit=limit,
        under=above,
        deep=under is not None,
        roots=roots,
    )
    asked = {"limit": limit, "parent": parent, "under": under, "roots": roots or None}
    items, spoken = await _in(shop, page.items, accept_language)
    listed = listing(Page(items, page.next), _PATH, **asked)
    return languages.answer(
        *(shop, _ENCODER.encode(listed.content), spoken),
        if_none_match=if_none_match,
        headers=listed.headers,
    )


async def show(
    shop: Shop,
    category: str,
    accept_language: AcceptLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> OneCategory:
    """One category by its id or handle."""
    found = await catalog.find_category(shop.db, category)
    (shown,), spoken = await _in(shop, [found], accept_language)
    return languages.answer(
        *(shop, _ENCODER.encode(shown), spoken),
        version=found.version,
        if_none_match=if_none_match,
    )


async def create(shop: Shop, caller: Caller, data: NewCategory) -> OneCategory:
    """Add a category."""
    handle = catalog.slugify(data.name) if data.handle is None else data.handle
    wanted = catalog.NewCategory(
        handle,
        data.name,
        data.position,
        parent_id=await _parent(shop, data.parent),
        description_html=data.description_html,
        seo_title=data.seo_title,
        seo_description=data.seo_description,
    )
    made = await workflows.create_category(
        shop.db, wanted, clock=shop.clock, actor=caller.actor
    )
    return _answer(made, headers={"Location": f"{_PATH}/{made.id}"})


async def change(
    shop: Shop,
    caller: Caller,
    category: str,
    data: CategoryChanges,
    if_match: IfMatch = None,
) -> OneCategory:
    """Change a category, or move it with all that is below it."""
    versions = editions.versions(if_match)
    found = await catalog.find_category(shop.db, category)
    given = {
        name: value
        for name in data.__struct_fields__
        if (value := getattr(data, name)) is not msgspec.UNSET
    }
    if "parent" in given:
        given["parent_id"] = await _parent(shop, given.pop("parent"))
    changed = await workflows.change_category(
        shop.db,
        found.id,
        lambda old: replace(old, **given),
        clock=shop.clock,
        actor=caller.actor,
        versions=versions,
    )
    return _answer(changed)


async def delete(
    shop: Shop, caller: Caller, category: str, if_match: IfMatch = None
) -> None:
    """Delete a category in which no product and no category stands."""
    versions = editions.versions(if_match)
    found = await catalog.find_category(shop.db, category)
    await workflows.delete_category(
        shop.db, found.id, clock=shop.clock, actor=caller.actor, versions=versions
    )


async def history(
    shop: Shop,
    category: str,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    if_none_match: IfNoneMatch = None,
) -> Annotated[Response[Any], Listing[catalog.Change]]:
    """List the changes of a category; of one that was deleted, by its id."""
    category_id = catalog.parse_id(category)
    if category_id is None:
        category_id = (await catalog.find_category(shop.db, category)).id
    page = await catalog.category_changes(
        shop.db, category_id, after=after, limit=limit
    )
    if not page.items and after is None:
        # Made before there were histories, or never.
        await catalog.find_category(shop.db, category)
    listed = listing(page, f"{_PATH}/{category}/history", limit=limit)
    return editions.of_list(listed, if_none_match)


async def _in(
    shop: Shop, categories: list[catalog.Category], accept_language: str | None
) -> tuple[list[catalog.Category], tuple[str, ...]]:
    """Categories as somebody wants to read them, and the languages they are in then."""
    wanted = languages.wanted(shop, accept_language)
    if wanted is None:
        return categories, ()
    return await catalog.categories_in(shop.db, categories, wanted)


async def _parent(shop: Shop, key: str | None) -> Any:
    if key is None:
        return None
    try:
        return (await catalog.find_category(shop.db, key)).id
    except CategoryNotFound:
        raise CategoryInvalid([Fault("/parent", "does not exist")]) from None


def _answer(
    category: catalog.Category,
    *,
    headers: dict[str, str] | None = None,
    if_none_match: str | None = None,
) -> Response[Any]:
    return editions.answer(
        _ENCODER.encode(category),
        version=category.version,
        if_none_match=if_none_match,
        headers=headers,
    )
