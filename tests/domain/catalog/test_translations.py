"""The rules of translations, each broken once."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from holdfast.domain.catalog import (
    Attribute,
    CategoryTexts,
    Image,
    Option,
    OptionTexts,
    Product,
    ProductTexts,
    TranslationInvalid,
    Variant,
)
from holdfast.kernel.errors import MOST_FAULTS
from holdfast.kernel.money import Money

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PICTURE = UUID("01a205b5-8c52-787d-a479-e3a655f76aae")
LONG = "x" * 256


def attribute(code, type_):
    return Attribute(code, code.title(), type_, (), False, 0, 1, NOW, NOW)  # noqa: FBT003


KNOWN = {"feel": attribute("feel", "text"), "year": attribute("year", "number")}


@pytest.fixture
def shirt():
    variant = Variant(
        *(PICTURE, "S", "S", {"Size": "S"}, Money(1, "EUR"), None, 0, None, 0)
    )
    options = (Option("Size", ("S", "L")), Option("Colour", ("Red",)))
    return Product(
        *(PICTURE, "shirt", "Shirt", "", "", "", "active", (), options, ()),
        *((Image("/images/a", id=PICTURE),), (variant,), NOW, NOW),
        attributes={"feel": "soft", "year": 2026},
    )


def size(**said):
    return {"options": {"Size": OptionTexts(**said)}}


class TestProductTexts:
    @pytest.mark.parametrize(
        ("fields", "faults"),
        [
            ({}, [""]),
            ({"title": " x"}, ["/title"]),
            ({"title": LONG}, ["/title"]),
            ({"title": "a\nb"}, ["/title"]),
            ({"title": "a\x00"}, ["/title"]),
            ({"title": "\ud800"}, ["/title"]),
            ({"description_html": "x" * 70_000}, ["/description_html"]),
            ({"description_html": "<script>x()</script>"}, [""]),
            ({"seo_title": LONG}, ["/seo_title"]),
            ({"seo_description": "x" * 1_025}, ["/seo_description"]),
            ({"options": {"a/~": OptionTexts("X")}}, ["/options/a~1~0"]),
            (size(name=LONG), ["/options/Size/name"]),
            (size(name="Colour"), ["/options"]),
            (size(values={"M": "M"}), ["/options/Size/values/M"]),
            (size(values={"S": "\x07"}), ["/options/Size/values/S"]),
            (size(values={"S": "L"}), ["/options/Size/values"]),
            (size(values={"S": ""}), [""]),
            ({"attributes": {"gone": "x"}}, ["/attributes/gone"]),
            ({"attributes": {"year": "x"}}, ["/attributes/year"]),
            ({"attributes": {"feel": "x" * 2_000}}, ["/attributes/feel"]),
            ({"images": {"gone": "x"}}, ["/images/gone"]),
            ({"images": {str(PICTURE): "x" * 513}}, [f"/images/{PICTURE}"]),
            ({"images": {str(PICTURE): ""}}, [""]),
        ],
    )
    def test_names_what_is_wrong(self, shirt, fields, faults):
        texts = ProductTexts(**fields).cleaned()

        with pytest.raises(TranslationInvalid) as refused:
            texts.check(shirt, KNOWN)

        assert [fault.pointer for fault in refused.value.errors] == faults

    def test_tells_the_first_of_many_faults(self, shirt):
        values = {str(number): "" for number in range(1_000)}
        texts = ProductTexts(options={"Size": OptionTexts(values=values)})

        with pytest.raises(TranslationInvalid) as refused:
            texts.check(shirt, KNOWN)

        assert len(refused.value.errors) == MOST_FAULTS

    def test_says_whatever_people_write(self, shirt):
        texts = ProductTexts(
            title="\u0642\u0645\u064a\u0635 \U0001f455 <b>&amp;</b>",
            description_html="<p>\u05d7\u05d5\u05dc\u05e6\u05d4</p>",
            options={"Size": OptionTexts("Gr\u006f\u0308\u00dfe", {"S": "Klein"})},
            attributes={"feel": "weich"},
            images={str(PICTURE): "Ein Hemd"},
        )

        cleaned = texts.cleaned()
        cleaned.check(shirt, KNOWN)

        assert cleaned == texts
        assert cleaned.cleaned() == cleaned


class TestCategoryTexts:
    @pytest.mark.parametrize(
        ("fields", "faults"),
        [
            ({}, [""]),
            ({"name": LONG}, ["/name"]),
            ({"description_html": "x" * 70_000}, ["/description_html"]),
            (
                {"seo_title": "a\nb", "seo_description": "\x00"},
                ["/seo_title", "/seo_description"],
            ),
        ],
    )
    def test_names_what_is_wrong(self, fields, faults):
        with pytest.raises(TranslationInvalid) as refused:
            CategoryTexts(**fields).cleaned().check()

        assert [fault.pointer for fault in refused.value.errors] == faults
