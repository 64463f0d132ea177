"""Lines that nobody vouches for: what is wrong with one keeps no other out."""

import io
import json
import tracemalloc

import pytest

from holdfast.domain.catalog import ProductTexts, UnusableFile, jsonl_portions
from holdfast.domain.catalog.jsonl import MAX_LINE_BYTES

EUR = {"amount": 1, "currency": "EUR"}
FAR = "9999-12-31T23:59:59-05:00"
TEA = {
    "title": "Tea",
    "variants": [{"sku": "T-1", "price": {"amount": 490, "currency": "EUR"}}],
}


def said_in(locale, **texts):
    """A product that is called something in a language."""
    return {**TEA, "translations": {locale: texts}}


def read(content):
    return list(jsonl_portions(io.BytesIO(content)))


def said(line):
    """What is wrong with one line."""
    (portion,) = read(line if isinstance(line, bytes) else json.dumps(line).encode())
    assert portion.arrival is None
    return [fault.message for fault in portion.faults]


class TestGood:
    @pytest.mark.parametrize(
        "content",
        [
            b"%s\n",
            b"%s",
            b"\xef\xbb\xbf%s\r\n",
            b"\n \n%s\n\n",
        ],
        ids=["line", "without an end", "mark and CRLF", "empty lines"],
    )
    def test_is_read_whatever_stands_around_it(self, content):
        found = read(content % json.dumps(TEA).encode())

        assert [portion.arrival.draft.handle for portion in found] == ["tea"]

    @pytest.mark.parametrize(
        "title",
        [
            "\u05ea\u05d4 \u05d9\u05e8\u05d5\u05e7",
            "\u202etea",
            "Tea \U0001f375\u200d\u2744\ufe0f",
            "cafe\u0301",
            "<script>alert(1)</script>",
            "'; DROP TABLE products; --",
        ],
    )
    def test_texts_stay_what_they_are(self, title):
        (portion,) = read(json.dumps({**TEA, "title": title, "handle": "t"}).encode())

        assert portion.arrival.draft.title == title

    def test_html_that_would_run_is_taken_out(self):
        line = {**TEA, "description_html": "<p onclick=x>a<script>b</script></p>"}

        (portion,) = read(json.dumps(line).encode())

        assert portion.arrival.draft.description_html == "<p>a</p>"


class TestBesides:
    def test_is_read_with_tags_as_they_are_kept(self):
        line = {
            **TEA,
            "images": [{"url": "https://a.example/1"}],
            "related": ["cup"],
            "translations": {
                "de-at": {
                    "title": "Tee",
                    "description_html": "<p onclick=x>T</p>",
                    "images": {"1": "Eine Kanne"},
                }
            },
        }

        (portion,) = read(json.dumps(line).encode())

        arrival = portion.arrival
        assert arrival.related == ("cup",)
        assert arrival.texts == {
            "de-AT": ProductTexts(
                title="Tee", description_html="<p>T</p>", images={"1": "Eine Kanne"}
            )
        }

    def test_that_is_not_said_is_none(self):
        (portion,) = read(json.dumps(TEA).encode())

        assert (portion.arrival.related, portion.arrival.texts) == (None, {})

    def test_is_part_of_what_a_product_came_from(self):
        lines = [TEA, {**TEA, "related": []}, said_in("de", title="Tee")]

        found = {read(json.dumps(one).encode())[0].arrival.source_hash for one in lines}

        assert len(found) == 3


class TestBad:
    @pytest.mark.parametrize(
        ("line", "message"),
        [
            (b"{", "this is not JSON: Input data was truncated"),
            (b"7", "Expected `object`, got `int`"),
            (b'{"title": "\xff"}', "this is not JSON: "),
            (b'{"title": "\\ud800"}', "this is not JSON: "),
            ({"title": "Tea"}, "Object missing required field `variants`"),
            ({**TEA, "price": 1}, "Object contains unknown field `price`"),
            ({**TEA, "title": "a\x00b"}, "there is a NUL character in a text"),
            ({**TEA, "status": "sold"}, "status: Invalid enum value 'sold'"),
            ({**TEA, "title": ""}, "title must have 1 to 255 characters"),
            ({**TEA, "handle": "No Handle"}, "handle must be 1 to 255 lower-case"),
            ({**TEA, "variants": []}, "variants must be 1 to 2000"),
            ({**TEA, "variants": TEA["variants"] * 2}, "variants/1/sku is there twice"),
            (
                {**TEA, "options": [{"name": "Size", "values": []}]},
                "options/0/values must have at least one value",
            ),
            (
                {**TEA, "categories": [{"handle": "a", "name": "b\nc"}]},
                "categories/0/name must be one line",
            ),
            ({**TEA, "publish_at": "2026-12-01T18:00:00"}, "publish_at: "),
            ({**TEA, "related": ["No Handle"]}, "related/0 must be the handle"),
            ({**TEA, "related": ["a", "a"]}, "related/1 is there twice"),
            ({**TEA, "related": ["tea"]}, "related/0 is the product itself"),
            ({**TEA, "related": ["a"] * 51}, "related: Expected `array` of length"),
            (said_in("xx_1", title="a"), "translations/xx_1 must be a language tag"),
            (
                {**TEA, "translations": {"de": {"title": "a"}, "DE": {"title": "b"}}},
                "translations/DE is there twice",
            ),
            (said_in("de"), "translations/de must translate something"),
            (said_in("de", name="a"), "translations: Object contains unknown"),
            (said_in("de", title="a\nb"), "translations/de/title must be one line"),
            (
                said_in("de", options={"Size": {"name": "Gr"}}),
                "translations/de/options/Size is not an option",
            ),
            (
                said_in("de", images={"1": "x"}),
                "translations/de/images/1 is not an image",
            ),
            ({**TEA, "publish_at": FAR}, "publish_at must be between the years"),
            ({**TEA, "unpublish_at": FAR}, "unpublish_at must be between the years"),
        ],
    )
    def test_is_told_what_it_is(self, line, message):
        assert said(line)[0].startswith(message)

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("price", {"amount": 10**30, "currency": "EUR"}, "variants/0/price"),
            ("price", {"amount": -1, "currency": "EUR"}, "variants/0/price/amount"),
            ("price", {"amount": 1, "currency": "XXX"}, "variants/0/price/currency"),
            ("price", {"amount": 1.5, "currency": "EUR"}, "variants/0/price/amount: "),
            ("weight_grams", 10**18, "variants/0/weight_grams must be"),
            ("sku", "", "variants/0/sku must have 1 to 255"),
            ("sku", 7, "variants/0/sku: Expected `str`, got `int`"),
            ("barcode", "1\n2", "variants/0/barcode must be one line"),
            ("image", 1, "variants/0/image must be the place of one of"),
            ("prices", [{}], "variants/0/prices/0: Object missing required"),
            (
                "prices",
                [{"price": {"amount": -1, "currency": "EUR"}}],
                "variants/0/prices/0/price/amount must be 0 to",
            ),
            (
                "prices",
                [
                    {
                        "price": {"amount": 1, "currency": "EUR"},
                        "compare_at_price": {"amount": 2, "currency": "GBP"},
                    }
                ],
                "variants/0/prices/0/compare_at_price/currency must be",
            ),
            ("prices", [{"price": {"amount": 1, "currency": "EUR"}}] * 201, "variants"),
            (
                "prices",
                [{"price": EUR, "ends_at": "9999-12-31T23:59:59-05:00"}],
                "variants/0/prices/0/ends_at must be between the years",
            ),
            (
                "prices",
                [{"price": EUR, "starts_at": "0001-01-01T00:00:00+01:00"}],
                "variants/0/prices/0/starts_at must be between the years",
            ),
        ],
    )
    def test_variant_is_told_where(self, field, value, message):
        line = {**TEA, "variants": [{**TEA["variants"][0], field: value}]}

        assert said(line)[0].startswith(message)

    def test_nesting_is_no_crash(self):
        assert said(b'{"title":' + b"[" * 100_000) != []

    def test_with_thousands_of_faults_is_told_of_twenty(self):
        bad = {"sku": "", "price": {"amount": -1, "currency": "?"}}

        told = said({**TEA, "variants": [bad] * 1_000})

        assert len(told) == 21
        assert told[-1] == "and at least 80 faults more"

    @pytest.mark.parametrize(
        "fields",
        [{"tags": [""] * 10**6}, {"categories": [{"handle": "", "name": ""}] * 10**5}],
        ids=lambda fields: str(*fields),
    )
    def test_of_a_megabyte_of_faults_the_first_are_looked_for(self, fields):
        line = json.dumps({**TEA, **fields}).encode()

        tracemalloc.start()
        told = said(line)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert len(told) <= 21
        # As much as the line itself is as objects; a fault takes 200 bytes.
        assert most < 50 << 20

    def test_keeps_no_other_out(self):
        tea = json.dumps(TEA).encode()

        found = read(b"{\n" + tea + b"\n" + b"nonsense\n" + tea)

        assert [portion.arrival is None for portion in found] == [
            *(True, False, True, False)
        ]
        assert [f.line for p in found for f in p.faults] == [1, 3]


class TestBounds:
    def test_a_line_without_end_is_one_fault_and_no_memory(self):
        class Endless(io.RawIOBase):
            """64 MiB without a line break, then a product."""

            left = 64
            most = 0

            def readable(self):
                return True

            def readinto(self, buffer):
                self.most = max(self.most, len(buffer))
                part = json.dumps(TEA).encode()
                if self.left:
                    self.left -= 1
                    part = b"x" * (1 << 20) if self.left else b"\n"
                    part = part[: len(buffer)]
                elif self.left is None:
                    return 0
                else:
                    self.left = None
                buffer[: len(part)] = part
                return len(part)

        raw = Endless()
        long, tea = jsonl_portions(io.BufferedReader(raw, 1 << 20))

        assert [f.message for f in long.faults] == ["the line is longer than 4 MiB"]
        assert long.end.lines == 1
        assert tea.arrival is not None
        assert raw.most <= MAX_LINE_BYTES

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (json.dumps(TEA).encode("utf-16"), "UTF-16"),
            (b"\n" * ((1 << 20) + 2), "lines are empty"),
        ],
    )
    def test_what_is_no_such_file_ends_the_reading(self, content, reason):
        with pytest.raises(UnusableFile, match=reason):
            read(content)
