"""What is written to a file and read from it is the same product."""

import csv
import io
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.domain.catalog import (
    Attribute,
    OptionTexts,
    OtherPrice,
    ProductTexts,
    shopify_rows,
)
from holdfast.domain.catalog.besides import Besides
from holdfast.domain.catalog.carried import written
from holdfast.domain.catalog.cells import as_line, defuse, joined, listed, restore
from holdfast.domain.catalog.drafts import draft_of
from holdfast.domain.catalog.jsonl import jsonl_portions
from holdfast.domain.catalog.lines import jsonl_line
from holdfast.domain.catalog.metafields import typed
from holdfast.domain.catalog.model import (
    CategoryName,
    Image,
    Option,
    Product,
    Variant,
    slugify,
)
from holdfast.domain.catalog.shopify import shopify_portions
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
# A product takes a while to make up.
FEW = settings(max_examples=30, deadline=None)
ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"))
# Quotes, commas, signs that begin a formula, accents, Hebrew, Arabic, emoji.
CHARACTERS = "aZ09 '\"=+-@,;<>&\u00e9\u0301\u05e9\u0627\u200f\U0001f375\uff1d"
LINES = st.text(CHARACTERS, min_size=1, max_size=20).map(as_line).filter(bool)
NAMES = LINES.filter(slugify)


@st.composite
def products(draw):
    """Products as far as Shopify's CSV can say them."""
    names = draw(st.lists(LINES, max_size=3, unique=True))
    counts = st.integers(1, 4 if names else 1)
    codes = draw(st.lists(LINES, min_size=1, max_size=draw(counts), unique=True))
    chosen = [
        {
            name: f"{number if place == 0 else 0} {name}"
            for place, name in enumerate(names)
        }
        for number in range(len(codes))
    ]
    categories = draw(st.lists(NAMES, max_size=3, unique_by=slugify))
    urls = draw(st.lists(st.integers(0, 99), max_size=6, unique=True))
    images = tuple(
        Image(
            f"https://pictures.example/{n}.jpg",
            draw(LINES),
            position=place,
            id=new_id(),
        )
        for place, n in enumerate(urls, 1)
    )
    amounts = st.integers(0, 10**9)
    currency = draw(st.sampled_from(["EUR", "GBP", "JPY", "KWD"]))
    return Product(
        id=new_id(),
        handle=draw(NAMES.map(slugify)),
        title=draw(LINES),
        description_html=draw(LINES.map(lambda text: f"<p>{slugify(text)}</p>")),
        vendor=draw(LINES),
        product_type="",
        status=draw(st.sampled_from(["draft", "active", "archived"])),
        tags=tuple(draw(st.lists(LINES, max_size=4, unique=True))),
        options=tuple(
            Option(name, tuple(dict.fromkeys(one[name] for one in chosen)))
            for name in names
        ),
        categories=tuple(CategoryName(new_id(), slugify(n), n) for n in categories),
        images=images,
        variants=tuple(
            Variant(
                id=new_id(),
                sku=code,
                title="",
                options=options,
                price=Money(draw(amounts), currency),
                compare_at_price=draw(
                    st.none() | st.integers(1, 10**9).map(lambda n: Money(n, currency))
                ),
                weight_grams=draw(st.integers(0, 10**6)),
                barcode=draw(st.none() | LINES),
                available=draw(st.integers(0, 10**6)),
                image_id=draw(st.sampled_from([None, *(one.id for one in images)])),
            )
            for code, options in zip(codes, chosen, strict=True)
        ),
        seo_title=draw(LINES),
        seo_description=draw(LINES),
        created_at=NOW,
        updated_at=NOW,
    )


@st.composite
def translations(draw, product):
    """What a product could be called in another language."""
    options = {
        option.name: OptionTexts(
            f"{place}. {draw(LINES)}"[:99].strip(),
            {value: f"{n} {option.name}" for n, value in enumerate(option.values)},
        )
        for place, option in enumerate(product.options)
    }
    images = {str(image.id): draw(LINES) for image in product.images[:2]}
    return ProductTexts(
        title=draw(LINES),
        seo_description=draw(LINES),
        options=options,
        images=images,
    )


def said(product):
    """What a draft says of itself, without ids."""
    draft = draft_of(product)
    images = [(image.url, image.alt) for image in draft.images]
    variants = [
        (v.sku, v.price, dict(v.options), v.compare_at_price, v.weight_grams, v.barcode)
        for v in draft.variants
    ]
    texts = (draft.handle, draft.title, draft.description_html, draft.vendor)
    texts += (draft.seo_title, draft.seo_description)
    return (*texts, draft.status, draft.tags, draft.options, images, variants)


def shown(product):
    """By SKU the place of the image that shows a variant."""
    places = {image.id: place for place, image in enumerate(product.images, 1)}
    return {v.sku: places[v.image_id] for v in product.variants if v.image_id}


def told(arrival):
    """The same of what was read."""
    draft = arrival.draft
    images = [(image.url, image.alt) for image in draft.images]
    variants = [
        (v.sku, v.price, dict(v.options), v.compare_at_price, v.weight_grams, v.barcode)
        for v in draft.variants
    ]
    texts = (draft.handle, draft.title, draft.description_html, draft.vendor)
    texts += (draft.seo_title, draft.seo_description)
    return (*texts, draft.status, draft.tags, draft.options, images, variants)


class TestCells:
    @given(ANY_TEXT | st.text(CHARACTERS))
    def test_defusing_loses_nothing(self, text):
        assert restore(defuse(text)) == text

    @given(ANY_TEXT | st.text(CHARACTERS))
    def test_nothing_defused_begins_like_a_formula(self, text):
        assert defuse(text).lstrip()[:1] not in set("=+-@\uff1d\uff0b\uff0d\uff20")

    @pytest.mark.parametrize(
        "text", ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "\uff1d1"]
    )
    def test_every_sign_that_runs_is_defused(self, text):
        assert defuse(text) == f"'{text}"

    @pytest.mark.parametrize("text", ["tea", "'tis", "a=b", "", "1-2"])
    def test_what_runs_nowhere_is_left_alone(self, text):
        assert (defuse(text), restore(text)) == (text, text)

    @given(st.lists(LINES, max_size=5))
    def test_lists_come_back_whatever_commas_are_in_them(self, texts):
        assert listed(joined(texts)) == texts

    def test_quotes_of_others_divide_nothing(self):
        assert listed('6" pipe, new') == ['6" pipe', "new"]
        assert listed('"open, new') == ['"open', "new"]


class TestShopify:
    @FEW
    @given(products())
    def test_what_is_written_is_read_as_the_same(self, product):
        file = io.BytesIO(shopify_rows.header() + shopify_rows.rows(product))

        (portion,) = shopify_portions(file, currency="EUR")

        assert portion.faults == ()
        assert told(portion.arrival) == said(product)
        assert portion.arrival.on_hand == {v.sku: v.available for v in product.variants}
        assert portion.arrival.shown == shown(product)
        assert {(c.handle, c.name) for c in portion.arrival.categories} == {
            (c.handle, c.name) for c in product.categories
        }

    @FEW
    @given(
        products(),
        st.dictionaries(
            st.sampled_from(["origin", "organic", "grams", "since"]),
            LINES
            | st.integers(-(10**15), 10**15)
            | st.floats(-(10**15), 10**15)
            | st.booleans(),
        ),
    )
    def test_says_attributes_by_the_types_of_their_definitions(
        self, product, attributes
    ):
        names = {bool: "boolean", str: "text", int: "number", float: "number"}
        kinds = {code: names[type(value)] for code, value in attributes.items()}
        known = [
            Attribute(code, f"={code}\U0001f375", kind, (), False, 0, 1, NOW, NOW)  # noqa: FBT003
            for code, kind in kinds.items()
        ]
        product = msgspec.structs.replace(product, attributes=attributes)
        columns = shopify_rows.columns_of(known)
        file = shopify_rows.header(columns) + shopify_rows.rows(product, columns)

        (portion,) = shopify_portions(io.BytesIO(file), currency="EUR")

        read_as = typed(portion.arrival.draft.attributes, kinds)
        assert read_as == attributes
        assert [*map(type, read_as.values())] == [
            type(attributes[code]) for code in read_as
        ]
        cells = [cell for row in csv.reader(io.StringIO(file.decode())) for cell in row]
        assert [c for c in cells if c.lstrip()[:1] in set("=+-@\uff1d\uff0b")] == []

    @FEW
    @given(products())
    def test_no_cell_runs_in_a_spreadsheet(self, product):
        cells = [
            cell
            for row in csv.reader(io.StringIO(shopify_rows.rows(product).decode()))
            for cell in row
        ]

        assert cells
        assert [c for c in cells if c.lstrip()[:1] in set("=+-@\uff1d\uff0b")] == []


class TestJsonLines:
    @FEW
    @given(products())
    def test_what_is_written_is_read_as_the_same(self, product):
        (portion,) = jsonl_portions(io.BytesIO(jsonl_line(product)))

        assert portion.faults == ()
        assert told(portion.arrival) == said(product)
        assert portion.arrival.on_hand == {v.sku: v.available for v in product.variants}
        assert portion.arrival.shown == shown(product)
        assert [(c.handle, c.name) for c in portion.arrival.categories] == [
            (c.handle, c.name) for c in product.categories
        ]

    @FEW
    @given(
        products(),
        st.dictionaries(
            st.sampled_from(["origin", "organic", "grams", "notes"]),
            LINES | st.integers(0, 99) | st.booleans(),
        ),
    )
    def test_says_schedules_and_attributes_too(self, product, attributes):
        product = msgspec.structs.replace(
            product, status="scheduled", publish_at=NOW, attributes=attributes
        )

        (portion,) = jsonl_portions(io.BytesIO(jsonl_line(product)))

        draft = draft_of(product)
        assert portion.arrival.draft.status == "scheduled"
        assert portion.arrival.draft.publish_at == NOW
        assert portion.arrival.draft.attributes == draft.attributes

    @FEW
    @given(products(), st.data())
    def test_says_what_variants_cost_besides_and_where_shelves_stand(
        self, product, data
    ):
        other = st.builds(
            OtherPrice,
            st.builds(Money, st.integers(0, 10**9), st.sampled_from(["GBP", "JPY"])),
            min_quantity=st.integers(1, 99),
            ends_at=st.sampled_from([None, NOW]),
        )
        prices = {
            v.id: data.draw(st.lists(other, max_size=3)) for v in product.variants
        }
        above = [("top", "Top"), ("middle", "Middle \U0001f375")]
        more = Besides({c.id: above for c in product.categories}, prices)

        (portion,) = jsonl_portions(io.BytesIO(jsonl_line(product, more)))

        arrival = portion.arrival
        assert arrival.prices == {
            v.sku: prices[v.id] for v in product.variants if prices[v.id]
        }
        handles = [c.handle for c in product.categories]
        assert [*arrival.draft.categories] == handles
        if not handles:
            return
        assert [c.handle for c in arrival.categories][:2] == ["top", "middle"]
        assert arrival.parents["middle"] == "top"
        assert {arrival.parents[h] for h in handles} - {"top"} == {"middle"}

    @FEW
    @given(products(), st.data())
    def test_says_what_it_is_called_elsewhere_and_related_to(self, product, data):
        texts = data.draw(translations(product))
        related = data.draw(st.lists(NAMES.map(slugify), max_size=3, unique=True))
        related = [handle for handle in related if handle != product.handle]
        more = Besides(
            related={product.id: related},
            texts={product.id: {"de": texts, "pt-BR": texts}},
        )

        (portion,) = jsonl_portions(io.BytesIO(jsonl_line(product, more)))

        assert portion.faults == ()
        assert portion.arrival.related == tuple(related)
        assert portion.arrival.texts.keys() == {"de", "pt-BR"}
        for said in portion.arrival.texts.values():
            assert said.named(product.images) == texts


class TestWritten:
    """Of what a translation says of things that are gone, a file says nothing."""

    @FEW
    @given(products(), st.data())
    def test_leaves_out_what_would_be_refused(self, product, data):
        texts = data.draw(translations(product))
        stale = msgspec.structs.replace(
            texts,
            options={**texts.options, "gone": OptionTexts("x")},
            attributes={"gone": "x"},
            images={**texts.images, str(new_id()): "x"},
        )
        more = Besides(texts={product.id: {"de": stale}})

        (portion,) = jsonl_portions(io.BytesIO(jsonl_line(product, more)))

        assert portion.arrival.texts["de"].named(product.images) == texts

    def test_leaves_out_what_would_be_called_alike(self):
        option = Option("Size", ("S", "L"))
        colour = Option("Colour", ("Red",))
        product = Product(
            *(new_id(), "a", "A", "", "", "", "draft", (), (option, colour), (), ()),
            *((), NOW, NOW),
        )
        texts = ProductTexts(
            options={
                "Size": OptionTexts("Colour", {"S": "L"}),
                "Colour": OptionTexts("", {"Red": "Rot"}),
            }
        )

        assert written(texts, product) == ProductTexts(
            options={"Colour": OptionTexts("", {"Red": "Rot"})}
        )


class TestPlaces:
    @pytest.mark.parametrize("kind", ["shopify", "jsonl"])
    @FEW
    @given(st.lists(products(), max_size=5, unique_by=lambda p: p.handle))
    def test_reading_from_any_place_goes_on_as_reading_from_the_start(self, kind, made):
        written = b"".join(map(jsonl_line, made))
        if kind == "shopify":
            written = shopify_rows.header() + b"\r\n".join(map(shopify_rows.rows, made))

        def read(**where):
            if kind == "jsonl":
                return list(jsonl_portions(io.BytesIO(written), **where))
            return list(shopify_portions(io.BytesIO(written), currency="EUR", **where))

        whole = read()

        for number, portion in enumerate(whole, 1):
            assert read(start=portion.end) == whole[number:]
