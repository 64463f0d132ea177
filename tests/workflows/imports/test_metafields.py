"""Attributes in Shopify's CSV: columns that are called metafields."""

import pytest

from holdfast.domain import catalog
from holdfast.domain.catalog import AttributeDraft
from holdfast.domain.imports import Tally
from holdfast.workflows.attributes import define

HEAD = (
    "Handle,Title,Variant Price,Wood (product.metafields.custom.wood),"
    "Colour (product.metafields.shopify.deep-colour),"
    "Year (product.metafields.custom.year),Ours (product.metafields.custom.ours),"
    "To (product.metafields.custom.goes_with),New (product.metafields.custom.unknown)\n"
)
KINDS = {
    "wood": "choice",
    "deep_colour": "text",
    "year": "number",
    "ours": "boolean",
    "goes_with": "reference",
}
CSV = {"format": "shopify_csv"}


async def defined(db, clock):
    for code, kind in KINDS.items():
        choices = ("oak", "ash") if kind == "choice" else ()
        wanted = AttributeDraft(code=code, name=code, type=kind, choices=choices)
        await define(db, wanted, clock=clock)


@pytest.fixture(autouse=True)
async def definitions(database, clock):
    await defined(database, clock)


@pytest.fixture
def attributes(database):
    """Of the only product in a shop."""

    async def read(db=database):
        ((id_,),) = await db.fetch("SELECT id FROM products")
        return (await catalog.read_by_id(db, [id_]))[id_].product().attributes

    return read


class TestMetafields:
    async def test_are_attributes_of_the_types_of_their_definitions(
        self, send, work_off, attributes
    ):
        row = 'bowl,Bowl,1,oak,"\'=red",2026.5,TRUE,cup,x\n'
        await send((HEAD + row).encode(), **CSV)

        await work_off()

        assert await attributes() == {
            "wood": "oak",
            "deep_colour": "=red",
            "year": 2026.5,
            "ours": True,
        }

    async def test_that_are_empty_leave_what_there_is(
        self, send, work_off, attributes, job_of
    ):
        await send((HEAD + "bowl,Bowl,1,oak,red,,,,\n").encode(), **CSV)
        await work_off()

        job = await send((HEAD + "bowl,Bowl,1,ash,,7,,,\n").encode(), **CSV)
        await work_off()

        assert (await job_of(job)).tally == Tally(updated=1)
        assert await attributes() == {"wood": "ash", "deep_colour": "red", "year": 7}

    @pytest.mark.parametrize(
        ("cells", "message"),
        [
            ("elm,,,,", "attributes/wood is not one of the choices"),
            (",,many,,", "attributes/year must be a number from "),
            (",,1e999,,", "attributes/year must be a number from "),
            (",,,perhaps,", "attributes/ours must be true or false"),
        ],
    )
    async def test_that_are_of_another_type_keep_their_product_out(
        self, send, work_off, messages, cells, message
    ):
        job = await send((HEAD + f"bowl,Bowl,1,{cells},\n").encode(), **CSV)

        await work_off()

        ((line, said),) = await messages(job)
        assert line == 2
        assert said.startswith(message)

    async def test_come_back_from_an_export(
        self,
        database,
        clock,
        another_shop,
        send,
        work_off,
        exported,
        attributes,
        job_of,
    ):
        await defined(another_shop, clock)
        line = (
            b'{"handle":"bowl","title":"Bowl","attributes":{"wood":"ash","year":5,'
            b'"deep_colour":" a  b ","ours":false},'
            b'"variants":[{"sku":"B","price":{"amount":1,"currency":"EUR"}}]}'
        )
        await send(line)
        await work_off()
        before = await attributes()

        out = await exported(database, "shopify_csv")
        job = await send(out, **CSV)
        await send(out, to=another_shop, **CSV)
        await work_off()
        await work_off(another_shop)

        assert (await job_of(job)).tally == Tally(unchanged=1)
        assert await attributes() == before
        assert await attributes(another_shop) == {**before, "deep_colour": "a  b"}
        assert await exported(another_shop, "shopify_csv") == out.replace(
            b", a  b ,", b",a  b,"
        )
