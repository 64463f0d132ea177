"""Who changed what of a product: for operators, the latest first."""

from typing import Annotated, Any

from litestar import Response

from holdfast.api import editions
from holdfast.api.editions import IfNoneMatch
from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.shop import Shop
from holdfast.domain import catalog
from holdfast.kernel.page import DEFAULT_LIMIT


async def browse(
    shop: Shop,
    product: str,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    if_none_match: IfNoneMatch = None,
) -> Annotated[Response[Any], Listing[catalog.Change]]:
    """List the changes of a product; of one that was deleted, by its id."""
    product_id = catalog.parse_id(product)
    if product_id is None:
        product_id = (await shop.products.find(product)).id
    page = await catalog.changes_of(shop.db, product_id, after=after, limit=limit)
    if not page.items and after is None:
        # Made before there were histories, or never.
        await shop.products.find(product)
    listed = listing(page, f"/v1/products/{product}/history", limit=limit)
    return editions.of_list(listed, if_none_match)
