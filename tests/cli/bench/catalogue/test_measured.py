"""The whole benchmark in its shortest form: it runs, and tells figures.

What the figures are says the machine, and beside other tests it says little: nothing is
made of what was missed or void.
"""

import tempfile

import psutil
import pytest

from holdfast.cli.bench.catalogue import command, reads, table


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    assert not any(tmp_path.iterdir())
    assert not [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(tmp_path) in " ".join(process.info["cmdline"] or ())
    ]


@pytest.mark.usefixtures("folder")
class TestMeasured:
    @pytest.mark.slow
    def test_a_small_shop_is_searched_and_a_file_taken_in_while_others_read(self):
        only = (reads.SEARCH, "import")
        options = command.Options((120,), seconds=0.5, only=only, imported=60)

        report = command.measured(options)

        (size,) = report.sizes
        assert size.void is None
        assert size.products > 10
        assert size.answers[reads.SEARCH].done > 0
        assert size.answers[reads.SEARCH].errors == {}
        assert size.taken_in is not None
        assert size.taken_in.faults == []
        assert size.taken_in.rate > 0
        assert set(size.taken_in.peak_mb) == {"api", "worker"}
        assert "| search with facets: p50 / p95, ms" in table.text(report)
        assert "search with facets (p95)" in str(report.plot())

    @pytest.mark.long
    def test_everything_is_asked_of_every_size(self):
        options = command.Options((150, 300), seconds=0.5, imported=60)

        report = command.measured(options)

        for size in report.sizes:
            assert size.void is None
            assert all(answers.errors == {} for answers in size.answers.values())
            assert {one.name for one in size.deep} == set(reads.LISTS)
            assert all(one.deep.done and one.depth for one in size.deep)
            assert size.together is not None
            assert size.together > 1
        assert report.growth is not None
