"""The export of an import is the same catalogue, in either format."""

import json

import pytest

from holdfast.domain import catalog, imports, pricing
from holdfast.domain.catalog import AttributeDraft
from holdfast.domain.imports import Tally
from holdfast.domain.pricing import PriceList
from holdfast.kernel.ids import new_id
from holdfast.kernel.languages import canonical
from holdfast.kernel.money import Money
from holdfast.kernel.negotiation import preferred
from holdfast.workflows.attributes import define
from holdfast.workflows.import_files import Wanted, receive
from holdfast.workflows.imports import carry_on
from holdfast.workflows.prices import Prices, PriceWanted

FILES = ("apparel.csv", "home-and-garden.csv")
MEDIA = ("jsonl", "shopify_csv")
A_VARIANT = {"sku": "T", "price": {"amount": 490, "currency": "EUR"}}
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

    async def test_has_translations_and_links_too_and_changes_nothing_at_home(
        self, database, clock, another_shop, take, exported, job_of
    ):
        for db in (database, another_shop):
            for code, kind in (("feel", "text"), ("goes_with", "reference")):
                wanted = AttributeDraft(code=code, name=code, type=kind)
                await define(db, wanted, clock=clock)
        tea = {
            "handle": "tea",
            "title": "Tea",
            "status": "active",
            "options": [{"name": "Size", "values": ["S"]}],
            "images": [{"url": f"https://a.example/{n}"} for n in (1, 2)],
            "attributes": {"feel": "soft", "goes_with": "cup"},
            "related": ["cup", "pot"],
            "translations": {
                "de": {
                    "title": "Tee",
                    "description_html": "<p>Gut</p>",
                    "options": {"Size": {"name": "Menge", "values": {"S": "Klein"}}},
                    "attributes": {"feel": "weich"},
                    "images": {"2": "Eine Kanne"},
                },
                "fr-CA": {"seo_title": "Th\u00e9"},
            },
            "variants": [{**A_VARIANT, "sku": "TEA", "options": {"Size": "S"}}],
        }
        others = [
            {"handle": h, "title": h, "variants": [{**A_VARIANT, "sku": h}]}
            for h in ("cup", "pot")
        ]
        lines = [json.dumps(one).encode() for one in (tea, *others)]
        _, first = await take(database, b"\n".join(lines), "jsonl")
        assert (await job_of(first)).tally == Tally(created=3)

        out = await exported(database, "jsonl")
        await take(another_shop, out, "jsonl")
        async with database.transaction() as tx:
            # As if they had come from elsewhere: what they are is compared.
            await tx.execute("UPDATE products SET source_hash = NULL")
        _, again = await take(database, out, "jsonl")

        said = json.loads(out.splitlines()[0])
        for name in ("attributes", "related", "translations"):
            assert said[name] == tea[name]
        assert await exported(another_shop, "jsonl") == out
        assert (await job_of(again)).tally == Tally(unchanged=3)
        # Whoever reads German finds it, too.
        ((id_,),) = await another_shop.fetch(
            "SELECT id FROM products WHERE handle = 'tea'"
        )
        reader = catalog.Reader(another_shop, clock)
        shown = (await reader.find(str(id_), preferred("de", "en"))).product()
        assert shown.title == "Tee"
        assert shown.variants[0].title == "Klein"
        assert shown.images[1].alt == "Eine Kanne"

    async def test_is_noted_where_only_a_translation_is_new(
        self, database, take, job_of
    ):
        tea = {"handle": "tea", "title": "Tea", "variants": [A_VARIANT]}
        await take(database, json.dumps(tea).encode(), "jsonl")

        tea["translations"] = {"de": {"title": "Tee"}}
        _, job = await take(database, json.dumps(tea).encode(), "jsonl")

        assert (await job_of(job)).tally == Tally(updated=1)
        ((id_, version),) = await database.fetch("SELECT id, version FROM products")
        assert version == 2
        page = await catalog.changes_of(database, id_, after=None, limit=9)
        assert [d.field for d in page.items[0].changes] == ["/translations/de"]

    @pytest.mark.parametrize(
        ("texts", "message"),
        [
            (
                {"attributes": {"feel": "x"}},
                "translations/de/attributes/feel is not an attribute of the product",
            ),
            (
                {"options": {"Size": {"values": {"S": "L"}}}},
                "translations/de/options/Size/values must be told apart",
            ),
        ],
        ids=["attribute", "alike"],
    )
    async def test_keeps_out_a_translation_that_does_not_fit_the_product(
        self, database, take, texts, message
    ):
        tea = {
            "handle": "tea",
            "title": "Tea",
            "options": [{"name": "Size", "values": ["S", "L"]}],
            "variants": [
                {**A_VARIANT, "sku": size, "options": {"Size": size}} for size in "SL"
            ],
        }
        await take(database, json.dumps(tea).encode(), "jsonl")
        # Of the variants it has, the file says one.
        tea["options"] = [{"name": "Size", "values": ["S"]}]
        tea["variants"] = tea["variants"][:1]
        tea["translations"] = {"de": texts}

        _, job = await take(database, json.dumps(tea).encode(), "jsonl")

        found = await imports.faults(database, job.id, after=0, limit=9)
        assert [one.fault.message for one in found] == [message]

    async def test_keeps_out_more_languages_than_there_may_be(self, database, take):
        tags = [
            f"{one}{two}" for one in "efghlmn" for two in "abcdefghijklmnopqrstuvwxyz"
        ]
        known = [tag for tag in tags if canonical(tag) == tag]
        tea = {"handle": "tea", "title": "Tea", "variants": [A_VARIANT]}
        for some in (known[:15], known[15:31]):
            tea["translations"] = {tag: {"title": "x"} for tag in some}
            _, job = await take(database, json.dumps(tea).encode(), "jsonl")

        found = await imports.faults(database, job.id, after=0, limit=9)
        assert [one.fault.message for one in found] == [
            "translations would be more than 30"
        ]


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
