"""What a file does not say of a product stays, whatever its format cannot say."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from holdfast.domain.catalog import ProductInvalid, shopify_rows
from holdfast.domain.catalog.cells import as_line
from holdfast.domain.catalog.drafts import draft_of
from holdfast.domain.catalog.jsonl import jsonl_portions
from holdfast.domain.catalog.lines import jsonl_line
from holdfast.domain.catalog.model import (
    CategoryName,
    Image,
    Option,
    Product,
    Variant,
)
from holdfast.domain.catalog.rules import faults
from holdfast.domain.catalog.shopify import shopify_portions
from holdfast.domain.catalog.unsaid import over
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
FEW = settings(max_examples=100, deadline=None)
# Spaces of several kinds, of which CSV makes one; signs that are defused; no letters.
CHARACTERS = "aB0 \u00a0\u2009'\"=,;\u00e9\u05e9\U0001f375!"
LINES = st.text(CHARACTERS, min_size=1, max_size=8).map(str.strip).filter(bool)
HANDLES = st.text("ab0", min_size=1, max_size=3)


@st.composite
def products(draw):
    """Products as people make them, with all that CSV cannot say."""
    names = draw(st.lists(LINES, max_size=2, unique_by=lambda name: name.split()[0]))
    options = tuple(
        Option(name, tuple(f"{n}\u00a0{name}" for n in draw(st.permutations(range(4)))))
        for name in names
    )
    count = draw(st.integers(1, 3)) if names else 1
    urls = draw(st.lists(st.integers(0, 2), max_size=4))
    images = tuple(
        Image(
            f"https://pictures.example/{n}.jpg",
            draw(LINES),
            draw(st.none() | st.integers(1, 99)),
            draw(st.none() | st.integers(1, 99)),
            place,
            id=new_id(),
        )
        for place, n in enumerate(urls, 1)
    )
    shown = st.sampled_from([None, *(image.id for image in images)])
    currency = draw(st.sampled_from(["EUR", "GBP", "JPY", "KWD"]))
    amounts = st.integers(0, 10**6).map(lambda amount: Money(amount, currency))
    shelves = draw(
        st.lists(st.tuples(HANDLES, LINES), max_size=4, unique_by=lambda one: one[0])
    )
    return Product(
        id=new_id(),
        handle=draw(HANDLES),
        title=draw(LINES),
        description_html=draw(st.sampled_from(["", "<b>x</b>\n<p>y\nz</p>"])),
        vendor=draw(LINES | st.just("")),
        # Often the name of a category, or its handle.
        product_type=draw(st.sampled_from(["", "Tea", *sum(shelves, ())])),
        status=(status := draw(st.sampled_from(["draft", "active", "scheduled"]))),
        tags=tuple(draw(st.lists(LINES, max_size=3, unique=True))),
        options=options,
        categories=tuple(CategoryName(new_id(), *one) for one in shelves),
        images=images,
        variants=tuple(
            Variant(
                id=new_id(),
                sku=f"SKU-{number}",
                title="",
                options={option.name: option.values[number] for option in options},
                price=draw(amounts),
                compare_at_price=draw(st.none() | amounts),
                weight_grams=draw(st.integers(0, 99)),
                barcode=draw(st.none() | LINES),
                available=0,
                image_id=draw(shown),
            )
            for number in range(count)
        ),
        seo_title=draw(LINES | st.just("")),
        seo_description=draw(LINES | st.just("")),
        created_at=NOW,
        updated_at=NOW,
        publish_at=NOW if status == "scheduled" else None,
        attributes={"origin": "Uji"},
    )


def csv_of(product, **changes):
    """What a file says: an export with *changes*, read back."""
    changed = msgspec.structs.replace(product, **changes)
    file = io.BytesIO(shopify_rows.header() + shopify_rows.rows(changed))
    (portion,) = shopify_portions(file, currency="USD")
    return portion.arrival


def lines(*rows):
    """A file of somebody else."""
    (portion,) = shopify_portions(io.BytesIO("\n".join(rows).encode()), currency="EUR")
    return portion.arrival


def come(arrival, product):
    """What becomes of the product."""
    arrival = over(arrival, product)
    return arrival.pictured(arrival.draft)


@pytest.fixture
def tea():
    return Product(
        id=new_id(),
        handle="tea",
        title="Tea",
        description_html="",
        vendor="",
        product_type="",
        status="active",
        tags=(),
        options=(),
        categories=(),
        images=(),
        variants=(Variant(new_id(), "T", "", {}, Money(490, "EUR"), None, 0, None, 0),),
        created_at=NOW,
        updated_at=NOW,
    )


@pytest.fixture
def filed(tea):
    """The product in categories of these handles and names."""

    def put(product_type="", **names):
        shelves = tuple(CategoryName(new_id(), *one) for one in names.items())
        return msgspec.structs.replace(
            tea, product_type=product_type, categories=shelves
        )

    return put


class TestExport:
    @FEW
    @given(products())
    def test_in_csv_changes_nothing_where_it_came_from(self, product):
        assume(not faults(draft_of(product)))
        arrival = csv_of(product)
        assume(arrival is not None)

        assert come(arrival, product) == draft_of(product)
        assert over(arrival, product).categories == ()

    @FEW
    @given(products())
    def test_in_lines_changes_nothing_where_it_came_from(self, product):
        assume(not faults(draft_of(product)))
        (portion,) = jsonl_portions(io.BytesIO(jsonl_line(product)))

        assert come(portion.arrival, product) == draft_of(product)

    @FEW
    @given(products(), LINES)
    def test_that_somebody_changed_changes_just_that(self, product, title):
        assume(not faults(draft_of(product)))
        title = as_line(title)
        arrival = csv_of(product, title=title)
        assume(arrival is not None and title != as_line(product.title))

        assert come(arrival, product) == replace(draft_of(product), title=title)


class TestStatus:
    def test_that_is_scheduled_is_a_draft_to_others(self, tea):
        tea = msgspec.structs.replace(tea, status="scheduled", publish_at=NOW)

        assert come(csv_of(tea), tea).status == "scheduled"
        assert come(csv_of(tea), tea).publish_at == NOW
        assert come(csv_of(tea, status="active"), tea).status == "active"


class TestCategories:
    def test_are_meant_by_their_names_if_the_product_stands_in_them(self, filed):
        """It was put into a new one, and taken off the one it stood in."""
        tea = filed(tees="Green tea")

        arrival = over(csv_of(tea), tea)

        assert arrival.draft.categories == ("tees",)
        assert arrival.categories == ()

    def test_without_a_letter_in_their_names_stay_too(self, filed):
        tea = filed(cup="\U0001f375")

        assert come(csv_of(tea), tea).categories == ("cup",)

    def test_that_a_file_adds_or_leaves_out_are_added_and_left(self, filed):
        tea = filed(tees="Green tea", gifts="Gifts")
        now = filed(tees="Green tea", new="New")

        arrival = over(csv_of(now), tea)

        assert arrival.draft.categories == ("tees", "new")
        assert [(one.handle, one.name) for one in arrival.categories] == [
            ("new", "New")
        ]

    def test_are_not_made_of_the_type_of_what_is_not_filed_so(self, filed):
        tea = filed("Tea", cups="Cups")

        arrival = over(csv_of(tea), tea)

        assert arrival.draft.categories == ("cups",)
        assert arrival.categories == ()

    def test_follow_another_type(self, filed):
        tea = filed("Tea", tea="Tea", cups="Cups")

        header = "Handle,Title,Type,Collection,Variant SKU,Variant Price"

        arrival = over(lines(header, "tea,Tea,Coffee,Cups,T,4.90"), tea)

        assert arrival.draft.categories == ("cups", "coffee")

    def test_stay_where_a_file_has_no_column_for_them(self, filed):
        tea = filed("Tea", tea="Tea", cups="Cups")
        header = "Handle,Title,Type,Variant SKU,Variant Price"

        same = lines(header, "tea,New,Tea,T,4.90")
        other = lines(header, "tea,New,Coffee,T,4.90")

        assert come(same, tea).categories == ("tea", "cups")
        assert come(other, tea).categories == ("cups", "coffee")


class TestCurrency:
    HEADER = "Handle,Title,Variant SKU,Variant Price,Variant Price Currency"

    @pytest.fixture
    def pounds(self, tea):
        variant = msgspec.structs.replace(tea.variants[0], price=Money(1000, "GBP"))
        return msgspec.structs.replace(tea, variants=(variant,))

    def test_does_not_change_because_a_file_does_not_say_it(self, pounds):
        arrival = lines(self.HEADER, "tea,Tea,T,10.00,")

        with pytest.raises(ProductInvalid) as raised:
            over(arrival, pounds)

        (fault,) = raised.value.errors
        assert fault.pointer == "/variants/0/price/currency"
        assert fault.detail == "is GBP and would be EUR, which the file does not say"

    def test_changes_if_the_file_says_it(self, pounds):
        arrival = lines(self.HEADER, "tea,Tea,T,10.00,USD")

        assert come(arrival, pounds).variants[0].price == Money(1000, "USD")

    def test_need_not_be_said_where_it_is_the_same(self, tea):
        arrival = lines(self.HEADER, "tea,Tea,T,10.00,")

        assert come(arrival, tea).variants[0].price == Money(1000, "EUR")


class TestOptions:
    @pytest.fixture
    def sized(self, tea):
        return msgspec.structs.replace(
            tea,
            options=(Option("Size\u00a0(g)", ("L", "S", "M\u00a0M")),),
            variants=tuple(
                Variant(
                    new_id(),
                    sku,
                    "",
                    {"Size\u00a0(g)": size},
                    Money(490, "EUR"),
                    None,
                    0,
                    None,
                    0,
                )
                for sku, size in (("T", "S"), ("L", "L"))
            ),
        )

    def test_keep_their_names_and_spare_values_when_one_is_added(self, sized):
        added = Variant(
            new_id(), "X", "", {"Size\u00a0(g)": "X"}, Money(1, "EUR"), None, 0, None, 0
        )

        draft = come(csv_of(sized, variants=(*sized.variants, added)), sized)

        assert draft.options == (Option("Size\u00a0(g)", ("S", "L", "X", "M\u00a0M")),)
        assert draft.variants[2].options == {"Size\u00a0(g)": "X"}

    def test_follow_what_a_variant_comes_to_be(self, sized):
        other = msgspec.structs.replace(
            sized.variants[1], options={"Size\u00a0(g)": "XL"}
        )

        draft = come(csv_of(sized, variants=(sized.variants[0], other)), sized)

        assert draft.variants[1].options == {"Size\u00a0(g)": "XL"}
        assert "XL" in draft.options[0].values


class TestImages:
    @pytest.fixture
    def pictured(self, tea):
        images = tuple(
            Image(f"https://a.example/{n}", "An\u00a0alt", 640, 480, n, new_id())
            for n in (1, 2)
        )
        (variant,) = tea.variants
        variant = msgspec.structs.replace(variant, image_id=images[0].id)
        return msgspec.structs.replace(tea, images=images, variants=(variant,))

    def test_keep_their_sizes_and_texts_in_another_order(self, pictured):
        first, second = pictured.images

        draft = come(csv_of(pictured, images=(second, first)), pictured)

        assert [(i.url, i.alt, i.width, i.id) for i in draft.images] == [
            (i.url, i.alt, i.width, i.id) for i in (second, first)
        ]
        assert draft.variants[0].image_id == first.id

    def test_take_another_text_and_show_another_variant(self, pictured):
        first, second = pictured.images
        second = msgspec.structs.replace(second, alt="New")
        variant = msgspec.structs.replace(pictured.variants[0], image_id=second.id)
        arrival = csv_of(pictured, images=(first, second), variants=(variant,))

        draft = come(arrival, pictured)

        assert [image.alt for image in draft.images] == ["An\u00a0alt", "New"]
        assert [image.height for image in draft.images] == [480, 480]
        assert draft.variants[0].image_id == second.id

    def test_that_are_new_come_behind(self, pictured):
        new = Image("https://a.example/3", "x", position=3, id=new_id())

        draft = come(csv_of(pictured, images=(*pictured.images, new)), pictured)

        assert [image.url for image in draft.images[:2]] == [
            image.url for image in pictured.images
        ]
        assert draft.images[2].url == new.url


class TestTooLarge:
    def test_what_no_file_could_say_is_taken_as_it_is_said(self, tea):
        """Two options whose names are the same to CSV."""
        names = ("A B", "A\u00a0B")
        variant = msgspec.structs.replace(
            tea.variants[0], options=dict.fromkeys(names, "x")
        )
        odd = msgspec.structs.replace(
            tea, options=tuple(Option(n, ("x",)) for n in names), variants=(variant,)
        )
        assert csv_of(odd) is None

        assert come(csv_of(tea, title="New"), odd).title == "New"
