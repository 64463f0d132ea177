"""Files that nobody vouches for."""

from io import BytesIO

import pytest

from holdfast.domain.catalog import csv_rows
from holdfast.domain.catalog.csv_rows import (
    MAX_LINE_BYTES,
    BadRecord,
    Record,
    UnusableFile,
    records,
)

REQUIRED = ("Handle", "Title")


class TestRecords:
    def test_tells_line_key_and_cells_that_are_not_empty(self):
        file = BytesIO(b'Handle,TITLE,Body\na,"one\ntwo",\n\nb, three ,x\n')

        assert list(records(file, REQUIRED)) == [
            Record(2, "a", {"handle": "a", "title": "one\ntwo"}),
            Record(5, "b", {"handle": "b", "title": "three", "body": "x"}),
        ]

    @pytest.mark.parametrize(
        "content",
        [
            b"\xef\xbb\xbfHandle,Title\r\na,b\r\n",
            b'"Handle","Title"\n"a","b"',
            b"Title,Handle\nb,a\n",
            b"Handle,Title,,\na,b,,\n",
        ],
    )
    def test_reads_what_other_programs_write(self, content):
        found = [(r.key, r.cells["title"]) for r in records(BytesIO(content), REQUIRED)]

        assert found == [("a", "b")]

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "empty"),
            (b"\xef\xbb\xbf", "no column Handle, Title"),
            (b"Handle,Name\n", "no column Title"),
            (b"Handle,Title,title\n", "twice"),
            ("Handle,Title".encode("utf-16"), "UTF-16"),
            (b"Handle,Title\xff\n", "not UTF-8"),
            (b"Handle,Title\x00\n", "NUL"),
            (b"Handle,Title\ra,b\r", "CR alone"),
            (b'Handle,"Title\n', "never closed"),
            (b"x" * (MAX_LINE_BYTES + 10), "longer than 1 MiB"),
        ],
    )
    def test_refuses_a_file_without_a_usable_header(self, content, reason):
        with pytest.raises(UnusableFile, match=reason):
            list(records(BytesIO(content), REQUIRED))

    @pytest.mark.parametrize(
        ("row", "key", "reason"),
        [
            (b"a,b,c", "a", "has 3 columns where the header has 2"),
            (b"a", "a", "has 1 columns where the header has 2"),
            (b"a,caf\xe9", "a", "byte 0xe9 at position 6 is not UTF-8"),
            (b"a,b\x00", "a", "NUL"),
            (b'a,"b" c', "a", "after a closing quote"),
            (b"a," + b"b" * 200_000, "a", "longer than 131,072"),
            (b"a," + b"b" * 10_000_000, "a", "longer than 1 MiB"),
            (b"a,b\rc,d", "a", "CR alone"),
        ],
    )
    def test_goes_on_after_a_record_it_cannot_read(self, row, key, reason):
        file = BytesIO(b"Handle,Title\nx,y\n" + row + b"\nz,last\n")

        first, bad, last = records(file, REQUIRED)

        assert isinstance(bad, BadRecord)
        assert (bad.line, bad.key) == (3, key)
        assert reason in bad.message
        assert (first.key, last.key) == ("x", "z")
        assert last.line == 4

    def test_says_where_a_quote_was_opened_that_never_closes(self):
        file = BytesIO(b'Handle,Title\na,"b\nc,d\n')

        (bad,) = records(file, REQUIRED)

        assert (bad.line, bad.key) == (2, "a")
        assert "never closed" in bad.message

    def test_guesses_no_key_where_there_is_none(self):
        file = BytesIO(b"Title,Handle\n\xff\nb\n")

        assert [record.key for record in records(file, REQUIRED)] == ["", ""]

    def test_finds_its_way_back_after_a_quote_that_swallowed_too_much(self):
        rows = b"".join(b"p%d,title\n" % n for n in range(30_000))
        file = BytesIO(b'Handle,Title\na,"b\n' + rows)

        found = list(records(file, REQUIRED))

        assert isinstance(found[0], BadRecord)
        assert found[0].line == 2
        assert found[-1] == Record(
            30_002, "p29999", {"handle": "p29999", "title": "title"}
        )

    def test_a_record_that_never_ends_is_a_fault_and_no_memory(self, monkeypatch):
        # Each field begins on one line and ends on the next: none is long, and no
        # line is, but the record would be the whole file.
        monkeypatch.setattr(csv_rows, "MAX_RECORD_BYTES", 1_000)
        file = BytesIO(b"Handle,Title\na" + b',"\n"' * 3_000)

        bad, *_ = records(file, REQUIRED)

        assert bad.message.startswith("the record is longer than 4 MiB")
        assert bad.end.offset < 1_100

    def test_nothing_but_empty_lines_is_no_such_file(self, monkeypatch):
        monkeypatch.setattr(csv_rows, "MAX_EMPTY_LINES", 10)

        with pytest.raises(UnusableFile, match="lines are empty"):
            list(records(BytesIO(b"Handle,Title\n" + b"\n" * 12), REQUIRED))
