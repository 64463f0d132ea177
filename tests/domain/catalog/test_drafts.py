"""The rules of the catalogue, each broken once."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from holdfast.domain.catalog import (
    CollectionDraft,
    Draft,
    Image,
    NewCategory,
    Option,
    Product,
    Variant,
    VariantDraft,
    draft_of,
    faults,
)
from holdfast.domain.catalog.drafts import has_turned
from holdfast.domain.catalog.model import CategoryName
from holdfast.kernel.errors import MOST_FAULTS
from holdfast.kernel.money import MAX_AMOUNT, Money

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EUR = Money(999, "EUR")


class TestFaults:
    def test_finds_none_in_a_good_draft(self, a_draft):
        draft = a_draft(
            skus=("A", "B"),
            tags=("black", "tea"),
            images=(Image("/images/demo/a.webp", "Tea", 640, 640),),
            categories=("teas",),
            vendor="Holdfast",
        )

        assert faults(draft) == []

    @pytest.mark.parametrize(
        ("pointer", "fields"),
        [
            ("/handle", {"handle": "../tea"}),
            ("/title", {"title": ""}),
            ("/title", {"title": "T" * 256}),
            ("/title", {"title": " Tea"}),
            ("/title", {"title": "T\nea"}),
            ("/vendor", {"vendor": "v" * 256}),
            ("/product_type", {"product_type": "\x07"}),
            ("/description_html", {"description_html": "d" * 65_536}),
            ("/description_html", {"description_html": "a" + "\u0301" * 31}),
            ("/status", {"status": "sold"}),
            ("/tags", {"tags": tuple(map(str, range(251)))}),
            ("/tags/1", {"tags": ("a", "")}),
            ("/tags/1", {"tags": ("a", "a")}),
            ("/images", {"images": tuple(Image("http://a/") for _ in range(251))}),
            ("/images/0/url", {"images": (Image("javascript:alert(1)"),)}),
            ("/images/0/url", {"images": (Image("//elsewhere/a.png"),)}),
            ("/images/0/url", {"images": (Image("https://a/" + "b" * 2048),)}),
            ("/images/0/alt", {"images": (Image("http://a", "b" * 513),)}),
            ("/images/0/alt", {"images": (Image("http://a", "b\n"),)}),
            ("/images/0/width", {"images": (Image("http://a", width=0),)}),
            ("/images/0/height", {"images": (Image("http://a", height=100_001),)}),
            ("/categories", {"categories": tuple(f"c{n}" for n in range(51))}),
            ("/categories/0", {"categories": ("No Handle",)}),
            ("/categories/1", {"categories": ("a", "a")}),
            ("/variants", {"variants": ()}),
        ],
    )
    def test_names_the_field_that_breaks_a_rule(self, a_draft, pointer, fields):
        found = faults(a_draft(**fields))

        assert [fault.pointer for fault in found] == [pointer]
        assert all(fault.detail for fault in found)

    @pytest.mark.parametrize(
        ("pointer", "options"),
        [
            ("/options/0/values", (Option("Size", ()),)),
            ("/options/0/name", (Option("", ("a",)),)),
            ("/options/0/values/1", (Option("Size", ("a", "a")),)),
            ("/options/0/values/0", (Option("Size", ("",)),)),
            ("/options/1/name", (Option("Size", ("a",)), Option("Size", ("b",)))),
            ("/options", tuple(Option(f"O{n}", ("a",)) for n in range(4))),
            ("/options/0/values", (Option("S", tuple(map(str, range(2001)))),)),
        ],
    )
    def test_names_the_option_that_offers_nothing_to_choose(
        self, a_draft, pointer, options
    ):
        found = {fault.pointer for fault in faults(a_draft(options=options))}

        assert pointer in found

    @pytest.mark.parametrize(
        ("pointer", "fields"),
        [
            ("/variants/0/sku", {"sku": ""}),
            ("/variants/0/sku", {"sku": "s" * 256}),
            ("/variants/0/price/amount", {"price": Money(-1, "EUR")}),
            ("/variants/0/price/amount", {"price": Money(MAX_AMOUNT + 1, "EUR")}),
            ("/variants/0/price/currency", {"price": Money(1, "EUX")}),
            (
                "/variants/0/compare_at_price/amount",
                {"compare_at_price": Money(-1, "EUR")},
            ),
            (
                "/variants/0/compare_at_price/currency",
                {"compare_at_price": Money(1, "USD")},
            ),
            ("/variants/0/weight_grams", {"weight_grams": -1}),
            ("/variants/0/weight_grams", {"weight_grams": 10**9 + 1}),
            ("/variants/0/barcode", {"barcode": ""}),
            ("/variants/0/options", {"options": {"Size": "L"}}),
        ],
    )
    def test_names_the_field_of_the_variant(self, a_draft, pointer, fields):
        draft = a_draft()
        bent = replace(draft.variants[0], **fields)

        found = faults(replace(draft, variants=(bent,)))

        assert [fault.pointer for fault in found] == [pointer]

    def test_takes_prices_up_to_the_bound_with_what_they_were(self, a_draft):
        variant = VariantDraft(
            sku="A",
            price=Money(MAX_AMOUNT, "JPY"),
            options={},
            compare_at_price=Money(0, "JPY"),
            barcode="4006381333931",
        )

        assert faults(a_draft(variants=(variant,))) == []

    def test_refuses_a_value_that_is_not_offered(self, a_draft):
        draft = a_draft(skus=("A",), options=(Option("Size", ("L/XL",)),))

        assert [f.pointer for f in faults(draft)] == ["/variants/0/options/Size"]

    def test_refuses_two_variants_that_nobody_can_tell_apart(self, a_draft):
        twins = tuple(
            VariantDraft(sku=sku, price=EUR, options={"Size": "L"}) for sku in "AB"
        )
        draft = a_draft(options=(Option("Size", ("L",)),), variants=twins)

        assert [f.pointer for f in faults(draft)] == ["/variants/1/options"]

    def test_refuses_one_sku_twice(self, a_draft):
        assert [f.pointer for f in faults(a_draft(skus=("A", "A")))] == [
            "/variants/1/sku"
        ]

    def test_refuses_two_currencies_in_one_product(self, a_draft):
        draft = a_draft(skus=("A", "B"))
        dollars = replace(draft.variants[1], price=Money(1, "USD"))

        found = faults(replace(draft, variants=(draft.variants[0], dollars)))

        assert [fault.pointer for fault in found] == ["/variants"]

    def test_takes_two_thousand_variants_and_not_one_more(self, a_draft):
        skus = tuple(f"S{n}" for n in range(2001))

        assert faults(a_draft(skus=skus[:-1])) == []
        assert "/variants" in {f.pointer for f in faults(a_draft(skus=skus))}

    def test_escapes_what_means_something_in_a_pointer(self, a_draft):
        variant = VariantDraft(sku="A", price=EUR, options={"a/b~c": "x"})
        draft = a_draft(options=(Option("a/b~c", ("y",)),), variants=(variant,))

        assert faults(draft)[0].pointer == "/variants/0/options/a~1b~0c"


class TestBounds:
    @pytest.mark.parametrize(
        ("pointer", "fields"),
        [
            ("/tags", {"tags": ("",) * 300_000}),
            ("/images", {"images": (Image(""),) * 300_000}),
            ("/categories", {"categories": ("",) * 300_000}),
            ("/options", {"options": (Option("", ()),) * 300_000}),
            ("/options/0/values", {"options": (Option("S", ("",) * 300_000),)}),
        ],
    )
    def test_of_a_list_that_is_too_long_no_more_is_said(self, a_draft, pointer, fields):
        found = [fault.pointer for fault in faults(a_draft(**fields))]

        assert found[0] == pointer
        assert not [other for other in found if other.startswith(f"{pointer}/")]

    def test_of_too_many_variants_no_more_is_said(self, a_draft):
        bad = VariantDraft(sku="", price=Money(-1, "?"), options={"a": "b"})

        found = faults(a_draft(title="", variants=(bad,) * 100_000))

        assert [fault.pointer for fault in found] == ["/title", "/variants"]

    def test_the_first_faults_of_many_are_told(self, a_draft):
        bad = VariantDraft(sku="", price=Money(-1, "?"), options={"a": "b"})

        assert len(faults(a_draft(variants=(bad,) * 2_000))) == MOST_FAULTS

    def test_no_fault_says_more_than_a_name_may_have(self, a_draft):
        long = Option("x" * 10**6, ("a",))

        found = faults(a_draft(options=(long,)))

        assert {f.pointer for f in found} == {"/options/0/name", "/variants/0/options"}
        assert max(len(fault.detail) for fault in found) < 400


class TestMoments:
    @pytest.mark.parametrize("name", ["publish_at", "unpublish_at"])
    @pytest.mark.parametrize(
        "moment",
        [
            "0001-01-01T00:00:00+01:00",
            "2000-12-31T23:59:59+00:00",
            "9000-01-01T00:00:00+00:00",
            "8999-12-31T23:00:00-05:00",
            "9999-12-31T23:59:59-05:00",
            "2026-12-01T00:00:00",
        ],
    )
    def test_are_on_the_calendar_and_say_their_zone(self, a_draft, name, moment):
        at = datetime.fromisoformat(moment)

        (fault,) = faults(a_draft(**{name: at}))
        (same,) = CollectionDraft(handle="a", title="A", **{name: at}).faults()

        assert fault.pointer == same.pointer == f"/{name}"

    def test_may_be_as_far_away_as_anybody_plans(self, a_draft):
        on, off = NOW.replace(year=2001), NOW.replace(year=8999)

        assert faults(a_draft(publish_at=on, unpublish_at=off)) == []


class TestNewCategory:
    def test_finds_no_fault_in_a_good_one(self):
        assert NewCategory("teas", "Teas", 3).faults() == []

    def test_names_every_fault(self):
        found = NewCategory("No Handle", "", -1).faults()

        assert [fault.pointer for fault in found] == ["/handle", "/name", "/position"]


@pytest.fixture
def a_product():
    """A product of two variants in two categories, as a client reads it."""

    def make(**fields):
        return Product(
            **{
                "id": UUID(int=1),
                "handle": "tea",
                "title": "Tea",
                "description_html": "",
                "vendor": "",
                "product_type": "",
                "status": "active",
                "tags": (),
                "options": (Option("Size", ("S", "L")),),
                "categories": (
                    CategoryName(UUID(int=2), "teas", "Teas"),
                    CategoryName(UUID(int=9), "cups", "Cups"),
                ),
                "images": (),
                "variants": tuple(
                    Variant(
                        UUID(int=n), sku, size, {"Size": size}, EUR, None, 5, None, 3
                    )
                    for n, (sku, size) in enumerate([("A", "S"), ("B", "L")], 3)
                ),
                "created_at": NOW,
                "updated_at": NOW,
                **fields,
            }
        )

    return make


class TestDraft:
    def test_says_what_is_chosen_in_the_order_of_the_options(self, a_draft):
        draft = a_draft(options=(Option("Size", ("L",)), Option("Colour", ("Red",))))
        variant = VariantDraft(
            sku="A", price=EUR, options={"Colour": "Red", "Size": "L"}
        )

        assert draft.title_of(variant) == "L / Red"

    def test_keeps_variants_that_a_change_does_not_name(self, a_product):
        product = a_product()
        before = draft_of(product)
        change = replace(
            before,
            options=(Option("Size", ("S",)),),
            variants=(replace(before.variants[0], price=Money(1, "EUR")),),
        )

        merged = change.beside(product)

        assert [v.sku for v in merged.variants] == ["A", "B"]
        assert merged.variants[0].price == Money(1, "EUR")
        assert merged.options == before.options
        assert faults(merged) == []

    def test_stands_in_its_categories_in_whatever_order_they_are_told(self, a_product):
        product = a_product()
        before = draft_of(product)

        told = replace(before, categories=before.categories[::-1])
        fewer = replace(before, categories=("cups",))
        twice = replace(before, categories=("cups", "cups"))

        assert told.beside(product).categories == before.categories == ("teas", "cups")
        assert fewer.beside(product).categories == ("cups",)
        assert [one.pointer for one in faults(twice.beside(product))] == [
            "/categories/1"
        ]

    @pytest.mark.parametrize(
        ("status", "left"),
        [
            ("scheduled", (NOW, NOW)),
            ("draft", (NOW, NOW)),
            ("active", (None, NOW)),
            ("archived", (None, None)),
        ],
    )
    def test_has_no_time_that_has_made_a_product_what_it_is(
        self, a_product, status, left
    ):
        product = a_product(status=status, publish_at=NOW, unpublish_at=NOW)

        draft = draft_of(product)

        assert (draft.publish_at, draft.unpublish_at) == left
        assert (draft.beyond(product).publish_at) == left[0]
        assert has_turned(product) is (left != (NOW, NOW))
        assert not has_turned(a_product(status=status))

    def test_is_unchanged_by_cleaning_twice(self, a_draft):
        cleaned = a_draft(description_html="<p onclick=x>a</p>").cleaned()

        assert cleaned.description_html == "<p>a</p>"
        assert cleaned.cleaned() == cleaned
        assert isinstance(cleaned, Draft)
