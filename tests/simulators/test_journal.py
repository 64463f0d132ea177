"""The file that outlives a simulator."""

import resource
import stat

import pytest

from holdfast.simulators.journal import Journal, JournalUnusable
from holdfast.simulators.payment import Line
from holdfast.simulators.payment.charge import Charge


@pytest.fixture
def entry() -> Line:
    charge = Charge("ch_1", "k", "captured", 5, "EUR", "r\n\u2028é", None, "now")
    return Line(charge, "pm_card_ok")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "payment.jsonl"


class TestJournal:
    def test_gives_back_what_was_appended_in_order(self, path, entry):
        tombstone = Line(Charge("ch_2", "x", "canceled", 0, "XXX", "", None, "t"))
        journal = Journal(path, Line)
        journal.append(entry)
        journal.append(tombstone)
        journal.close()

        again = Journal(path, Line)
        entries = again.entries()
        again.close()

        assert entries == [entry, tombstone]
        assert path.read_bytes().count(b"\n") == 2

    def test_drops_a_line_torn_by_a_crash_and_writes_on_behind_it(self, path, entry):
        journal = Journal(path, Line)
        journal.append(entry)
        journal.close()
        whole = path.read_bytes()
        path.write_bytes(whole + whole[:40])

        torn = Journal(path, Line)
        kept = torn.entries()
        torn.append(entry)
        torn.close()

        assert kept == [entry]
        assert path.read_bytes() == whole * 2

    def test_refuses_a_file_that_is_no_journal_and_leaves_it_alone(self, path):
        path.parent.mkdir()
        path.write_bytes(b"dear diary\n")

        with pytest.raises(JournalUnusable, match="line 1"):
            Journal(path, Line)

        assert path.read_bytes() == b"dear diary\n"

    def test_refuses_a_file_that_another_holds_until_it_is_closed(self, path):
        first = Journal(path, Line)

        with pytest.raises(JournalUnusable, match="another process"):
            Journal(path, Line)

        first.close()
        Journal(path, Line).close()

    def test_a_disk_that_takes_half_a_line_leaves_no_half_line(self, path, entry):
        journal = Journal(path, Line)
        journal.append(entry)
        whole = path.read_bytes()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 10, hard))
        try:
            with pytest.raises(OSError, match="space"):
                journal.append(entry)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

        assert path.read_bytes() == whole
        journal.append(entry)
        journal.close()
        assert path.read_bytes() == whole * 2

    def test_is_for_its_owner_only(self, path):
        Journal(path, Line).close()

        assert stat.S_IMODE(path.stat().st_mode) == 0o600
