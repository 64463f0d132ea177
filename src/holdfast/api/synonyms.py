"""Synonyms of the search, which operators write down."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response

from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.shop import Shop
from holdfast.domain import search
from holdfast.kernel.page import DEFAULT_LIMIT
from holdfast.workflows import synonyms as workflows

_PATH = "/v1/search/synonyms"

Term = Annotated[str, msgspec.Meta(min_length=1, max_length=100, examples=["sofa"])]
Terms = Annotated[list[Term], msgspec.Meta(min_length=1, max_length=search.MAX_TERMS)]


class NewSynonyms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Terms that mean each other; with `term`, what that finds as well."""

    synonyms: Terms
    term: Term | None = None


async def browse(
    shop: Shop, limit: Limit = DEFAULT_LIMIT, after: After | None = None
) -> Response[Listing[search.Synonyms]]:
    """List the synonyms in the order they were made."""
    page = await search.synonyms(shop.db, after=after, limit=limit)
    return listing(page, _PATH, limit=limit)


async def create(shop: Shop, data: NewSynonyms) -> search.Synonyms:
    """Add synonyms; the next search knows them."""
    mutual = data.term is None
    wanted = search.NewSynonyms(
        typed=data.synonyms if data.term is None else [data.term],
        found=data.synonyms,
        mutual=mutual,
    )
    return await workflows.add(shop.db, wanted, clock=shop.clock)


async def delete(shop: Shop, synonyms_id: UUID) -> None:
    """Remove synonyms."""
    await workflows.remove(shop.db, synonyms_id)
