"""What is found, and in which order."""

import json

import pytest
from cases import cases

from holdfast.domain import catalog
from holdfast.domain.catalog.documents import as_words
from holdfast.kernel.page import BadCursor, encode_cursor
from holdfast.workflows.catalog import create_product
from holdfast.workflows.categories import create_category


class TestSearch:
    @pytest.fixture
    async def teas(self, database, clock, a_draft):
        for title, description in (
            ("Green Tea", "Steamed leaf."),
            ("Teapot", "For green and black tea."),
            ("Crème Brûlée Candle", "Smells like running late."),
            ("Black Tea", "Goes well with green things and tea biscuits."),
        ):
            draft = a_draft(title=title, description_html=description)
            await create_product(database, draft, clock=clock)

    @cases(
        ("typed", "titles"),
        [
            ("green tea", ["Green Tea", "Black Tea", "Teapot"]),
            ("tea green", ["Green Tea", "Black Tea", "Teapot"]),
            ("creme brulee", ["Crème Brûlée Candle"]),
            ("CRÈME", ["Crème Brûlée Candle"]),
            ("runs", ["Crème Brûlée Candle"]),
            ("candles", ["Crème Brûlée Candle"]),
            ("teap", ["Teapot"]),
            ("tea -black", ["Green Tea"]),
            ('"green tea"', ["Green Tea"]),
            ("candle or teapot", ["Teapot", "Crème Brûlée Candle"]),
            ("ITEM-2", ["Teapot"]),
            ("zzz", []),
            ("the", []),
            ("!!!", []),
            ("a:* & | ! ( <-> '", []),
            ("\\ ' \x00", []),
        ],
    )
    @pytest.mark.usefixtures("teas")
    async def test_finds_the_best_first(self, database, typed, titles):
        page = await catalog.search(
            database, typed, after=None, limit=10, status="active"
        )

        found = [item["title"] for item in json.loads(f"[{page.json}]")]
        if " or " in typed:
            found.sort(reverse=True)
        assert found == titles

    @pytest.mark.usefixtures("teas")
    async def test_pages_through_everything_it_finds(self, walk, database):
        async def read(connection, **asked):
            return await catalog.search(connection, "tea", **asked)

        found = await walk(read, limit=1, status=None)

        assert len({item["id"] for item in found}) == len(found) == 3

    async def test_is_of_a_category_and_a_status(self, database, clock, a_draft, walk):
        category = await create_category(
            database, catalog.NewCategory("teas", "Teas"), clock=clock
        )
        for status, categories in (
            ("active", ("teas",)),
            ("draft", ("teas",)),
            ("active", ()),
        ):
            draft = a_draft(title="Oolong", status=status, categories=categories)
            await create_product(database, draft, clock=clock)

        page = await catalog.search(
            database,
            "oolong",
            after=None,
            limit=5,
            status="active",
            category_id=category.id,
        )

        assert [item["handle"] for item in json.loads(f"[{page.json}]")] == ["item-1"]

    @pytest.mark.parametrize(
        "cursor",
        [
            encode_cursor("0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"),
            encode_cursor("x", "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"),
            encode_cursor("nan", "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"),
            encode_cursor("0.5", "no id"),
        ],
    )
    async def test_refuses_a_cursor_it_did_not_give(self, database, cursor):
        with pytest.raises(BadCursor):
            await catalog.search(database, "tea", after=cursor, limit=1, status=None)

    async def test_takes_texts_as_long_as_the_rules_allow(
        self, database, clock, a_draft
    ):
        words = " ".join(f"w{n:x}字" for n in range(20_000))
        draft = a_draft(
            description_html=words[:65_000],
            tags=tuple(f"{n:0>250}" for n in range(250)),
            skus=tuple(f"{n:x>255}" for n in range(2_000)),
        )

        made = await create_product(database, draft, clock=clock)

        assert len(made.product().variants) == 2_000


class TestAsWords:
    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ("green te", "'green' & 'te':*"),
            ("green tea ", "'green' & 'tea'"),
            ("t-shirt", "'t' & 'shirt':*"),
            ("", ""),
            ("--", ""),
            ('"a b"', ""),
            ("a OR b", ""),
            ("a -b", ""),
            (
                " ".join("abcdefghijklmnopqrstuvwxyz"),
                " & ".join(f"'{c}'" for c in "abcdefghijklmnop") + ":*",
            ),
        ],
    )
    def test_makes_the_last_word_a_prefix(self, typed, words):
        assert as_words(typed) == words
