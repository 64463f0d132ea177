"""Attributes: what can be said of products besides, and filtered by.

Anybody reads the definitions, which a shop needs to show values; operators write them.
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
from holdfast.domain.identity import Caller
from holdfast.kernel.page import DEFAULT_LIMIT
from holdfast.workflows import attributes as workflows

_PATH = "/v1/attributes"
_ENCODER = msgspec.json.Encoder()

OneAttribute = Annotated[Response[Any], catalog.Attribute]
Attributes = Annotated[Response[Any], Listing[catalog.Attribute]]


class NewAttribute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new attribute; its code and its type stay what they are."""

    code: str
    name: str
    type: catalog.AttributeType
    choices: list[str] = []
    """What a choice chooses from, in order."""
    filterable: bool = False
    """Whether buyers may filter products by it."""
    position: int = 0

    @property
    def draft(self) -> catalog.AttributeDraft:
        return catalog.AttributeDraft(
            code=self.code,
            name=self.name,
            type=self.type,
            choices=tuple(self.choices),
            filterable=self.filterable,
            position=self.position,
        )


class AttributeChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of an attribute; what is absent stays as it is."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    choices: list[str] | msgspec.UnsetType = msgspec.UNSET
    filterable: bool | msgspec.UnsetType = msgspec.UNSET
    position: int | msgspec.UnsetType = msgspec.UNSET

    def applied_to(self, draft: catalog.AttributeDraft) -> catalog.AttributeDraft:
        """The draft with these changes."""
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name in self.__struct_fields__
            if (value := getattr(self, name)) is not msgspec.UNSET
        }
        return replace(draft, **given)


async def browse(
    shop: Shop,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    accept_language: AcceptLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> Attributes:
    """List the attributes in the order a shop shows them."""
    page = await catalog.definitions(shop.db, after=after, limit=limit)
    wanted = languages.wanted(shop, accept_language)
    items, spoken = await catalog.attributes_in(shop.db, page.items, wanted)
    listed = listing(replace(page, items=items), _PATH, limit=limit)
    return languages.answer(
        *(shop, _ENCODER.encode(listed.content), spoken),
        if_none_match=if_none_match,
        headers=listed.headers,
    )


async def show(
    shop: Shop,
    code: str,
    accept_language: AcceptLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> OneAttribute:
    """One attribute.

    Its choices are what products say in every language; `choice_names` has what they
    are called.
    """
    found = await catalog.find_attribute(shop.db, code)
    wanted = languages.wanted(shop, accept_language)
    (shown,), spoken = await catalog.attributes_in(shop.db, [found], wanted)
    return languages.answer(
        *(shop, _ENCODER.encode(shown), spoken),
        version=found.version,
        if_none_match=if_none_match,
    )


async def create(shop: Shop, caller: Caller, data: NewAttribute) -> OneAttribute:
    """Add an attribute."""
    made = await workflows.define(
        shop.db, data.draft, clock=shop.clock, actor=caller.actor
    )
    return _answer(made, headers={"Location": f"{_PATH}/{made.code}"})


async def change(
    shop: Shop,
    caller: Caller,
    code: str,
    data: AttributeChanges,
    if_match: IfMatch = None,
) -> OneAttribute:
    """Change an attribute; choices that products have stay."""
    changed = await workflows.change(
        *(shop.db, code, data.applied_to),
        clock=shop.clock,
        actor=caller.actor,
        versions=editions.versions(if_match),
    )
    return _answer(changed)


async def delete(
    shop: Shop, caller: Caller, code: str, if_match: IfMatch = None
) -> None:
    """Delete an attribute of which no product has a value."""
    await workflows.take_away(
        *(shop.db, code),
        clock=shop.clock,
        actor=caller.actor,
        versions=editions.versions(if_match),
    )


async def history(
    shop: Shop,
    code: str,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    if_none_match: IfNoneMatch = None,
) -> Annotated[Response[Any], Listing[catalog.Change]]:
    """List the changes of an attribute, also of one that was deleted."""
    page = await catalog.attribute_changes(shop.db, code, after=after, limit=limit)
    if not page.items and after is None:
        # Made before there were histories, or never.
        await catalog.find_attribute(shop.db, code)
    listed = listing(page, f"{_PATH}/{code}/history", limit=limit)
    return editions.of_list(listed, if_none_match)


def _answer(
    attribute: catalog.Attribute,
    *,
    headers: dict[str, str] | None = None,
) -> Response[Any]:
    return editions.answer(
        _ENCODER.encode(attribute),
        version=attribute.version,
        headers=headers,
    )
