"""What products bring with them: shelves, further prices, and who is in the picture."""

import json

import pytest

from holdfast.domain import catalog, pricing
from holdfast.domain.catalog import NewCategory
from holdfast.domain.imports import Tally
from holdfast.workflows.categories import create_category

EUR = {"amount": 490, "currency": "EUR"}


def line(handle, *, categories=(), images=(), **variant):
    """A product of one variant as a line."""
    product = {
        "handle": handle,
        "title": handle,
        "categories": categories,
        "images": [{"url": url} for url in images],
        "variants": [{"sku": handle.upper(), "price": EUR, **variant}],
    }
    return json.dumps(product).encode() + b"\n"


def shelf(handle, *above):
    return {
        "handle": handle,
        "name": handle.title(),
        "path": [{"handle": one, "name": one.title()} for one in above],
    }


@pytest.fixture
def tree(database):
    """Handles of categories by the handle of that in which they stand."""

    async def read():
        page = await catalog.categories(database, after=None, limit=100)
        by_id = {one.id: one.handle for one in page.items}
        return {one.handle: by_id.get(one.parent_id) for one in page.items}

    return read


@pytest.fixture
def prices_of(database):
    async def read(sku):
        page = await pricing.prices(database, sku=sku, after=None, limit=100)
        return [
            (str(p.price.currency), p.price.amount, p.min_quantity) for p in page.items
        ]

    return read


@pytest.fixture
def product(database):
    async def read(handle):
        ((product_id, _),) = (await catalog.imported(database, [handle])).values()
        return (await catalog.read_by_id(database, [product_id]))[product_id].product()

    return read


class TestShelves:
    async def test_are_made_under_those_above_them(self, send, work_off, tree, product):
        await send(
            line("tea", categories=[shelf("green", "drinks", "teas")])
            + line(
                "cup", categories=[shelf("cups", "tableware"), shelf("teas", "drinks")]
            )
        )

        await work_off()

        assert await tree() == {
            "drinks": None,
            "teas": "drinks",
            "green": "teas",
            "tableware": None,
            "cups": "tableware",
        }
        assert [c.name for c in (await product("tea")).categories] == ["Green"]

    async def test_that_are_there_stay_where_they_are(
        self, database, clock, send, work_off, tree
    ):
        await create_category(database, NewCategory("teas", "Teas"), clock=clock)
        await send(line("tea", categories=[shelf("green", "drinks", "teas")]))

        await work_off()

        assert await tree() == {"teas": None, "drinks": None, "green": "teas"}

    async def test_that_contradict_each_other_are_no_circle(self, send, work_off, tree):
        await send(
            line("tea", categories=[shelf("a", "b"), shelf("b", "a")])
            + line("cup", categories=[shelf("b", "a"), shelf("c", "b", "a")])
        )

        await work_off()

        assert await tree() == {"b": None, "a": "b", "c": "a"}

    async def test_too_deep_are_told_and_keep_no_other_out(
        self, database, clock, send, work_off, messages, tree
    ):
        parent = None
        for level in range(9):
            wanted = NewCategory(f"l{level}", "L", parent_id=parent)
            parent = (await create_category(database, wanted, clock=clock)).id
        job = await send(
            line("tea", categories=[shelf("deepest", "l8", "deeper")]) + line("cup")
        )

        await work_off()

        assert await messages(job) == [
            (1, "parent would make the tree deeper than 10 levels")
        ]
        assert "deeper" not in await tree()


class TestPrices:
    async def test_are_set_beside_the_variants_own(self, send, work_off, prices_of):
        await send(
            line(
                "tea",
                prices=[
                    {"price": {"amount": 420, "currency": "GBP"}},
                    {"price": {"amount": 450, "currency": "EUR"}, "min_quantity": 10},
                ],
            )
        )

        await work_off()

        assert await prices_of("TEA") == [("GBP", 420, 1), ("EUR", 450, 10)]

    async def test_that_are_over_are_left_out(self, send, work_off, prices_of, job_of):
        pound = {"price": {"amount": 420, "currency": "GBP"}}
        sale = {**pound, "min_quantity": 2, "ends_at": "2020-01-01T00:00:00Z"}

        job = await send(line("tea", prices=[pound, sale]))
        await work_off()

        assert (await job_of(job)).tally == Tally(created=1)
        assert await prices_of("TEA") == [("GBP", 420, 1)]

    async def test_that_are_said_again_otherwise_take_the_place_of_those_before(
        self, send, work_off, prices_of, job_of
    ):
        pound = {"price": {"amount": 420, "currency": "GBP"}}
        yen = {"price": {"amount": 800, "currency": "JPY"}}
        await send(line("tea", prices=[pound, yen]))
        await work_off()

        dearer = {"price": {"amount": 440, "currency": "GBP"}}
        job = await send(line("tea", prices=[dearer]))
        await work_off()

        assert (await job_of(job)).tally == Tally(updated=1)
        # What a file does not say stays.
        assert await prices_of("TEA") == [("JPY", 800, 1), ("GBP", 440, 1)]

    @pytest.mark.parametrize(
        ("price", "message"),
        [
            (
                {"price": {"amount": 1, "currency": "XXX"}},
                "variants/0/prices/0/price/currency must be an ISO 4217 currency",
            ),
            (
                {"price": EUR, "min_quantity": 0},
                "prices/0/min_quantity must be 1 to 1000000",
            ),
            (
                {
                    "price": EUR,
                    "starts_at": "2020-01-02T00:00:00Z",
                    "ends_at": "2020-01-01T00:00:00Z",
                },
                "prices/0/ends_at must be after starts_at; prices/0/ends_at has passed",
            ),
            (
                {"price": EUR, "ends_at": "9999-12-31T23:59:59-05:00"},
                "variants/0/prices/0/ends_at must be between the years 2001 and 8999",
            ),
            (
                {"price": EUR, "min_quantity": 2**70},
                "prices/0/min_quantity must be 1 to 1000000",
            ),
        ],
        ids=["currency", "quantity", "backwards", "never", "uncountable"],
    )
    async def test_that_are_wrong_keep_their_product_out(
        self, send, work_off, messages, skus, price, message
    ):
        job = await send(line("cup") + line("tea", prices=[price]))

        await work_off()

        assert await messages(job) == [(2, message)]
        assert await skus() == {"CUP": 0}


class TestImages:
    URLS = ("https://a.example/1", "https://a.example/2")

    async def test_say_which_of_them_shows_a_variant(self, send, work_off, product):
        await send(line("tea", images=self.URLS, image=2))

        await work_off()

        tea = await product("tea")
        assert tea.variants[0].image_id == tea.images[1].id

    async def test_stay_with_a_variant_of_which_nothing_else_is_said(
        self, send, work_off, product
    ):
        await send(line("tea", images=self.URLS, image=2))
        await work_off()

        await send(line("tea", images=self.URLS[::-1]))
        await work_off()

        tea = await product("tea")
        assert tea.variants[0].image_id == tea.images[0].id

    async def test_that_are_not_there_show_nothing(self, send, work_off, messages):
        job = await send(line("tea", images=self.URLS, image=3))

        await work_off()

        ((number, message),) = await messages(job)
        assert number == 1
        assert message.startswith("variants/0/image must be the place of one of")
