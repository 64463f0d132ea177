"""Products that match a question, as lists show them: a search without its extras."""

from holdfast.api import languages
from holdfast.api.shop import Shop
from holdfast.domain import catalog, search
from holdfast.kernel.negotiation import Preference


async def page(
    shop: Shop,
    q: str,
    *,
    after: str | None,
    limit: int,
    status: catalog.Status | None,
    category: str | None,
    wanted: Preference | None,
) -> catalog.Sheet:
    """A page of what matches a question, best first; two statements."""
    filters = search.Filters(
        status=status,
        category_id=None if category is None else catalog.parse_id(category),
        category=category,
    )
    found = await shop.finder.find(
        await shop.finder.understand(q, on_sale=status == "active"),
        filters,
        sort="relevance",
        language=languages.first(shop, wanted),
        now=shop.clock(),
        after=after,
        limit=limit,
        facets=False,
        spoken=() if wanted is None else wanted.tags,
    )
    if not found.shelf:
        raise catalog.CategoryNotFound
    documents = [catalog.document(row, wanted) for row in found.documents]
    return catalog.Sheet(
        ",".join(document.json for document in documents),
        found.next,
        languages.of(shop, documents),
    )
