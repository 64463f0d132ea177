"""Documents look the same for the same content, whatever the content is."""

import io
import logging
from datetime import UTC, datetime

import pypdf
import pytest

from holdfast.platform.paper import Column, Paper, Row

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
COLUMNS = [
    Column("Description", 0.5),
    Column("Quantity", 0.2, "R"),
    Column("Amount", 0.3, "R"),
]


def document(draw, *, title="Invoice HF-1001", foot="Holdfast Trading"):
    """The bytes of a document on which *draw* has written."""
    paper = Paper(title=title, foot=foot, made_at=NOON)
    draw(paper)
    return paper.finish()


def pages_of(document):
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(document)).pages]


def a_table(rows):
    lines = [Row((f"Tea {n}", "2", "1,234.50 EUR"), f"TEA-{n}") for n in range(rows)]
    return document(lambda paper: paper.table(COLUMNS, lines))


class TestDocument:
    def test_is_the_same_bytes_for_the_same_content(self):
        assert a_table(60) == a_table(60)

    def test_says_what_it_is_and_when_it_was_made(self):
        said = pypdf.PdfReader(io.BytesIO(document(lambda _: None))).metadata

        assert (said.title, said.creation_date) == ("Invoice HF-1001", NOON)

    def test_holds_nothing_that_acts(self):
        text = "<script>alert(1)</script> [a](javascript:x) **b** {nb} (\\) endstream"

        made = document(lambda paper: paper.block([text]), title=text, foot=text)

        (page,) = pypdf.PdfReader(io.BytesIO(made)).pages
        assert page.extract_text().count(text) == 2
        assert not {b"/JS", b"/JavaScript", b"/Launch", b"/URI"} & set(made.split())
        assert page.annotations is None


class TestText:
    @pytest.mark.parametrize(
        "text",
        ["Straße, façade, Łódź, Ðức", "Ελληνικά", "Привет, Ђорђе", "Հայերեն ქართული"],
        ids=["latin", "greek", "cyrillic", "caucasian"],
    )
    def test_can_be_read(self, text):
        (page,) = pages_of(document(lambda paper: paper.block([text])))

        assert text in page

    @pytest.mark.parametrize(
        "text",
        [
            "דוד המלך",
            "محمد بن عبد الله",
            "می\u200cرسم",
            "नमस्ते",
            "漢字",
            "👩\u200d👩\u200d👧 😀",
        ],
        ids=["hebrew", "arabic", "persian", "hindi", "chinese", "emoji"],
    )
    def test_of_every_script_is_drawn_without_a_word_about_it(self, text, caplog):
        with caplog.at_level(logging.DEBUG):
            (page,) = pages_of(document(lambda paper: paper.fields([("Name", text)])))

        assert page.strip().startswith("Name")
        assert not any(c in caplog.text for c in text if c != " ")

    def test_controls_and_directions_are_left_out(self):
        odd = "a\u202eb\x00c\nd\u2028e\ud800f\ue000g"

        (page,) = pages_of(document(lambda paper: paper.block([odd])))

        assert page.splitlines()[0] == "a b c d e f g"

    def test_a_word_longer_than_a_line_goes_on_in_the_next(self):
        (page,) = pages_of(document(lambda paper: paper.block(["y" * 300])))

        assert page.count("y") == 300

    def test_without_an_end_is_cut(self):
        pages = pages_of(document(lambda paper: paper.block(["y" * 100_000])))

        assert sum(page.count("y") for page in pages) == 1_000


class TestTable:
    def test_goes_on_over_pages_under_the_same_head(self):
        pages = pages_of(a_table(60))

        assert len(pages) > 1
        for number, page in enumerate(pages, start=1):
            assert page.startswith("Description Quantity Amount")
            assert f"{number} / {len(pages)}" in page
        together = "\n".join(pages)
        assert [n for n in range(60) if f"Tea {n}\n" not in together] == []

    def test_numbers_more_pages_than_nine(self):
        *_, last = pages = pages_of(a_table(300))

        assert len(pages) > 9
        assert f"{len(pages)} / {len(pages)}" in last

    def test_cuts_no_row_in_two(self):
        tall = Row(("long " * 190, "1", "2"), "END")
        rows = [Row(("Tea", "1", "2"))] * 25 + [tall]

        *_, last = pages_of(document(lambda paper: paper.table(COLUMNS, rows)))

        assert last.count("long") == 190
        assert "END" in last


class TestSums:
    def test_stand_at_the_right_edge(self):
        made = document(
            lambda paper: paper.sums(
                [("Subtotal", "9.00 EUR"), ("Total", "1,234.50 EUR")], bold=["Total"]
            )
        )

        ends = []
        (page,) = pypdf.PdfReader(io.BytesIO(made)).pages
        page.extract_text(
            visitor_text=lambda text, _c, at, _f, _s: ends.append((text.strip(), at[4]))
        )
        starts = dict(ends)
        assert starts["1,234.50 EUR"] < starts["9.00 EUR"]
