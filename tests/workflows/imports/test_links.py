"""Products of a file lead to each other, whichever comes first."""

import io
import json
from dataclasses import replace

import pytest

from holdfast.domain import catalog
from holdfast.domain.catalog import AttributeDraft
from holdfast.domain.imports import Tally
from holdfast.workflows import attributes, imports
from holdfast.workflows.catalog import import_products

EUR = {"amount": 490, "currency": "EUR"}


def line(handle, **more):
    product = {
        "handle": handle,
        "title": handle,
        "variants": [{"sku": handle.upper(), "price": EUR}],
        **more,
    }
    return json.dumps(product).encode() + b"\n"


@pytest.fixture
def product(database):
    async def read(handle):
        ((id_, _),) = (await catalog.imported(database, [handle])).values()
        return (await catalog.read_by_id(database, [id_]))[id_].product()

    return read


@pytest.fixture
def related(database, product):
    async def read(handle):
        found = await catalog.related(database, (await product(handle)).id)
        return [one.product().handle for one in found]

    return read


@pytest.fixture
async def goes_with(database, clock):
    """An attribute that refers to a product."""
    wanted = AttributeDraft(code="goes_with", name="Goes with", type="reference")
    await attributes.define(database, wanted, clock=clock)


async def take_in(db, arrival, clock):
    await import_products(db, [arrival], clock=clock, actor="test")


class TestRelated:
    async def test_may_come_before_or_behind_and_in_a_circle(
        self, send, work_off, related, job_of
    ):
        job = await send(
            line("tea", related=["cup", "pot"])
            + line("cup", related=["tea"])
            + line("pot")
        )

        await work_off()

        assert await related("tea") == ["cup", "pot"]
        assert await related("cup") == ["tea"]
        assert (await job_of(job)).tally == Tally(created=3)

    async def test_are_noted_and_raise_the_version_once(
        self, database, send, work_off, product
    ):
        await send(line("tea") + line("cup"))
        await work_off()
        before = await product("tea")

        await send(line("tea", related=["cup"]))
        await work_off()

        after = await product("tea")
        assert after.version == before.version + 1
        page = await catalog.changes_of(database, after.id, after=None, limit=1)
        assert [d.field for d in page.items[0].changes] == ["/related"]

    async def test_that_are_said_again_change_nothing(
        self, database, send, work_off, product, job_of
    ):
        file = line("tea", related=["cup"]) + line("cup")
        await send(file)
        await work_off()
        before = await product("tea")
        async with database.transaction() as tx:
            # As if they had come from elsewhere: what they are is compared.
            await tx.execute("UPDATE products SET source_hash = NULL")

        job = await send(file)
        await work_off()

        assert (await job_of(job)).tally == Tally(unchanged=2)
        assert await product("tea") == before

    async def test_that_are_not_said_stay_and_none_are_none(
        self, send, work_off, related
    ):
        await send(line("tea", related=["cup"]) + line("cup"))
        await work_off()

        await send(line("tea", vendor="A"))
        await work_off()
        assert await related("tea") == ["cup"]

        await send(line("tea", vendor="A", related=[]))
        await work_off()
        assert await related("tea") == []

    async def test_that_are_nowhere_are_told_and_made_when_they_come(
        self, send, work_off, related, messages, job_of
    ):
        file = line("tea", related=["cup", "pot"])
        job = await send(file + line("pot"))
        await work_off()

        assert await messages(job) == [(1, "related/0 does not exist")]
        assert (await job_of(job)).tally == Tally(created=2, refused=1)
        assert await related("tea") == ["pot"]

        await send(line("cup") + file)
        await work_off()
        assert await related("tea") == ["cup", "pot"]

    async def test_of_a_product_that_is_gone_meanwhile_are_nothing(
        self, database, clock, send, product, work_off, job_of, monkeypatch
    ):
        monkeypatch.setattr(imports, "LINKED_AT_ONCE", 1)
        job = await send(line("tea", related=["cup"]) + line("cup", related=["pot"]))
        real = imports.link

        async def later(tx, links, **how):
            await tx.execute("DELETE FROM products WHERE handle = 'tea'")
            return await real(tx, links, **how)

        # Whoever deletes it does so while its link waits.
        monkeypatch.setattr(imports, "link", later)
        await work_off()

        assert (await job_of(job)).status == "completed"


class TestReferences:
    async def test_are_by_handle_and_may_lead_to_what_comes_behind(
        self, goes_with, send, work_off, product, job_of
    ):
        job = await send(
            line("tea", attributes={"goes_with": "cup"})
            + line("cup", attributes={"goes_with": "tea"})
        )

        await work_off()

        tea, cup = await product("tea"), await product("cup")
        assert tea.attributes == {"goes_with": str(cup.id)}
        assert cup.attributes == {"goes_with": str(tea.id)}
        assert (await job_of(job)).tally == Tally(created=2)

    async def test_by_id_are_taken_too(self, goes_with, send, work_off, product):
        await send(line("cup"))
        await work_off()
        cup = await product("cup")

        await send(line("tea", attributes={"goes_with": str(cup.id)}))
        await work_off()

        assert (await product("tea")).attributes == {"goes_with": str(cup.id)}

    async def test_that_lead_nowhere_are_told(
        self, goes_with, send, work_off, product, messages
    ):
        job = await send(line("tea", attributes={"goes_with": "cup"}))

        await work_off()

        assert await messages(job) == [(1, "attributes/goes_with does not exist")]
        assert (await product("tea")).attributes == {}

    async def test_of_a_definition_that_is_another_meanwhile_are_told(
        self, database, clock, goes_with, send, work_off, messages, monkeypatch
    ):
        job = await send(line("tea", attributes={"goes_with": "cup"}) + line("cup"))
        real = imports.link

        async def later(tx, links, **how):
            await tx.execute("UPDATE attribute_definitions SET type = 'boolean'")
            return await real(tx, links, **how)

        monkeypatch.setattr(imports, "link", later)
        await work_off()

        assert await messages(job) == [
            (1, "attributes/goes_with must be true or false")
        ]

    async def test_are_at_fault_where_nothing_waits(self, database, clock, goes_with):
        (portion,) = catalog.jsonl_portions(io.BytesIO(line("tea", related=["cup"])))

        with pytest.raises(catalog.ProductInvalid) as told:
            await take_in(database, portion.arrival, clock)
        assert [f.pointer for f in told.value.errors] == ["/related/0"]

        draft = replace(portion.arrival.draft, attributes={"goes_with": "cup"})
        with pytest.raises(catalog.ProductInvalid) as told:
            await take_in(database, replace(portion.arrival, draft=draft), clock)
        assert [f.pointer for f in told.value.errors] == ["/attributes/goes_with"]
