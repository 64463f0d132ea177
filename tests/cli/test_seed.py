"""``holdfast seed demo``: a shop to look around in."""

from io import BytesIO

import pytest
from PIL import Image

from holdfast.cli.demo.catalogue import items
from holdfast.domain import catalog, inventory
from holdfast.workflows.stock_locations import change_location


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


class TestSeedDemo:
    async def test_fills_a_shop_and_then_changes_nothing(
        self, holdfast, home, database
    ):
        first = await holdfast("seed", "demo")
        changed_at = await database.fetchval("SELECT max(updated_at) FROM products")
        pictures = {p: p.stat().st_mtime_ns for p in home.rglob("*.webp")}
        second = await holdfast("seed", "demo")

        count = await database.fetchval("SELECT count(*) FROM products")
        assert first.code == second.code == 0
        assert first.out == (
            f"Demo catalogue: {count} created, 0 updated, 0 unchanged; "
            f"{count} pictures drawn.\n"
        )
        assert second.out == (
            f"Demo catalogue: 0 created, 0 updated, {count} unchanged; "
            "0 pictures drawn.\n"
        )
        assert count >= 60
        assert changed_at == await database.fetchval(
            "SELECT max(updated_at) FROM products"
        )
        assert pictures == {p: p.stat().st_mtime_ns for p in home.rglob("*.webp")}
        assert not list(home.rglob("*.part"))
        assert await inventory.drift(database) == []

    async def test_has_a_picture_for_every_product(self, holdfast, home, database):
        await holdfast("seed", "demo")

        urls = [
            row["url"] for row in await database.fetch("SELECT url FROM product_images")
        ]
        page = await catalog.categories(database, after=None, limit=100)

        assert all((home / url.lstrip("/")).is_file() for url in urls)
        assert len(page.items) >= 6

    async def test_shows_some_together_and_leaves_them_to_their_owner(
        self, holdfast, home, database, clock
    ):
        await holdfast("seed", "demo")
        seeded = await catalog.collections(database, after=None, limit=9)
        gifts, breakfast = seeded.items
        by_hand = await catalog.page_by_hand(
            *(database, breakfast.id),
            after=None,
            limit=9,
            status="active",
            at=clock(),
        )
        async with database.transaction() as tx:
            await catalog.delete_collection(tx, gifts.id)
            await catalog.take_out(tx, breakfast.id, [by_hand.items[0].id])
        await holdfast("seed", "demo")

        assert gifts.rule is not None
        assert len(by_hand.items) == 5
        again = await catalog.collections(database, after=None, limit=9)
        assert [one.handle for one in again.items] == ["gifts", "breakfast-by-the-sea"]
        assert again.items[1] == breakfast

    async def test_says_where_parcels_are_fetched_unless_somebody_did(
        self, holdfast, home, database, clock
    ):
        await holdfast("seed", "demo")
        seeded = await inventory.find_location(database, inventory.MAIN)
        mine = {**seeded.address, "city": "Bremen"}
        await change_location(database, "main", {"address": mine}, clock=clock)
        await holdfast("seed", "demo")

        again = await inventory.find_location(database, inventory.MAIN)
        assert (seeded.address["country"], again.address["city"]) == ("DE", "Bremen")

    async def test_draws_again_what_was_lost(self, holdfast, home):
        await holdfast("seed", "demo")
        lost = next(home.rglob("*.webp"))
        before = lost.read_bytes()
        lost.unlink()

        said = await holdfast("seed", "demo")

        assert said.out.endswith("1 pictures drawn.\n")
        assert lost.read_bytes() == before


class TestItems:
    def test_break_no_rule(self):
        for item in items("EUR"):
            assert catalog.faults(item.arrival.draft) == []

    def test_have_skus_and_handles_of_their_own(self):
        demo = list(items("EUR"))
        skus = [v.sku for item in demo for v in item.arrival.draft.variants]

        assert len(set(skus)) == len(skus)
        assert len({item.arrival.draft.handle for item in demo}) == len(demo)

    def test_are_sometimes_sold_out_but_mostly_not(self):
        units = [n for item in items("EUR") for n in item.arrival.on_hand.values()]

        assert 0 < units.count(0) < len(units) / 10

    def test_are_priced_in_any_currency(self):
        (first, *_) = items("JPY")

        assert str(first.arrival.draft.variants[0].price) == "5 JPY"


class TestRecipe:
    def test_draws_the_same_picture_every_time(self):
        recipe = next(items("EUR")).picture

        assert recipe.draw() == recipe.draw()

    def test_draws_a_square_for_every_motif(self):
        pictures = {item.picture.motif: item.picture for item in items("EUR")}

        for picture in pictures.values():
            with Image.open(BytesIO(picture.draw())) as image:
                assert (image.format, image.size) == ("WEBP", (640, 640))
