"""Products come in and change as a whole, or not at all."""

import asyncio
from dataclasses import replace

import pytest

from holdfast.domain import catalog, inventory
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.workflows.catalog import (
    Outcome,
    change_product,
    create_product,
    import_products,
)
from holdfast.workflows.categories import create_category
from holdfast.workflows.stock import set_level

TEA = catalog.Draft(
    handle="tea",
    title="Tea",
    status="active",
    description_html="<p>A <script>x</script>cup</p>",
    options=(catalog.Option("Size", ("S", "L")),),
    variants=tuple(
        catalog.VariantDraft(
            sku=f"TEA-{size}", price=Money(490, "EUR"), options={"Size": size}
        )
        for size in "SL"
    ),
)
TEAS = catalog.NewCategory("teas", "Teas")


@pytest.fixture
def known(database):
    """The product with a handle, as it is now."""

    async def read(handle):
        return (await catalog.Reader(database).find(handle)).product()

    return read


class TestCreateProduct:
    async def test_adds_it_with_empty_stock(self, database, clock, known):
        made = await create_product(database, TEA, clock=clock)

        assert made.product() == await known("tea")
        assert made.product().description_html == "<p>A cup</p>"
        assert (await inventory.find(database, "TEA-S")).on_hand == 0

    async def test_refuses_a_handle_that_is_taken(self, database, clock):
        await create_product(database, TEA, clock=clock)

        with pytest.raises(catalog.DuplicateHandle) as caught:
            await create_product(database, TEA, clock=clock)

        assert caught.value.handle == "tea"

    async def test_refuses_a_sku_that_is_taken_and_leaves_nothing(
        self, database, clock
    ):
        await create_product(database, TEA, clock=clock)

        with pytest.raises(catalog.DuplicateSku) as caught:
            await create_product(database, replace(TEA, handle="chai"), clock=clock)

        assert caught.value.sku == "TEA-S"
        with pytest.raises(catalog.ProductNotFound):
            await catalog.Reader(database).find("chai")

    async def test_refuses_a_category_that_does_not_exist(self, database, clock):
        await create_category(database, TEAS, clock=clock)
        draft = replace(TEA, categories=("teas", "none"))

        with pytest.raises(catalog.ProductInvalid) as caught:
            await create_product(database, draft, clock=clock)

        assert caught.value.errors == [catalog.Fault("/categories/1", "does not exist")]

    async def test_refuses_what_breaks_a_rule(self, database, clock):
        with pytest.raises(catalog.ProductInvalid):
            await create_product(database, replace(TEA, title=""), clock=clock)

    async def test_lets_one_of_two_have_the_same_sku(self, database, clock):
        drafts = [replace(TEA, handle=f"tea-{n}") for n in range(4)]

        outcomes = []

        async def create(draft):
            try:
                outcomes.append(await create_product(database, draft, clock=clock))
            except catalog.DuplicateSku as refused:
                outcomes.append(refused)

        async with asyncio.TaskGroup() as group:
            for draft in drafts:
                group.create_task(create(draft))

        assert [isinstance(o, catalog.Document) for o in outcomes].count(True) == 1


class TestChangeProduct:
    async def test_changes_what_it_says_and_keeps_variants_and_stock(
        self, database, clock, known
    ):
        made = (await create_product(database, TEA, clock=clock)).product()
        await set_level(database, "TEA-S", 5, reason="", actor="test", clock=clock)
        clock.advance(minutes=1)
        dearer = replace(TEA.variants[0], price=Money(600, "EUR"))
        new = catalog.VariantDraft(
            sku="TEA-X", price=Money(900, "EUR"), options={"Size": "X"}
        )

        await change_product(
            database,
            made.id,
            lambda draft: replace(
                draft,
                options=(catalog.Option("Size", ("S", "X")),),
                variants=(dearer, new),
            ),
            clock=clock,
        )

        now = await known("tea")
        assert [v.sku for v in now.variants] == ["TEA-S", "TEA-X", "TEA-L"]
        assert now.variants[0].id == made.variants[0].id
        assert now.variants[0].price == Money(600, "EUR")
        assert [v.available for v in now.variants] == [5, 0, 0]
        assert now.options == (catalog.Option("Size", ("S", "X", "L")),)
        assert now.updated_at == clock.now > now.created_at

    async def test_replaces_images_and_categories(self, database, clock, known):
        await create_category(database, TEAS, clock=clock)
        draft = replace(TEA, images=(catalog.Image("/images/a"),), categories=("teas",))
        made = await create_product(database, draft, clock=clock)

        await change_product(
            database,
            made.id,
            lambda old: replace(
                old, images=(catalog.Image("/images/b"),), categories=()
            ),
            clock=clock,
        )

        now = await known("tea")
        assert [image.url for image in now.images] == ["/images/b"]
        assert now.categories == ()

    async def test_leaves_the_time_when_nothing_is_different(
        self, database, clock, known
    ):
        made = await create_product(database, TEA, clock=clock)
        clock.advance(minutes=1)

        await change_product(database, made.id, lambda draft: draft, clock=clock)

        assert (await known("tea")).updated_at == made.product().updated_at

    async def test_loses_no_change_of_two_at_once(self, database, clock, known):
        made = await create_product(database, TEA, clock=clock)

        async with asyncio.TaskGroup() as group:
            for tag in "abcdef":
                group.create_task(
                    change_product(
                        database,
                        made.id,
                        lambda draft, tag=tag: replace(draft, tags=(*draft.tags, tag)),
                        clock=clock,
                    )
                )

        assert set((await known("tea")).tags) == set("abcdef")

    async def test_says_that_there_is_no_such_product(self, database, clock):
        with pytest.raises(catalog.ProductNotFound):
            await change_product(database, new_id(), lambda d: d, clock=clock)

    async def test_refuses_the_handle_of_another(self, database, clock):
        await create_product(database, TEA, clock=clock)
        chai = replace(
            TEA,
            handle="chai",
            variants=tuple(replace(v, sku=v.sku + "2") for v in TEA.variants),
        )
        made = await create_product(database, chai, clock=clock)

        with pytest.raises(catalog.DuplicateHandle) as caught:
            await change_product(
                database, made.id, lambda d: replace(d, handle="tea"), clock=clock
            )

        assert caught.value.handle == "tea"


class TestCreateCategory:
    async def test_refuses_a_handle_that_is_taken(self, database, clock):
        await create_category(database, TEAS, clock=clock)

        with pytest.raises(catalog.DuplicateHandle):
            await create_category(database, TEAS, clock=clock)

    async def test_refuses_what_breaks_a_rule(self, database, clock):
        with pytest.raises(catalog.CategoryInvalid):
            await create_category(
                database, catalog.NewCategory("Teas", ""), clock=clock
            )


class TestImportProducts:
    @pytest.fixture
    def take_in(self, database, clock):
        async def go(*arrivals, **options):
            return await import_products(
                database, arrivals, clock=clock, actor="test", **options
            )

        return go

    @pytest.fixture
    def arrival(self):
        return catalog.Arrival(
            replace(TEA, categories=("teas",)), (TEAS,), {"TEA-S": 5, "TEA-L": 0}
        )

    async def test_adds_products_with_their_categories_and_stock(
        self, take_in, arrival, known
    ):
        assert await take_in(arrival) == [Outcome.CREATED]

        now = await known("tea")
        assert [v.available for v in now.variants] == [5, 0]
        assert [c.name for c in now.categories] == ["Teas"]

    async def test_changes_nothing_the_second_time(
        self, take_in, arrival, known, clock, database
    ):
        await take_in(arrival)
        before = await known("tea")
        await set_level(database, "TEA-S", 3, reason="", actor="test", clock=clock)
        clock.advance(minutes=1)

        assert await take_in(arrival) == [Outcome.UNCHANGED]

        now = await known("tea")
        assert now.updated_at == before.updated_at
        assert [v.available for v in now.variants] == [3, 0]

    async def test_leaves_changes_by_hand_to_what_the_file_does_not_change(
        self, take_in, arrival, known, clock, database
    ):
        await take_in(arrival)
        await change_product(
            database,
            (await known("tea")).id,
            lambda draft: replace(draft, title="Better Tea"),
            clock=clock,
        )

        assert await take_in(arrival) == [Outcome.UNCHANGED]
        assert (await known("tea")).title == "Better Tea"

    async def test_updates_what_the_file_changes_but_not_stock(
        self, take_in, arrival, known, clock, database
    ):
        await take_in(arrival)
        await set_level(database, "TEA-S", 3, reason="", actor="test", clock=clock)
        new = catalog.VariantDraft(
            sku="TEA-X", price=Money(1, "EUR"), options={"Size": "X"}
        )
        draft = replace(
            arrival.draft,
            title="New",
            options=(catalog.Option("Size", ("S", "X")),),
            variants=(arrival.draft.variants[0], new),
        )
        changed = replace(arrival, draft=draft, on_hand={"TEA-S": 9, "TEA-X": 4})

        assert await take_in(changed) == [Outcome.UPDATED]

        now = await known("tea")
        assert now.title == "New"
        assert {v.sku: v.available for v in now.variants} == {
            "TEA-S": 3,
            "TEA-X": 4,
            "TEA-L": 0,
        }

    async def test_overwrites_stock_when_told_to(self, take_in, arrival, known):
        await take_in(arrival)

        outcome = await take_in(
            replace(arrival, on_hand={"TEA-S": 1}), overwrite_stock=True
        )

        assert outcome == [Outcome.UNCHANGED]
        assert (await known("tea")).variants[0].available == 1

    async def test_takes_all_or_none(self, take_in, arrival, database):
        twin = replace(arrival, draft=replace(arrival.draft, handle="twin"))
        await take_in(arrival)
        other = replace(
            arrival,
            draft=replace(
                arrival.draft,
                handle="other",
                variants=tuple(replace(v, sku=v.sku + "2") for v in TEA.variants),
            ),
            on_hand={},
        )

        with pytest.raises(catalog.DuplicateSku):
            await take_in(other, twin)

        with pytest.raises(catalog.ProductNotFound):
            await catalog.Reader(database).find("other")

    async def test_refuses_a_file_that_leaves_a_variant_without_its_options(
        self, take_in, arrival
    ):
        await take_in(arrival)
        plain = replace(
            arrival.draft,
            options=(),
            variants=(replace(TEA.variants[0], options={}),),
        )

        with pytest.raises(catalog.ProductInvalid):
            await take_in(replace(arrival, draft=plain))
