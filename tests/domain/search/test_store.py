"""What is found, in which order, and how it is counted."""

import itertools
import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from holdfast.domain import search
from holdfast.domain.search import read_measures
from holdfast.domain.search.store import Bought
from holdfast.kernel.page import BadCursor, encode_cursor
from holdfast.workflows import stock
from holdfast.workflows.showing import show

COLOURS, SIZES, VENDORS = ("red", "blue", "green"), ("S", "M", "L"), ("Acme", "Bolt")


def otherwise(of, instead):
    """The statements with some of their text *instead* of other."""

    def told(shape):
        statement = of(shape)
        text = statement.sql
        for there, other in instead.items():
            text = text.replace(there, other)
        return replace(statement, sql=text)

    return told


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

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("height:10..12.5", ["Bench", "Table"]),
            ("height:10.01..", ["Table"]),
            ("height:..10", ["Bench"]),
            ("height:13..20", []),
            ("made:2026-01-02..", ["Table"]),
            ("height:1..20;made:..2026-01-01", ["Bench"]),
        ],
    )
    async def test_chooses_by_numbers_and_days_from_one_to_another(
        self, database, put, find, text, found
    ):
        await database.fetch(
            "INSERT INTO attribute_definitions (code, name, type, filterable, "
            "created_at, updated_at) VALUES ('height', 'Height', 'number', true, now(),"
            " now()), ('made', 'Made', 'date', true, now(), now())"
        )
        for title, height, made in (
            ("Bench", 10, "2026-01-01"),
            ("Table", 12.5, "2026-01-02"),
        ):
            await put(title, attributes={"height": height, "made": made})
        await put("Chair")

        titles, answer = await find(
            filters={"measures": read_measures(text)}, sort="title", facets=True
        )

        assert titles == found
        assert (answer.measured, answer.facets.count) == (True, len(found))

    async def test_says_that_a_range_is_of_no_measure(self, database, put, find):
        await database.fetch(
            "INSERT INTO attribute_definitions (code, name, type, filterable, "
            "created_at, updated_at) VALUES ('wood', 'Wood', 'text', true, now(), "
            "now()), ('depth', 'Depth', 'number', false, now(), now())"
        )
        for code in ("wood", "depth", "none"):
            _, answer = await find(filters={"measures": read_measures(f"{code}:1..2")})
            assert not answer.measured

    async def test_puts_what_has_just_this_code_first(self, put, find, finder, clock):
        await put("Red 4711 perfume")
        await put("Blue mug", sku="4711")
        await put("Green mug", sku="ab-12/c")
        await put("Draft", sku="SECRET", status="draft")

        assert (await find("4711"))[0] == ["Blue mug", "Red 4711 perfume"]
        assert (await find("4711", limit=1))[0] == ["Blue mug"]
        assert (await find(" AB-12/C "))[0] == ["Green mug"]
        assert (await find("SECRET"))[0] == []
        for typed, title in (("4711", "Blue mug"), ("ab-12/c", "Green mug")):
            _, products = await finder.suggest(
                typed, language="en", now=clock(), limit=1
            )
            assert [product.title for product in products] == [title]

    async def test_shows_what_lacks_one_word_before_what_lacks_more(self, put, find):
        await put("Blue heart")
        await put("Blue mug")

        titles, found = await find("blue heart zebra")

        assert (titles, found.relaxed) == (["Blue heart"], True)

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
        # Where more than three are many, and all are looked at.
        few = {"hits <= 4": "hits <= 3", "(asked, 8)": "(asked, 0)"}
        monkeypatch.setattr(finder._pages, "of", otherwise(finder._pages.of, few))
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


class TestSamples:
    async def test_are_by_chance_and_within_one_another(self, database):
        rows = await database.fetch(
            "SELECT level,"
            "       count(*) FILTER (WHERE lots @@ search_sample(NULL, level)) AS n"
            " FROM (SELECT search_lots(gen_random_uuid()) AS lots"
            "       FROM generate_series(1, 8192)) AS p, generate_series(1, 8) AS level"
            " WHERE level = 1 OR lots @@ search_sample(NULL, level - 1)"
            " GROUP BY level ORDER BY level"
        )

        for row in rows:
            wanted = 8192 / 2 ** row["level"]
            assert abs(row["n"] - wanted) < 6 * wanted**0.5

    async def test_are_asked_for_nothing_where_nothing_is_asked_for(self, database):
        assert await database.fetchval("SELECT search_sample('', 4)::text") == ""
        assert await database.fetchval("SELECT search_sample('a', 0)::text") == "'a'"


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
        # Where more than three are many, and a sample has all of them: each of 31 is
        # taken to stand for sixteen.
        few = {"hits <= 4": "hits <= 3", "(asked, 8)": "(asked, 0)"}
        few["(asked, l.hits)"] = "(asked, 0)"
        monkeypatch.setattr(finder._pages, "of", otherwise(finder._pages.of, few))
        for number in range(31):
            await put(f"Mug {number}", vendor="Acme", tags=("new",) * (number < 3))

        titles, found = await find("mug", sort="newest", facets=True)

        assert titles == [f"Mug {number}" for number in range(20)]
        assert (found.facets.count, found.facets.exact) == (500, False)
        told = {(v.name, v.value): v.count for v in found.facets.values}
        assert told == {("vendor", "Acme"): 500, ("tag", "new"): 48}
        nothing = Bought(can_be=False, count=500, exact=False)
        assert found.facets.bought == (nothing,)

    async def test_say_how_many_can_be_bought(self, database, put, find, clock):
        for number in range(3):
            await put(f"Mug {number}", sku=f"MUG-{number}", vendor="Acme")
        await put("Cup", sku="CUP")
        await stock.set_level(
            database, "MUG-1", 1, reason="delivery", actor="test", clock=clock
        )

        for available, count in ((None, 3), (True, 1), (False, 2)):
            _, found = await find(
                "mug", filters={"available": available}, facets=True, sort="price"
            )
            told = {each.can_be: each.count for each in found.facets.bought}
            assert (told, found.facets.count) == ({True: 1, False: 2}, count)
            assert all(each.exact for each in found.facets.bought)


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
