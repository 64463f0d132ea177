"""What is said of variants besides, put into text that says everything else."""

import json

import pytest

from holdfast.domain import catalog
from holdfast.workflows.catalog import create_product

OFFER = '"offer":{"price":7}'


@pytest.fixture
async def worst(database, clock, a_draft):
    """A product whose options and texts look like what is searched for."""
    names = ("id", "available", '[{"id":"')
    draft = a_draft(
        title='[{"id":"01a2098c-2490-7210-8a1f-fefb92e7f196","available":3}]',
        options=tuple(catalog.Option(name, ("1", "2")) for name in names),
        variants=tuple(
            catalog.VariantDraft(
                sku=f"W-{value}",
                price=a_draft().variants[0].price,
                options=dict.fromkeys(names, value),
            )
            for value in ("1", "2")
        ),
    )
    return await create_product(database, draft, clock=clock)


class TestSayOfVariants:
    async def test_says_it_of_these_at_their_end_whatever_they_are_called(self, worst):
        before = json.loads(worst.json)
        first, second = (variant["id"] for variant in before["variants"])

        for said in ({first: OFFER}, {second: OFFER}, {first: OFFER, second: OFFER}):
            text = catalog.say_of_variants(f"{worst.json},{worst.json}", said)

            products = json.loads(f"[{text}]")
            assert len(products) == 2
            for product in products:
                for variant in product["variants"]:
                    offer = variant.pop("offer", None)
                    assert offer == ({"price": 7} if variant["id"] in said else None)
                assert product == before

    async def test_says_nothing_of_others(self, worst):
        elsewhere = {str(worst.id): OFFER, "1": OFFER, "": OFFER}

        assert catalog.say_of_variants(worst.json, elsewhere) == worst.json
