"""A new product is shown as if its document had been made of its rows."""

import json
from datetime import UTC, datetime
from itertools import count

import msgspec
import pytest

from holdfast.domain import catalog
from holdfast.domain.catalog import Entry, Image, NewCategory, Option, VariantDraft
from holdfast.domain.catalog.first_documents import first_document
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money

WHEN = datetime(2026, 12, 1, 8, tzinfo=UTC)
EVIL = (
    '"quotes" \\ back\\slash </script> & <b> \'',
    "\u05ea\u05d4 \u202e \U0001f375\u200d\u2744\ufe0f cafe\u0301",
    "a\u2028b \ufffe \x7f \u0080 \ufeff",
)
_number = count(1)


def draft(text="Tea", **fields):
    sku = f"S-{next(_number)}"
    given = {
        "handle": sku.lower(),
        "title": text,
        "variants": (VariantDraft(sku=sku, price=Money(490, "EUR"), options={}),),
    }
    return catalog.Draft(**given | fields)


def sized(text):
    """A draft with all there is to say, every text of it the same."""
    options = (Option(text, ("S", text)), Option("Colour", ("Red",)))
    variants = tuple(
        VariantDraft(
            sku=f"{text} {place} {next(_number)}",
            # In another order than the product says.
            options={"Colour": "Red", text: size},
            price=Money(10**15, "JPY"),
            compare_at_price=Money(10**15, "JPY") if place else None,
            weight_grams=10**9 * place,
            barcode=text if place else None,
        )
        for place, size in enumerate(("S", text))
    )
    return draft(
        text,
        description_html=f"<p>\t{text}\r\n\x1f\x01</p>",
        vendor=text,
        product_type=text,
        status="active",
        tags=(text, "b"),
        options=options,
        variants=variants,
        images=(
            Image("https://a.example/1?a=b&c", text, 10, 20),
            Image("https://a.example/2", id=new_id()),
        ),
        categories=("drinks", "gifts"),
        seo_title=text,
        seo_description=text,
        attributes={"text": text, "yes": True, "n": -7, "x": 0.25, "day": "2026-01-01"},
    )


@pytest.fixture
async def shelves(database, clock):
    wanted = [NewCategory("drinks", EVIL[0], 2), NewCategory("gifts", EVIL[1], 1)]
    async with database.transaction() as tx:
        await catalog.add_categories(tx, wanted, at=clock())


@pytest.fixture
def both(database, clock):
    """What a new product is shown as, and what its rows say; the ids of the untold."""

    async def read(drafts):
        entries = [Entry(new_id(), one) for one in drafts]
        ids = [entry.id for entry in entries]
        async with database.transaction() as tx:
            added = await catalog.add(tx, entries, at=clock())
        told = [id_ for id_ in ids if id_ not in added.untold]
        first = await catalog.read_by_id(database, told)
        async with database.transaction() as tx:
            await catalog.project(tx, ids)
        second = await catalog.read_by_id(database, ids)
        places = {id_: place for place, id_ in enumerate(ids)}
        return (
            [first[id_] for id_ in told],
            [second[id_] for id_ in ids],
            [places[id_] for id_ in added.untold],
        )

    return read


class TestFirstDocument:
    @pytest.mark.usefixtures("shelves")
    async def test_says_what_the_rows_say(self, both):
        first, second, untold = await both([draft(), *map(sized, EVIL)])

        assert untold == []
        for one, other in zip(first, second, strict=True):
            made, shown = json.loads(one.json), json.loads(other.json)
            assert (made.pop("version"), shown.pop("version")) == (1, 2)
            assert made == shown
            assert list(made) == list(shown)
            assert [(list(v), list(v["options"])) for v in made["variants"]] == [
                (list(v), list(v["options"])) for v in shown["variants"]
            ]
            assert [list(i) for i in made["images"]] == [
                list(i) for i in shown["images"]
            ]
            assert msgspec.structs.replace(
                one.product(), version=2
            ) == msgspec.structs.replace(other.product(), version=2)

    async def test_is_left_to_the_database_where_only_that_knows(self, both):
        _, second, untold = await both(
            [
                draft(),
                draft(status="scheduled", publish_at=WHEN),
                draft(status="active", unpublish_at=WHEN),
            ]
        )

        assert untold == [1, 2]
        assert json.loads(second[1].json)["publish_at"] == "2026-12-01T08:00:00.000000Z"

    def test_is_left_to_it_where_an_image_may_be_of_the_shops_own(self):
        image = {"asset_id": None, "url": "/images/" + "0" * 64 + "/600.webp"}

        told = first_document(
            new_id(), draft(), shelves=[], images=[image], variants=[], at=WHEN
        )

        assert told == ""
