"""An export that is taken in where it came from changes nothing, whatever is there.

Taken in elsewhere, it makes what is exported as the same file.
"""

import csv
import io
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.domain import catalog, inventory
from holdfast.domain.catalog import Draft, Image, NewCategory, Option, VariantDraft
from holdfast.domain.catalog.cells import as_line
from holdfast.domain.imports import Tally
from holdfast.domain.inventory import Move
from holdfast.domain.pricing import Period
from holdfast.kernel.money import Money
from holdfast.workflows.catalog import change_product, create_product
from holdfast.workflows.categories import (
    change_category,
    create_category,
    show_products,
)
from holdfast.workflows.prices import Prices, PriceWanted
from holdfast.workflows.stock_locations import create_location

FORMATS = ("jsonl", "shopify_csv")
CURRENCIES = ("EUR", "GBP", "JPY", "KWD")
_number = count()
# What CSV writes in another way, or not at all.
TEXTS = st.sampled_from(
    ["Tea", "Green  tea", "Th\u00e9\u00a0vert", "=1+1", "\U0001f375"]
)
ALL = {
    "products": "SELECT id, status, version, updated_at, document FROM products",
    "filed": "SELECT product_id, category_id FROM product_categories",
    "categories": "SELECT id, handle, name, version, parent_id FROM categories",
    "stock": "SELECT variant_id, location_id, on_hand FROM stock",
    "prices": "SELECT id, variant_id, removed_at FROM prices",
    "index": "SELECT * FROM product_index",
}


@pytest.fixture
def everything(database):
    """All that an import could change."""

    async def read():
        return {
            name: sorted(map(repr, await database.fetch(statement)))
            for name, statement in ALL.items()
        }

    return read


@pytest.fixture
def again(database, send, work_off, job_of, exported):
    """Take the export of the shop in where it came from, its stock with it."""

    async def go(file_format):
        out = await exported(database, file_format)
        job = await send(out, format=file_format, overwrite_stock=True)
        await work_off()
        assert await exported(database, file_format) == out
        return (await job_of(job)).tally

    return go


@pytest.fixture
def copied(database, another_shop, send, work_off, exported):
    """Take the export of the shop in elsewhere; what both say of themselves then."""

    async def go(file_format):
        out = await exported(database, file_format)
        said = {"format": file_format, "overwrite_stock": True}
        await send(out, to=another_shop, **said)
        await work_off(another_shop)
        return told(out), told(await exported(another_shop, file_format))

    def told(out):
        if out[:1] == b"{":
            return out.splitlines()
        # Elsewhere spaces are single ones, and categories called by their names.
        return [
            {name: as_line(cell) for name, cell in row.items() if name != "Collection"}
            for row in csv.DictReader(io.StringIO(out.decode(), newline=""))
        ]

    return go


@pytest.fixture
def store(database, clock):
    """Another location, and how to put something there."""

    async def put(sku, units):
        places = {one.code: one.id for one in await inventory.locations(database)}
        if "store" not in places:
            made = await create_location(
                database, "store", "Store", priority=1, address=None, clock=clock
            )
            places["store"] = made.id
        here = (await inventory.find(database, sku)).variant_id
        moves = [
            Move(here, places["store"], units, "receipt"),
            Move(here, inventory.MAIN, 5, "receipt"),
        ]
        async with database.transaction() as tx:
            await inventory.move(tx, moves, actor="test", at=clock())

    return put


@pytest.fixture
def shelf(database, clock):
    """A category whose name was another when it got its handle."""

    async def make(handle, name):
        made = await create_category(
            database, NewCategory(handle, "Shelf"), clock=clock
        )
        await change_category(
            *(database, made.id, lambda told: replace(told, name=name)),
            clock=clock,
            versions=None,
            actor="test",
        )
        return made.id

    return make


class TestExport:
    @pytest.mark.parametrize("file_format", FORMATS)
    @given(
        title=TEXTS,
        kind=TEXTS | st.just(""),
        names=st.lists(TEXTS, max_size=2),
        status=st.sampled_from(catalog.STATUSES),
        currency=st.sampled_from(CURRENCIES),
        amount=st.integers(0, 10**6),
        units=st.integers(1, 9),
        below=st.booleans(),
    )
    @settings(
        max_examples=12,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    async def test_changes_nothing_where_it_came_from_and_is_the_same_elsewhere(
        self,
        database,
        clock,
        again,
        copied,
        everything,
        store,
        shelf,
        file_format,
        title,
        kind,
        names,
        status,
        currency,
        amount,
        units,
        below,
    ):
        me = f"p-{next(_number)}"
        shelves = [f"{me}-{place}" for place, _ in enumerate(names)]
        for handle, name in zip(shelves, names, strict=True):
            await shelf(handle, name)
        options = (Option("Size", ("XL", "S", "L")),)
        images = [Image(f"https://a.example/{n}", title, 9, 9) for n in (1, 2)]
        on = clock() + timedelta(days=1) if status == "scheduled" else None
        draft = Draft(
            handle=me,
            title=title,
            product_type=kind,
            status=status,
            publish_at=on,
            options=options,
            images=tuple(images),
            categories=tuple(shelves),
            variants=tuple(
                VariantDraft(
                    sku=f"{me}-{size}",
                    price=Money(amount, currency),
                    options={"Size": size},
                )
                for size in ("S", "XL")
            ),
        )
        made = await create_product(database, draft, clock=clock)
        await store(f"{me}-S", units)
        wanted = PriceWanted(f"{me}-S", Money(amount, "CHF"))
        await Prices(database, clock, "test").set([wanted])
        if below:
            # On sale since a moment of which nothing is written down yet.
            clock.advance(days=2)
        before = await everything()

        tally = await again(file_format)

        assert (tally.created, tally.updated, tally.refused) == (0, 0, 0)
        assert await everything() == before
        here, there = await copied(file_format)
        assert made.product().handle in str(here)
        assert there == here

    @pytest.mark.parametrize("file_format", FORMATS)
    async def test_is_known_when_it_comes_again(
        self, database, clock, a_product, send, work_off, job_of, exported, file_format
    ):
        """What was changed by hand since then stays, as after any import."""
        await a_product("TEA")
        out = await exported(database, file_format)
        await send(out, format=file_format)
        await work_off()
        tea = await database.fetchval("SELECT id FROM products")
        await change_product(
            database, tea, lambda draft: replace(draft, title="Better"), clock=clock
        )

        job = await send(out, format=file_format)
        await work_off()

        assert (await job_of(job)).tally == Tally(unchanged=1)
        assert await database.fetchval("SELECT title FROM products") == "Better"


class TestStock:
    @pytest.mark.parametrize("file_format", FORMATS)
    async def test_is_that_of_the_main_location_out_and_in(
        self, database, a_product, store, again, skus, file_format
    ):
        """7 units in a store were added to the 5 of the main location, and sold."""
        await a_product("TEA", on_hand=0)
        await store("TEA", 7)

        await again(file_format)

        assert await skus() == {"TEA": 12}
        assert (await inventory.find(database, "TEA")).on_hand == 5


class TestCurrency:
    async def test_of_what_is_there_does_not_change_unsaid(
        self, database, a_product, send, work_off, messages
    ):
        await a_product("TEA", price=Money(1000, "GBP"))
        handle = await database.fetchval("SELECT handle FROM products")
        rows = f"Handle,Title,Variant SKU,Variant Price\n{handle},Tea,TEA,10.00\n"

        job = await send(rows.encode(), format="shopify_csv")
        await work_off()

        ((line, message),) = await messages(job)
        assert line == 2
        assert message.endswith("is GBP and would be EUR, which the file does not say")
        offer = (await catalog.offers(database, ["TEA"]))["TEA"]
        assert offer.price == Money(1000, "GBP")


class TestPrice:
    async def test_that_has_ended_since_keeps_nothing_out(
        self, database, clock, a_product, exported, send, work_off, job_of
    ):
        await a_product("TEA")
        sale = Period(None, clock() + timedelta(hours=1))
        prices = Prices(database, clock, "test")
        await prices.set(
            [
                PriceWanted("TEA", Money(1, "GBP")),
                PriceWanted("TEA", Money(2, "EUR"), min_quantity=2, period=sale),
            ]
        )
        out = await exported(database, "jsonl")
        clock.advance(hours=2)

        job = await send(out)
        await work_off()

        assert out.count(b"ends_at") == 1
        assert (await job_of(job)).tally == Tally(unchanged=1)


class TestCategory:
    async def test_that_was_renamed_keeps_its_products(
        self, database, clock, a_product, shelf, again
    ):
        """It was taken for a new one at the top, and its product left it."""
        await a_product("TEA")
        tea = await database.fetchval("SELECT id FROM products")
        tees = await shelf("tees", "Green tea")
        await change_product(
            database,
            tea,
            lambda draft: replace(draft, categories=("tees",)),
            clock=clock,
        )
        await show_products(database, tees)

        assert await again("shopify_csv") == Tally(unchanged=1)

        handles = await database.fetch("SELECT handle FROM categories")
        assert [row["handle"] for row in handles] == ["tees"]
