"""Synonyms of the search, which operators write down."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response

from holdfast.api import editions
from holdfast.api.editions import IfMatch, IfNoneMatch
from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.shop import Shop
from holdfast.domain import search
from holdfast.kernel.page import DEFAULT_LIMIT
from holdfast.workflows import synonyms as workflows

_PATH = "/v1/search/synonyms"

Term = Annotated[str, msgspec.Meta(min_length=1, max_length=100, examples=["sofa"])]
Terms = Annotated[list[Term], msgspec.Meta(min_length=1, max_length=search.MAX_TERMS)]
OneSet = Annotated[Response[Any], search.Synonyms]


class NewSynonyms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Terms that mean each other; with `term`, what that finds as well."""

    synonyms: Terms
    term: Term | None = None

    @property
    def wanted(self) -> search.NewSynonyms:
        return search.NewSynonyms(
            typed=self.synonyms if self.term is None else [self.term],
            found=self.synonyms,
            mutual=self.term is None,
        )


async def browse(
    shop: Shop,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    if_none_match: IfNoneMatch = None,
) -> Annotated[Response[Any], Listing[search.Synonyms]]:
    """List the synonyms in the order they were made."""
    page = await search.synonyms(shop.db, after=after, limit=limit)
    return editions.of_list(listing(page, _PATH, limit=limit), if_none_match)


async def show(
    shop: Shop, synonyms_id: UUID, if_none_match: IfNoneMatch = None
) -> OneSet:
    """One set of synonyms."""
    found = await search.find_synonyms(shop.db, synonyms_id)
    return editions.of(found, version=found.version, if_none_match=if_none_match)


async def create(shop: Shop, data: NewSynonyms) -> Response[search.Synonyms]:
    """Add synonyms; the next search knows them."""
    made = await workflows.add(shop.db, data.wanted, clock=shop.clock)
    return editions.of_new(made, version=made.version, location=f"{_PATH}/{made.id}")


async def replace(
    shop: Shop, synonyms_id: UUID, data: NewSynonyms, if_match: IfMatch = None
) -> OneSet:
    """Put other terms in the place of these; the next search knows them."""
    versions = editions.versions(if_match)
    changed = await workflows.change(
        shop.db, synonyms_id, data.wanted, versions=versions
    )
    return editions.of(changed, version=changed.version)


async def delete(shop: Shop, synonyms_id: UUID, if_match: IfMatch = None) -> None:
    """Remove synonyms."""
    versions = editions.versions(if_match)
    await workflows.remove(shop.db, synonyms_id, versions=versions)
