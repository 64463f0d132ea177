"""The label: a page that any reader opens, with bars that any scanner reads."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.simulators.carrier import barcode, label
from holdfast.simulators.carrier.barcode import widths


@pytest.fixture
def drawn(carrier, ship):
    async def draw(**changes: object) -> bytes:
        made = (await ship(**changes)).json()
        response = await carrier.get(made["label_url"])
        assert response.headers["content-type"] == "application/pdf"
        name = f"{made['tracking_number']}.pdf"
        assert name in response.headers["content-disposition"]
        return response.content

    return draw


def read_bars(content: str) -> str:
    """What a scanner reads: bars as dark and light modules, then the table."""
    bars = [
        (float(x), float(wide))
        for x, wide in re.findall(
            r"^([\d.]+) 46\.0 ([\d.]+) 62\.0 re f$", content, re.MULTILINE
        )
    ]
    module = min(wide for _, wide in bars)
    runs = []
    for (x, wide), following in zip(bars, [*bars[1:], None], strict=True):
        runs.append(round(wide / module))
        if following:
            runs.append(round((following[0] - x - wide) / module))
    symbols = [
        "".join(map(str, runs[place : place + 6]))
        for place in range(0, len(runs) - 7, 6)
    ]
    values = [barcode._WIDTHS.index(symbol) for symbol in symbols]
    start, *data, check = values
    assert start == 104
    assert "".join(map(str, runs[-7:])) == "2331112"
    assert (104 + sum(i * v for i, v in enumerate(data, 1))) % 103 == check
    return "".join(chr(value + 32) for value in data)


class TestBarcode:
    def test_its_table_is_one_of_a_code_of_eleven_modules_with_even_bars(self):
        table = barcode._WIDTHS

        assert len(set(table)) == len(table) == 106
        assert all(sum(map(int, symbol)) == 11 for symbol in table)
        assert all(sum(map(int, symbol[::2])) % 2 == 0 for symbol in table)

    def test_starts_with_set_b_and_ends_with_its_check_and_a_stop(self):
        # 104, A is 33, 0 is 16; (104 + 1 * 33 + 2 * 16) modulo 103 is 66.
        drawn = "".join(map(str, widths("A0")))

        assert drawn == "211214" + "111323" + "123122" + "121421" + "2331112"

    @pytest.mark.parametrize("text", ["é", "\n", "\x7f"])
    def test_refuses_what_has_no_bars(self, text):
        with pytest.raises(ValueError, match="ASCII"):
            widths(text)


class TestLabel:
    async def test_can_be_scanned(self, ship, drawn, carrier):
        content = (await drawn()).decode("latin-1")

        made = (await carrier.get("/v1/shipments/by-key/key-1")).json()
        assert read_bars(content) == made["tracking_number"]
        assert f"({made['tracking_number']}) Tj" in content

    async def test_is_one_page_of_a6_whose_table_finds_every_object(self, drawn):
        document = await drawn()

        assert document.startswith(b"%PDF-1.4\n")
        assert document.endswith(b"%%EOF\n")
        assert document.count(b"/Type /Page ") == 1
        assert b"/MediaBox [0 0 297.64 419.53]" in document
        start = int(document.rsplit(b"startxref\n")[1].split(b"\n")[0])
        assert document[start:].startswith(b"xref\n0 7\n")
        offsets = re.findall(rb"^(\d{10}) 00000 n $", document[start:], re.MULTILINE)
        for number, offset in enumerate(offsets, start=1):
            assert document[int(offset) :].startswith(b"%d 0 obj\n" % number)
        length = int(re.search(rb"/Length (\d+)", document)[1])
        stream = document.split(b"stream\n")[1][:length]
        assert document.split(stream)[1].startswith(b"\nendstream")

    async def test_says_from_whom_to_whom(self, drawn):
        content = (await drawn()).decode("latin-1")

        for line in ("Holdfast", "20457 Hamburg", "Ada Example", "69001 Lyon", "FR"):
            assert f"({line}) Tj" in content
        assert "(Reference: order-1) Tj" in content
        assert "(1 parcel, 0.600 kg) Tj" in content

    async def test_keeps_western_letters_and_escapes_what_means_something(
        self, drawn, a_shipment
    ):
        to = {
            **a_shipment()["ship_to"],
            "name": "Zoë (Łódź) \\ €",
            "line2": "東 Straße",
        }

        content = (await drawn(ship_to=to)).decode("cp1252")

        assert "(Zoë \\(Lódz\\) \\\\ €) Tj" in content
        assert "(? Straße) Tj" in content

    async def test_cuts_what_does_not_fit(self, drawn, a_shipment):
        to = {**a_shipment()["ship_to"], "name": "W" * 255}

        content = (await drawn(ship_to=to)).decode("latin-1")

        shown = re.search(r"\((W+)\.\.\.\) Tj", content)
        assert shown
        assert 20 < len(shown[1]) < 60

    @given(st.text(max_size=300))
    def test_whatever_is_written_stays_text(self, text):
        drawn = label._text(10, 10, 7, text)

        inside = drawn[drawn.index("(") + 1 : drawn.rindex(")")]
        assert re.fullmatch(r"(?:[^()\\]|\\[()\\])*", inside)
        assert all(character >= " " for character in inside)
        drawn.encode("latin-1")

    async def test_an_unknown_one_is_not_found(self, carrier):
        response = await carrier.get("/v1/shipments/sh_1/label.pdf")

        assert response.status_code == 404
