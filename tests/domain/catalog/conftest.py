"""Drafts as small as the rules allow, to be bent, and lists read to their end."""

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from holdfast.domain import catalog
from holdfast.kernel.money import Money


@pytest.fixture
def a_draft() -> Callable[..., catalog.Draft]:
    """Make a draft of an active product; one variant for each of *skus*."""
    number = count(1)

    def make(
        *, skus: tuple[str, ...] = (), price: int = 999, **fields: Any
    ) -> catalog.Draft:
        mine = f"item-{next(number)}"
        sizes = [f"{place} g" for place in range(1, len(skus) + 1)]
        variants = tuple(
            catalog.VariantDraft(
                sku=sku, price=Money(price, "EUR"), options={"Size": size}
            )
            for sku, size in zip(skus, sizes, strict=True)
        )
        given: dict[str, Any] = {
            "handle": mine,
            "title": mine.title(),
            "status": "active",
            "options": (catalog.Option("Size", tuple(sizes)),) if skus else (),
            "variants": variants
            or (
                catalog.VariantDraft(
                    sku=mine.upper(), price=Money(price, "EUR"), options={}
                ),
            ),
        }
        return catalog.Draft(**given | fields)

    return make


@pytest.fixture
def walk(database):
    """Read page after page to the end."""

    async def go(read=catalog.page, **asked):
        pages = [await read(database, after=None, **asked)]
        while pages[-1].next is not None:
            pages.append(await read(database, after=pages[-1].next, **asked))
        return [item for page in pages for item in json.loads(f"[{page.json}]")]

    return go
