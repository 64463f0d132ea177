"""What is found, in which order, and how it is counted."""

import itertools
import random
from collections import Counter
from datetime import timedelta

import pytest

from holdfast.domain import search
from holdfast.domain.search import store
from holdfast.kernel.page import BadCursor, encode_cursor
from holdfast.workflows import stock
from holdfast.workflows.showing import show

COLOURS, SIZES, VENDORS = ("red", "blue", "green"), ("S", "M", "L"), ("Acme", "Bolt")


class TestFind:
    async def test_weighs_titles_above_names_above_choices_above_descriptions(
        self, put, find
    ):
        await put("Vase", description_html="<p>A <b>copper</b> look</p>")
        await put("Jug", chosen={"Metal": "Copper"})
        await put("Cup", tags=("copper",))
        await put("Copper Bowl")

        titles, _ = await find("copper")

        assert titles == ["Copper Bowl", "Cup", "Jug", "Vase"]

    async def test_puts_the_title_that_was_typed_first(self, put, find):
        await put("Tea Towel Rack")
        await put("Kitchen Tea Towel")
        await put("Tea Towel")

        titles, _ = await find("tea towel")

        assert titles == ["Tea Towel", "Tea Towel Rack", "Kitchen Tea Towel"]

    @pytest.mark.parametrize(
        ("typed", "found"),
        [
            ("creme brulee", True),
            ("CRÈME", True),
            ("candles", True),
            ("candle -brulee", False),
            ('"crème brûlée"', True),
            ('"brûlée crème"', False),
            ("zebra or candle", True),
            ("brul", True),
            ("cr 0815/x", True),
            ("CR-0815/X", True),
            ("4006381333931", True),
            ("!!!", False),
            ("xyzzy", False),
        ],
    )
    async def test_reads_words_signs_and_codes(self, put, find, typed, found):
        await put("Crème Brûlée Candle", sku="CR-0815/X", tags=("4006381333931",))

        titles, _ = await find(typed)

        assert titles == ["Crème Brûlée Candle"] * found

    async def test_finds_a_translation_by_the_stems_of_its_language(
        self, database, put, find
    ):
        cup = await put("Cup")
        await database.fetch(
            "INSERT INTO product_translations VALUES ($1, 'de-AT', $2, now())",
            cup.id,
            {"title": "Häuser aus Porzellan", "description_html": "<p>Gläser</p>"},
        )
        async with database.transaction() as tx:
            await show(tx, [cup.id])

        assert (await find("haus", language="de"))[0] == ["Cup"]
        assert (await find("glas", language="de"))[0] == ["Cup"]
        assert (await find("häuser"))[0] == ["Cup"]
        assert (await find("porzelan", language="de"))[0] == ["Cup"]

    async def test_chooses_by_attributes_that_are_filterable(self, database, put, find):
        await database.fetch(
            "INSERT INTO attribute_definitions (code, name, type, filterable, "
            "created_at, updated_at) VALUES ('wood', 'Wood', 'text', true, now(), "
            "now()), ('note', 'Note', 'text', false, now(), now())"
        )
        table = await put("Table")
        await database.fetch(
            "UPDATE products SET attributes = $1",
            {"wood": "Oak", "note": "fragile"},
        )
        async with database.transaction() as tx:
            await show(tx, [table.id])

        titles, found = await find(
            filters={"chosen": {"attribute.wood": ("Oak",)}}, facets=True
        )

        assert titles == ["Table"]
        assert [value.name for value in found.facets.values] == ["attribute.wood"]
        assert (await find("fragile oak"))[0] == ["Table"]

    async def test_sees_what_goes_on_and_off_sale_at_that_second(
        self, put, find, clock
    ):
        start, end = clock() + timedelta(hours=1), clock() + timedelta(hours=2)
        await put("Drop", status="scheduled", publish_at=start, unpublish_at=end)

        assert (await find("drop"))[0] == []
        clock.advance(seconds=3600)
        assert (await find("drop"))[0] == ["Drop"]
        clock.advance(seconds=3600)
        assert (await find("drop"))[0] == []

    async def test_knows_what_can_be_bought_at_this_moment(
        self, database, put, find, clock
    ):
        await put("Mug", sku="MUG")
        await put("Cup", sku="CUP")
        await stock.set_level(
            database, "CUP", 1, reason="delivery", actor="test", clock=clock
        )

        for typed in (None, "mug or cup", "cup"):
            titles, found = await find(typed, filters={"available": True}, facets=True)
            assert titles == ["Cup"]
            assert found.facets.count == 1
        assert (await find(filters={"available": False}))[0] == ["Mug"]

    async def test_pages_alike_when_there_are_too_many_to_weigh(
        self, finder, put, find, monkeypatch
    ):
        few = store._BY_RELEVANCE.replace("<= 2000", "<= 3")
        monkeypatch.setitem(finder._statements, ("relevance", False), few)
        for title in ("Cup and mug", "Mug", "Mug red", "Blue mug", "Rack of mugs"):
            await put(title)
        await put("Stand", tags=("mug",))

        walked, after = [], None
        while True:
            titles, found = await find("mug", after=after, limit=2)
            walked += titles
            after = found.next
            if after is None:
                break

        assert walked == [
            *("Mug", "Mug red", "Cup and mug", "Blue mug", "Rack of mugs", "Stand")
        ]

    @pytest.mark.parametrize(
        "cursor",
        [
            encode_cursor("newest", "1", "x"),
            encode_cursor("newest", "x", "01a205b5-8c52-787d-a479-e3a655f76aae"),
            encode_cursor("newest", "9" * 30, "01a205b5-8c52-787d-a479-e3a655f76aae"),
            encode_cursor("price", "1", "01a205b5-8c52-787d-a479-e3a655f76aae"),
            encode_cursor("newestw", "1", "01a205b5-8c52-787d-a479-e3a655f76aae"),
            encode_cursor("newest", "1"),
        ],
    )
    async def test_refuses_the_cursor_of_another_list(self, find, cursor):
        with pytest.raises(BadCursor):
            await find(after=cursor, sort="newest")

    @pytest.mark.parametrize("key", ["nan", "inf", "x"])
    async def test_refuses_a_weight_that_is_none(self, find, put, key):
        cursor = encode_cursor(
            "relevancew", key, "01a205b5-8c52-787d-a479-e3a655f76aae"
        )
        with pytest.raises(BadCursor):
            await find("mug", after=cursor)


class TestFacets:
    async def test_count_what_each_further_choice_would_show(self, put, find):
        dice = random.Random(7)  # noqa: S311 - the same products each time
        sold = []
        for number in range(40):
            colour, size, vendor = map(dice.choice, (COLOURS, SIZES, VENDORS))
            tags = tuple(dice.sample(("new", "sale", "gift"), dice.randint(0, 2)))
            price = dice.choice((100, 200, 300))
            await put(
                f"Mug {number}",
                price=price,
                vendor=vendor,
                tags=tags,
                chosen={"Colour": colour, "Size": size},
            )
            sold.append(
                {
                    "option.Colour": {colour},
                    "option.Size": {size},
                    "vendor": {vendor},
                    "tag": set(tags),
                    "price": price,
                }
            )

        choices = [{}, {"vendor": ("Acme",)}, {"tag": ("new", "gift")}]
        sets = [
            {**one, **other, **more}
            for one, other, more in itertools.product(
                choices,
                [{}, {"option.Size": ("S", "M")}],
                [{}, {"option.Colour": ("red",)}],
            )
        ]
        for chosen, low, typed in itertools.product(sets, (None, 200), (None, "mug")):

            def fits(product, without=None, chosen=chosen, low=low):
                return all(
                    name == without or product[name] & set(values)
                    for name, values in chosen.items()
                ) and (low is None or without == "price" or product["price"] >= low)

            filters = {"chosen": chosen}
            if low is not None:
                filters["prices"] = search.Prices("EUR", low)
            _, found = await find(typed, filters=filters, facets=True, limit=1)

            expected = Counter(
                (name, value)
                for product in sold
                for name in ("option.Colour", "option.Size", "vendor", "tag")
                if fits(product, without=name)
                for value in product[name]
            )
            told = {(v.name, v.value): v.count for v in found.facets.values}
            assert told == expected, (chosen, low, typed)
            assert found.facets.count == sum(map(fits, sold))
            assert found.facets.exact
            prices = [p["price"] for p in sold if fits(p, without="price")]
            assert found.facets.prices == (("EUR", min(prices), max(prices)),)

    async def test_say_when_there_are_more_than_were_counted(
        self, finder, put, find, monkeypatch
    ):
        all_ = finder._statements["newest", True]
        few = all_.replace("2001", "3").replace("2000", "2")
        monkeypatch.setitem(finder._statements, ("newest", True), few)
        for number in range(4):
            await put(f"Mug {number}", vendor="Acme")

        _, found = await find(facets=True)

        assert (found.facets.count, found.facets.exact) == (2, False)


class TestWithoutTrigrams:
    @pytest.fixture(autouse=True)
    async def without(self, database):
        await database.fetch("DROP EXTENSION pg_trgm CASCADE")

    async def test_finds_words_as_they_are_written(self, put, find, finder, clock):
        await put("Blue Mug")

        assert (await find("mugs"))[0] == ["Blue Mug"]
        assert (await find("mgu"))[0] == []
        queries, products = await finder.suggest(
            "blu", language="en", now=clock(), limit=5
        )
        assert queries == ["blue"]
        assert [product.title for product in products] == ["Blue Mug"]

    async def test_says_so_where_the_process_is_asked_whether_it_is_ready(self, client):
        answer = await client.get("/readyz")

        assert answer.status_code == 200
        assert answer.json()["status"] == "degraded"
        assert answer.json()["checks"]["search"]["status"] == "failed"
        assert "pg_trgm" in answer.json()["checks"]["search"]["detail"]
