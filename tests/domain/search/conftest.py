"""Products put into the shop with no more than a test says of them."""

from collections.abc import Awaitable, Callable

import pytest

from holdfast.domain import catalog, search
from holdfast.kernel.money import Money
from holdfast.platform.db import Database
from holdfast.workflows.catalog import create_product

Put = Callable[..., Awaitable[catalog.Document]]


@pytest.fixture
def put(database: Database, clock) -> Put:
    """Put a product on sale; it has one variant unless options are said."""
    count = 0

    async def make(title: str, *, price: int = 100, sku: str = "", **fields):
        nonlocal count
        count += 1
        options = fields.pop("chosen", {})
        draft = catalog.Draft(
            handle=f"p-{count}",
            title=title,
            status=fields.pop("status", "active"),
            options=tuple(catalog.Option(n, (v,)) for n, v in options.items()),
            variants=(
                catalog.VariantDraft(
                    sku=sku or f"SKU-{count}",
                    price=Money(price, fields.pop("currency", "EUR")),
                    options=options,
                ),
            ),
            **fields,
        )
        return await create_product(database, draft, clock=clock)

    return make


@pytest.fixture
def finder(database: Database) -> search.Finder:
    return search.Finder(database)


@pytest.fixture
def find(database: Database, finder: search.Finder, clock):
    """Search, and return the titles and what was found."""

    async def ask(typed: str | None = None, **said):
        filters = search.Filters(**said.pop("filters", {}))
        asked = None if typed is None else await finder.understand(typed)
        found = await finder.find(
            asked,
            filters,
            sort=said.pop("sort", "relevance"),
            language=said.pop("language", "en"),
            now=clock(),
            after=said.pop("after", None),
            limit=said.pop("limit", 20),
            facets=said.pop("facets", False),
        )
        documents = await catalog.read_by_id(database, found.ids)
        return [documents[id_].product().title for id_ in found.ids], found

    return ask
