"""Offers and categories, and what the database refuses."""

import pytest
from cases import cases

from holdfast.domain import catalog
from holdfast.kernel.money import Money
from holdfast.kernel.page import BadCursor, encode_cursor
from holdfast.workflows.catalog import create_product
from holdfast.workflows.categories import create_category

# Fixed, because every test process must name its tests alike.
NOBODYS_ID = "01a205b5-8c52-787d-a479-e3a655f76aae"


class TestOffers:
    async def test_tells_what_checkout_needs(self, database, clock, a_draft):
        made = await create_product(
            database, a_draft(skus=("A", "B"), price=1250, title="Assam"), clock=clock
        )

        offers = await catalog.offers(database, ["B", "nothing", "B", "C\x00"])

        assert offers == {
            "B": catalog.Offer(
                variant_id=made.product().variants[1].id,
                sku="B",
                title="Assam - 2 g",
                price=Money(1250, "EUR"),
                weight_grams=0,
                active=True,
            )
        }

    @pytest.mark.parametrize("status", ["draft", "archived"])
    async def test_says_when_something_is_not_on_sale(
        self, database, clock, a_draft, status
    ):
        await create_product(database, a_draft(status=status), clock=clock)

        offer = (await catalog.offers(database, ["ITEM-1"]))["ITEM-1"]

        assert not offer.active
        assert offer.title == "Item-1"


class TestCategories:
    async def test_are_listed_in_their_order_each_once(self, database, clock):
        for position, name in ((2, "b"), (1, "c"), (2, "a"), (0, "d")):
            wanted = catalog.NewCategory(name, name, position)
            await create_category(database, wanted, clock=clock)

        seen, after = [], None
        while True:
            page = await catalog.categories(database, after=after, limit=1)
            seen += [category.handle for category in page.items]
            if (after := page.next) is None:
                break

        assert seen == ["d", "c", "b", "a"]

    async def test_are_none_in_an_empty_shop(self, database):
        page = await catalog.categories(database, after=None, limit=1)

        assert page.items == []
        assert page.next is None

    @cases(
        "cursor",
        [
            encode_cursor("1"),
            encode_cursor("x", NOBODYS_ID),
            encode_cursor("9" * 10, NOBODYS_ID),
            encode_cursor("1", "x"),
        ],
    )
    async def test_refuse_a_cursor_that_is_not_theirs(self, database, cursor):
        with pytest.raises(BadCursor):
            await catalog.categories(database, after=cursor, limit=1)


class TestFindCategory:
    async def test_finds_by_id_and_by_handle(self, database, clock):
        wanted = catalog.NewCategory("teas", "Teas")
        made = await create_category(database, wanted, clock=clock)

        assert await catalog.find_category(database, "teas") == made
        assert await catalog.find_category(database, str(made.id)) == made

    @cases("key", ["none", "", "a\x00b", "../teas"])
    async def test_says_that_there_is_none(self, database, key):
        with pytest.raises(catalog.CategoryNotFound):
            await catalog.find_category(database, key)
