"""Two who write the catalogue at one instant: both are done, neither undoes the other.

Each test holds one transaction open and has the other writer come by. Whoever must not
wait is awaited while it is open; whoever must is let go on by its end.
"""

import asyncio
from dataclasses import replace

import pytest

from holdfast.domain import catalog, inventory
from holdfast.domain.catalog import (
    AttributeInUse,
    Draft,
    DuplicateSku,
    NewCategory,
    VariantDraft,
)
from holdfast.kernel.money import Money
from holdfast.workflows import attributes
from holdfast.workflows import catalog as workflow
from holdfast.workflows.catalog import (
    Outcome,
    change_product,
    create_product,
    import_products,
)
from holdfast.workflows.categories import create_category
from holdfast.workflows.related import relate
from holdfast.workflows.showing import show


def a_draft(handle, sku=None, **said):
    variant = VariantDraft(
        sku=sku or handle.upper(), price=Money(490, "EUR"), options={}
    )
    return Draft(handle=handle, title=handle.title(), variants=(variant,), **said)


@pytest.fixture
def sell(database, clock):
    """Put products into the shop; returns their ids."""

    async def put(*handles, **said):
        return [
            (await create_product(database, a_draft(one, **said), clock=clock)).id
            for one in handles
        ]

    return put


@pytest.fixture
def hold(clock):
    """Lock a product in a transaction that the caller ends; returns it."""

    async def lock(tx, product_id):
        return await catalog.lock_one(tx, product_id, at=clock())

    return lock


@pytest.fixture
def known(database):
    """The products in the shop by handle."""

    async def read():
        ids = [row["id"] for row in await database.fetch("SELECT id FROM products")]
        documents = await catalog.read_by_id(database, ids)
        products = [one.product() for one in documents.values()]
        return {product.handle: product for product in products}

    return read


@pytest.fixture
async def goes_with(database, clock):
    wanted = catalog.AttributeDraft(
        code="goes_with", name="Goes with", type="reference"
    )
    await attributes.define(database, wanted, clock=clock)

    def to(product_id):
        return lambda draft: replace(draft, attributes={"goes_with": str(product_id)})

    return to


class TestReferring:
    async def test_to_a_product_waits_for_no_editor_of_it(
        self, database, clock, sell, hold
    ):
        tea, cup = await sell("tea", "cup")
        relating = relate(
            *(database, cup, [str(tea)]), clock=clock, actor="test", versions=None
        )

        async with database.transaction() as tx:
            await hold(tx, tea)
            assert await relating == 2
            # Each the other: whoever waited here would wait for ever.
            await catalog.put_related(tx, tea, ["cup"])

        assert [one.id for one in await catalog.related(database, tea)] == [cup]
        assert [one.id for one in await catalog.related(database, cup)] == [tea]

    async def test_by_an_attribute_waits_for_no_editor_either(
        self, database, clock, sell, hold, goes_with
    ):
        tea, cup = await sell("tea", "cup")
        referring = change_product(database, cup, goes_with(tea), clock=clock)

        async with database.transaction() as tx:
            await hold(tx, tea)
            await referring
            await catalog.check_attributes(tx, [{"goes_with": str(cup)}])

    async def test_is_done_again_where_the_server_undid_it(
        self, database, clock, sell, hold, goes_with, known, meanwhile
    ):
        tea, cup = await sell("tea", "cup")
        referring = change_product(database, cup, goes_with(tea), clock=clock)

        async with asyncio.TaskGroup() as tasks:
            async with database.transaction() as tx:
                await tx.execute("SET LOCAL deadlock_timeout = '60s'")
                await catalog.lock_to_delete(tx, tea, at=clock())
                task = await meanwhile(tasks, referring)
                # A circle, which the server breaks where somebody has waited a second.
                await hold(tx, cup)
            await task

        assert (await known())["cup"].attributes == {"goes_with": str(tea)}


class TestEditors:
    async def test_of_a_product_that_gets_a_variant_meanwhile_see_it(
        self, database, clock, sell, hold, known, meanwhile
    ):
        size = catalog.Option("Size", ("S", "L"))
        small = replace(a_draft("tea").variants[0], sku="S", options={"Size": "S"})
        made = replace(a_draft("tea"), options=(size,), variants=(small,))
        tea = (await create_product(database, made, clock=clock)).id
        large = replace(small, sku="L", options={"Size": "L"})
        retitling = change_product(
            database, tea, lambda draft: replace(draft, title="Chai"), clock=clock
        )

        async with asyncio.TaskGroup() as tasks, database.transaction() as tx:
            product = await hold(tx, tea)
            draft = catalog.with_variant(catalog.draft_of(product), 1, large)
            added = await catalog.add_variant(tx, product, draft, 1, at=clock())
            await inventory.open_levels(tx, [added], at=clock())
            await show(tx, [tea])
            await meanwhile(tasks, retitling)

        now = (await known())["tea"]
        assert (now.title, [one.sku for one in now.variants]) == ("Chai", ["S", "L"])

    async def test_are_not_waited_for_by_who_takes_away_an_attribute(
        self, database, clock, sell, hold
    ):
        wanted = catalog.AttributeDraft(code="depth", name="Depth", type="number")
        await attributes.define(database, wanted, clock=clock)
        (tea,) = await sell("tea", attributes={"depth": 3})

        async with database.transaction() as tx:
            await hold(tx, tea)
            with pytest.raises(AttributeInUse):
                await attributes.take_away(
                    *(database, "depth"), clock=clock, actor="test", versions=None
                )
            # Nor is anybody kept waiting by that.
            await catalog.check_attributes(tx, [{"depth": 4}])


class TestImport:
    @pytest.fixture
    def take_in(self, database, clock):
        def work(draft, **said):
            arrival = catalog.Arrival(draft, **said)
            return import_products(database, [arrival], clock=clock, actor="test")

        return work

    async def test_of_nested_shelves_has_none_when_it_waits_for_the_tree(
        self, database, clock, meanwhile
    ):
        drinks = NewCategory("drinks", "Drinks")
        made = await create_category(database, drinks, clock=clock)
        arrival = catalog.Arrival(
            a_draft("sencha", categories=("green",)),
            categories=(drinks, NewCategory("green", "Green")),
            parents={"green": "drinks"},
        )

        async def arrive():
            # In a transaction that nobody would begin again.
            async with database.transaction() as tx:
                return await workflow.take_in(tx, [arrival], at=clock(), actor="test")

        async with asyncio.TaskGroup() as tasks, database.transaction() as tx:
            await catalog.lock_tree(tx)
            task = await meanwhile(tasks, arrive())
            await catalog.lock_category(tx, made.id)

        assert task.result() == [Outcome.CREATED]
        green = await catalog.find_category(database, "green")
        assert green.parent_id == made.id

    async def test_leaves_a_product_that_gets_another_handle_meanwhile(
        self, database, clock, sell, hold, take_in, known, meanwhile
    ):
        (tea,) = await sell("tea")
        arriving = take_in(a_draft("tea", sku="NEW"))

        async with asyncio.TaskGroup() as tasks, database.transaction() as tx:
            renamed = replace(catalog.draft_of(await hold(tx, tea)), handle="chai")
            await catalog.change(tx, [catalog.Entry(tea, renamed)], at=clock())
            await show(tx, [tea])
            task = await meanwhile(tasks, arriving)

        assert task.result() == [Outcome.CREATED]
        now = await known()
        assert now["chai"].id == tea
        assert [one.sku for one in now["tea"].variants] == ["NEW"]

    async def test_changes_what_has_the_handle_when_its_turn_comes(
        self, database, clock, sell, hold, take_in, known, meanwhile
    ):
        tea, coffee = await sell("tea", "coffee")
        arriving = take_in(a_draft("tea", sku="COFFEE"))

        async with asyncio.TaskGroup() as tasks, database.transaction() as tx:
            for id_, handle in ((tea, "chai"), (coffee, "tea")):
                draft = replace(catalog.draft_of(await hold(tx, id_)), handle=handle)
                await catalog.change(tx, [catalog.Entry(id_, draft)], at=clock())
                await show(tx, [id_])
            task = await meanwhile(tasks, arriving)

        assert task.result() == [Outcome.UPDATED]
        now = await known()
        assert (now["chai"].id, now["tea"].id) == (tea, coffee)
        assert (now["chai"].version, now["tea"].title) == (2, "Tea")

    async def test_says_of_an_sku_that_went_with_the_handle_whose_it_is(
        self, database, clock, sell, hold, take_in, meanwhile
    ):
        (tea,) = await sell("tea")

        async def refused():
            with pytest.raises(DuplicateSku) as caught:
                await take_in(replace(a_draft("tea"), title="Tea again"))
            return caught.value.sku

        async with asyncio.TaskGroup() as tasks, database.transaction() as tx:
            renamed = replace(catalog.draft_of(await hold(tx, tea)), handle="chai")
            await catalog.change(tx, [catalog.Entry(tea, renamed)], at=clock())
            await show(tx, [tea])
            task = await meanwhile(tasks, refused())

        assert task.result() == "TEA"

    async def test_makes_a_product_again_that_is_deleted_meanwhile(
        self, database, clock, sell, take_in, known, meanwhile
    ):
        (tea,) = await sell("tea")
        arriving = take_in(a_draft("tea"))

        async with asyncio.TaskGroup() as tasks, database.transaction() as tx:
            product = await catalog.lock_to_delete(tx, tea, at=clock())
            await inventory.close_levels(tx, [product.variants[0].id])
            await catalog.delete_product(tx, product)
            task = await meanwhile(tasks, arriving)

        assert task.result() == [Outcome.CREATED]
        assert (await known())["tea"].id != tea
