"""Handles, ids and lines of text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.catalog.model import (
    is_handle,
    is_heaped,
    is_line,
    parse_id,
    slugify,
    without_accents,
)

AN_ID = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"


class TestSlugify:
    @pytest.mark.parametrize(
        ("title", "handle"),
        [
            ("Crème Brûlée!", "creme-brulee"),
            ("  Two -- Words ", "two-words"),
            ("Fisherman's Jumper", "fishermans-jumper"),
            ("Straße", "strasse"),
            ("緑茶 200 g", "緑茶-200-g"),
            ("हिन्दी चाय", "हिन्दी-चाय"),
            ("../../etc/passwd", "etc-passwd"),
            ("🍵", ""),
            ("İ", "i"),
        ],
    )
    def test_makes_the_words_of_an_address(self, title, handle):
        assert slugify(title) == handle

    @given(st.text(max_size=300))
    def test_twice_is_the_same_as_once(self, title):
        once = slugify(title)

        assert slugify(once) == once
        assert len(once) <= 255

    def test_looks_at_no_more_of_it_than_a_title_has(self):
        # All of a megabyte of marks would take ten minutes: they are put in order.
        assert slugify("\u1e69" + "\u0323\u0307" * 500_000) == "s"
        assert slugify("a" * 255 + "b" * 10) == "a" * 255

    @given(st.text())
    def test_leaves_nothing_that_means_something_in_a_path(self, title):
        assert not set("/\\.%?#\x00 ") & set(slugify(title))


class TestIsHandle:
    @pytest.mark.parametrize("handle", ["tea", "tea-1", "緑茶", "a" * 255])
    def test_takes_what_slugify_makes(self, handle):
        assert is_handle(handle)

    @pytest.mark.parametrize(
        "text",
        ["", "Tea", "tea-", "tea--1", "../tea", "tea\x00", "a" * 256, "te a", AN_ID],
    )
    def test_takes_nothing_else(self, text):
        assert not is_handle(text)

    def test_takes_no_id_in_whatever_spelling(self):
        assert not is_handle(AN_ID.replace("-", ""))

    @given(st.text(st.sampled_from("aZ09-_é \n'"), max_size=8))
    def test_is_what_a_title_is_made_into(self, text):
        assert is_handle(text) == (text != "" and slugify(text) == text)

    def test_is_no_longer_than_a_title(self):
        assert is_handle("a" * 255)
        assert not is_handle("a" * 256)
        assert not is_handle("\u05d0" * 256)
        assert not is_handle("\u0e01" + "\u0e39\u0e48" * 500_000)


class TestParseId:
    def test_reads_an_id(self):
        assert str(parse_id(AN_ID)) == AN_ID

    @pytest.mark.parametrize(
        "text", ["", "tea", AN_ID.replace("-", ""), f"{{{AN_ID}}}", "x" + AN_ID[1:]]
    )
    def test_reads_nothing_else(self, text):
        assert parse_id(text) is None


class TestIsLine:
    @pytest.mark.parametrize("text", ["", "Tea, 50 g", "a\u00a0b", "🫖", "שלום", "é"])
    def test_takes_text_of_any_script(self, text):
        assert is_line(text)

    @pytest.mark.parametrize("text", ["a\nb", "a\x00", "\t", "a\u2028b", "\ud800"])
    def test_takes_no_control_characters(self, text):
        assert not is_line(text)


class TestIsHeaped:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "a" + "\u0301" * 30,
            ("a" + "\u0301\u0323" * 15) * 100,
            "\u7dd1\u8336" * 100,
            "\u0e01\u0e39\u0e48" * 100,
            "\u05e9\u05c1\u05b0" * 100,
            "\u0939\u093f\u0928\u094d\u0926\u0940" * 100,
            "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 100,
        ],
    )
    def test_is_no_text_of_any_script(self, text):
        assert not is_heaped(text)

    @pytest.mark.parametrize(
        "text",
        ["a" + "\u0301" * 31, "\u7dd1" * 50 + "\u0323\u0301" * 20_000 + "\u8336"],
    )
    def test_is_one_letter_under_a_heap_of_marks(self, text):
        assert is_heaped(text)


class TestWithoutAccents:
    def test_keeps_the_marks_that_other_scripts_write_vowels_with(self):
        assert without_accents("Ångström हिन्दी") == "Angstrom हिन्दी"
