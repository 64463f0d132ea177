"""What readers get: whole products, every one once, the best first."""

import json
from dataclasses import replace

import pytest
from cases import cases
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.domain import catalog
from holdfast.domain.catalog.model import is_line, parse_id, without_accents
from holdfast.kernel.money import Money
from holdfast.kernel.page import BadCursor, encode_cursor
from holdfast.workflows.catalog import (
    change_product,
    create_product,
    import_products,
)
from holdfast.workflows.categories import create_category
from holdfast.workflows.stock import set_level

NASTY = "\"quoted\" \\ <b>&amp; 'x' 🫖 {} [] %s $1"


class TestDocument:
    async def test_says_all_that_was_written(self, database, clock, a_draft):
        await create_category(
            database, catalog.NewCategory("teas", NASTY, 1), clock=clock
        )
        draft = a_draft(
            handle="assam",
            skus=('T"1', "T\\2"),
            description_html="<p>A &amp; B</p>",
            vendor='The "Shop"',
            product_type="Tea",
            tags=("a", "b,c", 'd"e'),
            images=(
                catalog.Image("/images/b.webp"),
                catalog.Image("https://a/?b=1&c", "Al\\t", 1, 2),
            ),
            categories=("teas",),
        )

        document = await create_product(database, draft, clock=clock)

        product = document.product()
        assert catalog.draft_of(product).variants == draft.variants
        assert product.title == draft.title
        assert product.vendor == draft.vendor
        assert product.tags == draft.tags
        assert product.options == draft.options
        assert [image.url for image in product.images] == [
            "/images/b.webp",
            "https://a/?b=1&c",
        ]
        assert product.images[1].alt == "Al\\t"
        assert [category.handle for category in product.categories] == ["teas"]
        assert [variant.title for variant in product.variants] == ["1 g", "2 g"]
        assert product.created_at == product.updated_at == clock.now

    @given(text=st.text(st.characters(codec="utf-8", exclude_characters="\x00")))
    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    async def test_is_json_whatever_the_texts_are(self, database, clock, text):
        value = "".join(c for c in text if is_line(c)).strip()[:50] or "x"
        draft = catalog.Draft(
            handle=f"p-{hash(text) % 10**12}",
            title=value,
            vendor=value,
            tags=(value,),
            options=(catalog.Option(value, (value,)),),
            description_html=text,
            images=(catalog.Image("/images/a", value),),
            variants=(
                catalog.VariantDraft(
                    sku=f"{value}{hash(text)}",
                    price=Money(1, "EUR"),
                    options={value: value},
                    barcode=value,
                ),
            ),
        )

        product = (await create_product(database, draft, clock=clock)).product()

        assert catalog.draft_of(product) == draft.cleaned().beside(product)

    async def test_has_the_stock_of_this_moment_beside_each_variant(
        self, database, clock, a_draft
    ):
        made = await create_product(database, a_draft(skus=("A", "B")), clock=clock)
        await set_level(database, "B", 7, reason="", actor="test", clock=clock)

        found = await catalog.read_by_id(database, [made.id])

        assert [v.available for v in found[made.id].product().variants] == [0, 7]

    async def test_keeps_up_with_every_change(self, database, clock, a_draft):
        made = await create_product(database, a_draft(), clock=clock)
        clock.advance(seconds=1)

        changed = await change_product(
            database, made.id, lambda old: replace(old, title="New"), clock=clock
        )

        product = changed.product()
        assert (product.title, product.created_at) == (
            "New",
            made.product().created_at,
        )
        assert product.updated_at == clock.now


class TestReader:
    async def test_finds_by_id_and_by_handle(self, database, clock, a_draft):
        made = await create_product(database, a_draft(handle="assam"), clock=clock)
        reader = catalog.Reader(database)

        assert await reader.find("assam") == await reader.find(str(made.id)) == made

    @cases(
        "key",
        ["no-such", "../assam", "", "a\x00", "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"],
    )
    async def test_says_that_there_is_nothing(self, database, key):
        with pytest.raises(catalog.ProductNotFound):
            await catalog.Reader(database).find(key)


class TestPage:
    async def test_visits_every_product_once_while_others_come_and_change(
        self, database, clock, a_draft
    ):
        made = [
            str((await create_product(database, a_draft(), clock=clock)).id)
            for _ in range(7)
        ]

        seen, after = [], None
        while True:
            page = await catalog.page(database, after=after, limit=2, status="active")
            seen += [item["id"] for item in json.loads(f"[{page.json}]")]
            if (after := page.next) is None:
                break
            if len(seen) < 6:
                # One comes, one that was seen changes, one that is to come changes.
                await create_product(database, a_draft(title="New"), clock=clock)
                for key in (seen[0], made[-1]):
                    await change_product(
                        database,
                        parse_id(key),
                        lambda old: replace(old, title=old.title + "!"),
                        clock=clock,
                    )

        assert [key for key in seen if key in made] == made
        assert len(set(seen)) == len(seen)

    @given(
        sizes=st.lists(st.integers(1, 3), max_size=12),
        limit=st.integers(1, 5),
        status=st.sampled_from([None, "active", "draft"]),
    )
    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    async def test_visits_each_row_once(
        self, database, clock, walk, sizes, limit, status
    ):
        async with database.acquire() as connection:
            # The ledger of their stock does not let itself be emptied.
            await connection.execute(
                "ALTER TABLE stock_movements DISABLE TRIGGER USER;"
                "TRUNCATE products CASCADE"
            )
        arrivals = [
            catalog.Arrival(
                catalog.Draft(
                    handle=f"p-{number}",
                    title="T",
                    status="draft" if size == 3 else "active",
                    options=(catalog.Option("N", tuple(map(str, range(size)))),),
                    variants=tuple(
                        catalog.VariantDraft(
                            sku=f"{number}-{n}",
                            price=Money(1, "EUR"),
                            options={"N": str(n)},
                        )
                        for n in range(size)
                    ),
                )
            )
            for number, size in enumerate(sizes)
        ]
        await import_products(database, arrivals, clock=clock, actor="test")

        found = await walk(limit=limit, status=status)

        handles = [
            arrival.draft.handle
            for arrival in arrivals
            if status in (None, arrival.draft.status)
        ]
        assert sorted(item["handle"] for item in found) == sorted(handles)

    async def test_is_of_one_category(self, database, clock, a_draft, walk):
        category = await create_category(
            database, catalog.NewCategory("teas", "Teas"), clock=clock
        )
        for status, categories in (
            ("active", ("teas",)),
            ("draft", ("teas",)),
            ("active", ()),
            ("active", ("teas",)),
        ):
            draft = a_draft(status=status, categories=categories)
            await create_product(database, draft, clock=clock)

        on_sale = await walk(limit=1, status="active", category_id=category.id)
        of_any = await walk(limit=1, status=None, category_id=category.id)

        assert [item["handle"] for item in on_sale] == ["item-1", "item-4"]
        assert [item["handle"] for item in of_any] == ["item-1", "item-2", "item-4"]

    @cases("cursor", ["", "x", "!", encode_cursor("no id")])
    async def test_refuses_a_cursor_it_did_not_give(self, database, cursor):
        with pytest.raises(BadCursor):
            await catalog.page(database, after=cursor, limit=1, status=None)

    async def test_is_planned_once_and_not_for_each_call(
        self, database, clock, a_draft
    ):
        # With a plan for each call, a page costs half as much again.
        for _ in range(30):
            await create_product(database, a_draft(), clock=clock)
        async with database.acquire() as connection:
            await connection.execute("ANALYZE")
            for _ in range(12):
                await catalog.page(connection, after=None, limit=20, status="active")

            generic, custom = await connection.fetchrow(
                "SELECT generic_plans, custom_plans FROM pg_prepared_statements"
                " WHERE statement LIKE '-- Active products%'"
            )

        assert custom <= 5
        assert generic >= 7


class TestWithoutAccents:
    @given(st.text(st.characters(codec="utf-8", exclude_characters="\x00")))
    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    async def test_is_the_same_in_the_database_and_out_of_it(self, database, text):
        assert await database.fetchval(
            "SELECT without_accents($1)", text
        ) == without_accents(text)
