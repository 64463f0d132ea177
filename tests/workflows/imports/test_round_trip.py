"""The export of an import is the same catalogue, in either format."""

import json

import pytest

from holdfast.domain import catalog, pricing
from holdfast.domain.imports import Tally
from holdfast.domain.pricing import PriceList
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.workflows.import_files import Wanted, receive
from holdfast.workflows.imports import carry_on
from holdfast.workflows.prices import Prices, PriceWanted

FILES = ("apparel.csv", "home-and-garden.csv")
MEDIA = ("jsonl", "shopify_csv")
# What a shop gives out itself.
OWN = {"id", "version", "created_at", "updated_at", "image_id"}


@pytest.fixture
def take(clock):
    """Take a file into a shop; returns what became of its products."""

    async def go(db, content, file_format):
        async def pieces():
            yield content

        wanted = Wanted(file_format, "EUR", overwrite_stock=True, actor="key:1")
        received = await receive(db, pieces(), wanted, clock=clock)
        while await carry_on(db, clock=clock):
            pass
        return await catalog_of(db), received.job

    return go


async def catalog_of(db):
    """Every product of a shop, without what the shop gave it."""
    rows = await db.fetch("SELECT id FROM products ORDER BY id")
    found = await catalog.read_by_id(db, [row["id"] for row in rows])
    return [without_own(json.loads(found[row["id"]].json)) for row in rows]


def without_own(value):
    if isinstance(value, dict):
        return {k: without_own(v) for k, v in value.items() if k not in OWN}
    if isinstance(value, list):
        return [without_own(one) for one in value]
    return value


class TestExportOfAnImport:
    @pytest.mark.parametrize("file", FILES)
    @pytest.mark.parametrize("file_format", MEDIA)
    async def test_is_the_same_catalogue(
        self, database, another_shop, take, exported, shared_data, file, file_format
    ):
        content = (shared_data / "shopify" / file).read_bytes()
        first, _ = await take(database, content, "shopify_csv")

        out = await exported(database, file_format)
        second, _ = await take(another_shop, out, file_format)

        assert len(first) == 20
        assert second == first
        assert await exported(another_shop, file_format) == out

    @pytest.mark.parametrize("file", FILES)
    async def test_taken_in_where_it_came_from_changes_nothing(
        self, database, take, exported, shared_data, file, job_of
    ):
        content = (shared_data / "shopify" / file).read_bytes()
        first, _ = await take(database, content, "shopify_csv")

        out = await exported(database, "shopify_csv")
        second, job = await take(database, out, "shopify_csv")

        assert second == first
        assert (await job_of(job)).tally == Tally(unchanged=20)

    async def test_has_shelves_prices_and_pictures_of_variants_too(
        self, database, another_shop, take, exported
    ):
        tea = {
            "handle": "tea",
            "title": "Tea",
            "seo_title": "Fine tea",
            "options": [{"name": "Size", "values": ["S", "L"]}],
            "images": [{"url": f"https://a.example/{n}", "alt": "x"} for n in (1, 2)],
            "categories": [
                {
                    "handle": "green",
                    "name": "Green tea",
                    "path": [{"handle": "drinks", "name": "To drink"}],
                }
            ],
            "variants": [
                {
                    "sku": size,
                    "options": {"Size": size},
                    "price": {"amount": 490, "currency": "EUR"},
                    "image": place,
                    "prices": [
                        {"price": {"amount": 420, "currency": "GBP"}},
                        {
                            "price": {"amount": 410, "currency": "GBP"},
                            "compare_at_price": {"amount": 420, "currency": "GBP"},
                            "min_quantity": 5,
                            "starts_at": "2098-01-01T00:00:00Z",
                            "ends_at": "2099-01-01T00:00:00Z",
                        },
                    ],
                }
                for place, size in enumerate(("S", "L"), 1)
            ],
        }
        await take(database, json.dumps(tea).encode(), "jsonl")

        out = await exported(database, "jsonl")
        await take(another_shop, out, "jsonl")

        assert await exported(another_shop, "jsonl") == out
        said = json.loads(out)
        for name, value in tea.items():
            if name != "variants":
                assert said[name] == value
        for variant, told in zip(said["variants"], tea["variants"], strict=True):
            assert (variant["image"], variant["prices"]) == (
                told["image"],
                told["prices"],
            )


class TestExport:
    async def test_has_no_price_that_was_taken_off_or_is_of_a_list(
        self, database, clock, take, exported, a_product
    ):
        await a_product("TEA")
        prices = Prices(database, clock, "key:1")
        pound, yen = Money(420, "GBP"), Money(800, "JPY")
        sale = PriceList(
            id=new_id(),
            code="sale",
            name="Sale",
            kind="sale",
            group_ids=None,
            starts_at=None,
            ends_at=None,
            created_at=clock(),
            updated_at=clock(),
        )
        await prices.add_list(sale)
        await prices.set([PriceWanted("TEA", pound), PriceWanted("TEA", yen)])
        await prices.set([PriceWanted("TEA", Money(1, "GBP"))], sale.id)
        page = await pricing.prices(database, sku="TEA", after=None, limit=9)
        await prices.remove(next(p.id for p in page.items if p.price == yen))

        (said,) = json.loads(await exported(database, "jsonl"))["variants"]

        assert said["prices"] == [{"price": {"amount": 420, "currency": "GBP"}}]

    async def test_defuses_what_a_spreadsheet_would_run_and_takes_it_back(
        self, database, another_shop, take, exported
    ):
        evil = {
            "handle": "evil",
            "title": "=cmd|'/c calc'!A0",
            "vendor": "@SUM(1+1)*cmd",
            "tags": ["+1", "-2", "a, b"],
            "description_html": "-1",
            "variants": [
                {
                    "sku": "=1+1",
                    "barcode": "'=2",
                    "price": {"amount": 1, "currency": "EUR"},
                    "on_hand": 2,
                }
            ],
        }
        first, _ = await take(database, json.dumps(evil).encode(), "jsonl")

        out = await exported(database, "shopify_csv")
        second, _ = await take(another_shop, out, "shopify_csv")

        assert first[0]["title"] == evil["title"]
        assert second == first
        assert b",=" not in out
        assert b",@" not in out
        assert b",+" not in out

    async def test_of_a_status_is_only_that(self, database, take, exported):
        lines = [
            json.dumps(
                {
                    "title": status,
                    "status": status,
                    "variants": [
                        {"sku": status, "price": {"amount": 1, "currency": "EUR"}}
                    ],
                }
            )
            for status in ("active", "draft")
        ]
        await take(database, "\n".join(lines).encode(), "jsonl")

        out = await exported(database, "jsonl", status="draft")

        assert json.loads(out)["handle"] == "draft"

    async def test_of_an_empty_shop_is_a_header_or_nothing(self, database, exported):
        assert await exported(database, "jsonl") == b""
        assert (await exported(database, "shopify_csv")).count(b"\r\n") == 1
