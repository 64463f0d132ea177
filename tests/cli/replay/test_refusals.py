"""What cannot be replayed is refused in one sentence."""

import pytest

from holdfast.cli.replay import Options
from holdfast.workflows import keys


class TestRefusals:
    @pytest.mark.parametrize(
        ("row", "sentence"),
        [
            (("536370", "A", "", "six", "", "1", "", ""), "Quantity 'six' is not a wh"),
            (("536370", "A", "", "1", "", "1e3", "", ""), "UnitPrice '1e3' is not a n"),
            (("536370", "A", "", "1000001", "", "1", "", ""), "1000001 is more than"),
            (("536370", " ", "", "1", "", "1", "", ""), "StockCode '' is not 1 to 64"),
            (("536/70", "A", "", "1", "", "1", "", ""), "InvoiceNo '536/70' is not"),
            (("536370", "A", "", "1", "", "9" * 18, "", ""), "is too large."),
            (("536370", "A"), "The row has not as many fields as the head."),
        ],
    )
    async def test_names_the_line_of_a_row_that_makes_no_sense(
        self, write, replayed, bought, row, sentence
    ):
        folder = write(bought[0], row)

        outcome = await replayed(Options(folder, "http://127.0.0.1:1"))

        assert outcome.code == 2
        assert f"{folder}/2010-12-01.csv:3: " in outcome.err
        assert sentence in outcome.err
        assert len(outcome.err.splitlines()) == 1

    async def test_names_a_column_that_is_missing(self, write, replayed):
        folder = write(head=("InvoiceNo", "StockCode", "Description"))

        outcome = await replayed(Options(folder, "http://127.0.0.1:1"))

        assert outcome.err.endswith(".csv:1: There is no column Quantity.\n")

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (b"\xff\xfe", ":1: From here on it is not UTF-8."),
            (b'"a"b,c\n', ":1: It is not CSV"),
            (b"", ":1: There is no column InvoiceNo."),
        ],
    )
    async def test_names_a_file_that_is_no_csv(
        self, tmp_path, replayed, content, sentence
    ):
        (tmp_path / "a.csv").write_bytes(content)

        outcome = await replayed(Options(tmp_path, "http://127.0.0.1:1"))

        assert f"{tmp_path}/a.csv{sentence}" in outcome.err

    async def test_names_a_file_that_cannot_be_read(self, tmp_path, replayed):
        (tmp_path / "a.csv").mkdir()

        outcome = await replayed(Options(tmp_path, "http://127.0.0.1:1"))

        assert f"{tmp_path}/a.csv cannot be read (Is a directory)." in outcome.err

    async def test_says_when_there_is_nothing_to_read(
        self, tmp_path, write, replayed, not_sold
    ):
        empty = await replayed(Options(tmp_path, "http://127.0.0.1:1"))
        absent = await replayed(Options(tmp_path / "no", "http://127.0.0.1:1"))
        unsold = await replayed(Options(write(*not_sold), "http://127.0.0.1:1"))

        assert f"{tmp_path} holds no .csv file." in empty.err
        assert f"{tmp_path}/no is not a folder." in absent.err
        assert "hold no sale." in unsold.err

    async def test_says_when_the_key_is_missing_or_not_enough(
        self, served, month, replayed, shop
    ):
        _, weak = await keys.create_key(
            *(shop.db, shop.vault),
            name="weak",
            scopes=["orders:read"],
            clock=shop.clock,
        )

        missing = await replayed(Options(month, served.url))
        weak_one = await replayed(
            Options(month, served.url, weak, served.payment_url, as_json=True)
        )
        made_up = await replayed(
            Options(month, served.url, "hfk_no", served.payment_url)
        )

        assert "It needs the key of an operator" in missing.err
        assert "products:write" in weak_one.err
        assert "The operator key is not enough" in made_up.err
        assert (missing.code, weak_one.code, made_up.code) == (2, 2, 2)

    async def test_says_when_it_does_not_know_the_provider(
        self, served, month, replayed
    ):
        outcome = await replayed(Options(month, served.url, served.key))

        assert "It must know where the payment provider is" in outcome.err

    async def test_says_when_an_address_is_none(self, served, month, replayed):
        outcome = await replayed(
            Options(month, "nowhere", served.key, served.payment_url)
        )

        assert "The shop at nowhere does not answer" in outcome.err

    async def test_finds_the_key_in_the_home_of_the_shop(
        self, served, month, replayed, tmp_path
    ):
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / "operator-key").write_text(served.key + "\n")

        outcome = await replayed(
            Options(month, served.url, None, served.payment_url, as_json=True)
        )

        assert outcome.code == 0
