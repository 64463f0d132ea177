"""What is translated is shown, what is not stays, and nothing else changes."""

import json
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.catalog import speaking
from holdfast.kernel.negotiation import preferred

GERMAN = preferred("de-AT", "en")
OWN = {
    "id": "p",
    "title": "Shirt",
    "description_html": "<p>Soft</p>",
    "seo_title": "",
    "seo_description": "",
    "attributes": {"feel": "soft", "year": 2026, "origin": "Peru"},
    "categories": [{"id": "k", "handle": "tops", "name": "Tops"}],
    "images": [{"id": "i", "alt": "A shirt"}, {"id": "j", "alt": ""}],
    "options": [
        {"name": "Size", "values": ["S", "L"]},
        {"name": "Colour", "values": ["Red", "Blue"]},
    ],
    "variants": [
        {"id": "v", "title": "S / Red", "options": {"Size": "S", "Colour": "Red"}},
        {"id": "w", "title": "Blue", "options": {"Colour": "Blue"}},
    ],
}
ALL = {
    "title": "Hemd",
    "description_html": "<p>Weich</p>",
    "options": {
        "Size": {"name": "Gr\u00f6\u00dfe"},
        "Colour": {"values": {"Red": "Rot", "Blue": "Blau"}},
    },
    "attributes": {"feel": "weich", "year": "nie", "gone": "fort"},
    "images": {"i": "Ein Hemd", "gone": "Fort"},
}


def shown(product, translations, wanted=GERMAN, categories=None):
    told = {"product": translations, "categories": categories}
    text, languages = speaking.translated(json.dumps(product), {"p": told}, wanted)
    return json.loads(text), languages


class TestTranslated:
    def test_calls_everything_by_its_name_in_the_language(self):
        product, languages = shown(
            OWN, {"de": ALL}, categories={"k": {"de": "Obenrum"}}
        )

        assert (product["title"], product["description_html"]) == (
            "Hemd",
            "<p>Weich</p>",
        )
        assert product["attributes"] == OWN["attributes"] | {"feel": "weich"}
        assert [image["alt"] for image in product["images"]] == ["Ein Hemd", ""]
        assert product["categories"][0]["name"] == "Obenrum"
        assert product["options"] == [
            {"name": "Gr\u00f6\u00dfe", "values": ["S", "L"]},
            {"name": "Colour", "values": ["Rot", "Blau"]},
        ]
        assert [(v["title"], v["options"]) for v in product["variants"]] == [
            ("S / Rot", {"Gr\u00f6\u00dfe": "S", "Colour": "Rot"}),
            ("Blau", {"Colour": "Blau"}),
        ]
        assert languages == ("de",)

    def test_says_which_languages_it_is_in(self):
        _, languages = shown(OWN, {"de": {"title": "Hemd"}})

        assert languages == ("de", "en")

    def test_fills_what_a_region_leaves_out_from_the_language(self):
        said = {
            "de": ALL,
            "de-AT": {"title": "Hemderl", "attributes": {"feel": "flauschig"}},
        }

        product, languages = shown(OWN, said)

        assert (product["title"], product["description_html"]) == (
            "Hemderl",
            "<p>Weich</p>",
        )
        assert product["attributes"]["feel"] == "flauschig"
        assert product["options"][1]["values"] == ["Rot", "Blau"]
        assert languages == ("de-AT", "de")

    def test_fills_nothing_from_a_language_that_is_wanted_less(self):
        wanted = preferred("de, fr;q=0.5", "en")
        said = {"de": {"title": "Hemd"}, "fr": {"description_html": "<p>Doux</p>"}}

        product, languages = shown(OWN, said, wanted)

        assert product["description_html"] == "<p>Soft</p>"
        assert languages == ("de", "en")

    def test_names_categories_alone_where_the_product_is_not_translated(self):
        product, languages = shown(OWN, None, categories={"k": {"de": "Obenrum"}})

        assert product["categories"][0]["name"] == "Obenrum"
        assert languages == ("en", "de")

    def test_leaves_the_text_alone_where_nothing_is_translated(self):
        text, languages = speaking.translated("{odd}", {"p": None}, GERMAN)

        assert (text, languages) == ("{odd}", ("en",))

    @pytest.mark.parametrize(
        "options",
        [
            {"Size": {"name": "Colour"}},
            {"Size": {"name": "X"}, "Colour": {"name": "X"}},
            {"Size": {"values": {"S": "L"}}},
            {"Colour": {"values": {"Red": "Rot", "Blue": "Rot"}}},
            {"Weight": {"name": "Gewicht", "values": {"S": "Z"}}},
        ],
    )
    def test_calls_nothing_alike_that_was_told_apart(self, options):
        product, _ = shown(OWN, {"de": {"title": "Hemd", "options": options}})

        assert product["options"] == OWN["options"]
        assert product["variants"] == OWN["variants"]

    @given(
        st.fixed_dictionaries(
            {},
            optional={
                "title": st.text(min_size=1),
                "options": st.dictionaries(
                    st.sampled_from(["Size", "Colour", "Gone"]),
                    st.fixed_dictionaries(
                        {},
                        optional={
                            "name": st.sampled_from(["Size", "Colour", "X", "Y"]),
                            "values": st.dictionaries(
                                st.sampled_from(["S", "L", "Red", "Blue", "Gone"]),
                                st.sampled_from(["S", "Red", "A", "B"]),
                            ),
                        },
                    ),
                ),
                "attributes": st.dictionaries(
                    st.sampled_from(["feel", "year", "gone"]), st.text(min_size=1)
                ),
                "images": st.dictionaries(
                    st.sampled_from(["i", "gone"]), st.text(min_size=1)
                ),
            },
        )
    )
    def test_keeps_every_thing_a_product_has(self, fields):
        product, _ = shown(deepcopy(OWN), {"de": fields})

        assert product.keys() == OWN.keys()
        assert product["attributes"].keys() == OWN["attributes"].keys()
        assert [i["id"] for i in product["images"]] == ["i", "j"]
        names = [option["name"] for option in product["options"]]
        assert len(set(names)) == 2
        for own, variant in zip(OWN["variants"], product["variants"], strict=True):
            assert variant["id"] == own["id"]
            assert len(variant["options"]) == len(own["options"])
            for option in product["options"]:
                assert len(set(option["values"])) == 2
                assert (
                    variant["options"].get(option["name"], option["values"][0])
                    in (option["values"])
                )


class TestSpeaking:
    def test_refuses_a_statement_that_has_no_place_for_it(self):
        with pytest.raises(ValueError, match="where"):
            speaking.speaking("SELECT", "p.id", "$1")
