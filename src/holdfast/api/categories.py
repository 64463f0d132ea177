"""Categories: the shelves of the shop. Anybody reads them, operators add some."""

import msgspec
from litestar import Response

from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.shop import Shop
from holdfast.domain import catalog
from holdfast.kernel.page import DEFAULT_LIMIT
from holdfast.workflows import catalog as workflows

_PATH = "/v1/categories"


class NewCategory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new category. Without a handle it gets one made of its name."""

    name: str
    handle: str | None = None
    position: int = 0


async def browse(
    shop: Shop, limit: Limit = DEFAULT_LIMIT, after: After | None = None
) -> Response[Listing[catalog.Category]]:
    """List the categories in the order a shop shows them."""
    page = await catalog.categories(shop.db, after=after, limit=limit)
    return listing(page, _PATH, limit=limit)


async def show(shop: Shop, category: str) -> catalog.Category:
    """One category by its id or handle."""
    return await catalog.find_category(shop.db, category)


async def create(shop: Shop, data: NewCategory) -> Response[catalog.Category]:
    """Add a category."""
    handle = catalog.slugify(data.name) if data.handle is None else data.handle
    made = await workflows.create_category(
        shop.db,
        catalog.NewCategory(handle, data.name, data.position),
        clock=shop.clock,
    )
    return Response(made, headers={"Location": f"{_PATH}/{made.id}"})
