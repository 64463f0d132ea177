"""What a run says of its targets, and with which status it ends."""

import json
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from holdfast.cli.bench.catalogue import command, reads, table
from holdfast.cli.bench.catalogue.asking import Answers
from holdfast.cli.bench.catalogue.importing import Import
from holdfast.cli.bench.catalogue.reads import Deep
from holdfast.cli.bench.catalogue.report import Report, Size
from holdfast.cli.bench.protection.plan import Count, Seen, Times
from holdfast.platform.settings import BadSettings


def answers(name, *, p50=1.0, p95=2.0, rate=5_000.0, **more):
    base = {
        "done": 10_000,
        "turned_away": 0,
        "client_busy": 0.5,
        "errors": {},
        "p99_ms": 3.0,
        "users": 8,
    }
    return Answers(
        **{
            **base,
            "name": name,
            "title": name,
            "rate": rate,
            "p50_ms": p50,
            "p95_ms": p95,
            **more,
        }
    )


def seen(p99, **more):
    return Seen("reads", 8.0, [Count("read", due=1_600, served=Times(p99=p99), **more)])


def taken_in(**more):
    base = {
        "variants": 30_000,
        "products": 6_000,
        "megabytes": 12.0,
        "seconds": 8.0,
        "peak_mb": {"api": 120.0, "worker": 200.0},
        "quiet": seen(5.0),
        "during": seen(8.0),
        "lasted": True,
        "refused": 0,
    }
    return Import(**{**base, **more})


def size(variants=2_000, **changed):
    every = (reads.HANDLE, reads.TOGETHER, reads.PAGE, reads.SEARCH, reads.SUGGEST)
    deep = Deep("list", 400, answers("first"), answers("deep"))
    return Size(
        variants,
        products=variants // 5,
        filled_seconds=1.0,
        answers={name: answers(name) for name in every} | changed.pop("answers", {}),
        deep=changed.pop("deep", [deep]),
        taken_in=changed.pop("taken_in", taken_in()),
        **changed,
    )


def report(*sizes):
    return Report(sizes, "words", 1.0, pinned=True)


class TestStatus:
    def test_is_0_when_every_target_is_met(self):
        assert report(size(), size(20_000)).faults == []
        assert report(size(), size(20_000)).status == 0

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"answers": {"search": answers("search", p95=60.1)}}, "p95 is 60.1 ms"),
            ({"answers": {"suggestions": answers("suggestions", p95=16)}}, "16.0 ms"),
            ({"answers": {"together": answers("together", rate=3_999)}}, "3,999/s"),
            (
                {"deep": [Deep("l", 9, answers("a"), answers("b", p50=1.3))]},
                "1.3 times as long as the first",
            ),
            ({"taken_in": taken_in(seconds=10.1)}, "2,970 variants/s"),
            ({"taken_in": taken_in(peak_mb={"worker": 301.0})}, "held 301 MB"),
            ({"taken_in": taken_in(during=seen(10.2))}, "2.04 times as long"),
            ({"taken_in": taken_in(refused=3)}, "3 rows were refused"),
            ({"answers": {"page": answers("page", errors={"500 b''": 2})}}, "2 x 500"),
        ],
        ids=[
            *("search", "suggestions", "together", "deep", "import", "memory"),
            *("readers", "refused", "wrong"),
        ],
    )
    def test_is_1_when_one_is_missed(self, changed, said):
        missed = report(size(**changed))

        assert len(missed.faults) == 1
        assert said in missed.faults[0]
        assert missed.status == 1

    def test_is_1_when_a_product_takes_longer_the_more_there_are(self):
        slow = {"handle": answers("handle", p50=1.6)}

        missed = report(size(20_000, answers=slow), size())

        assert missed.growth == 1.6
        assert missed.status == 1

    def test_single_products_are_counted_in_the_small_shop_alone(self):
        slow = {"together": answers("together", rate=10)}

        assert report(size(20_000, answers=slow)).status == 0

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"void": "It did not start."}, "2,000: It did not start."),
            ({"answers": {"page": answers("page", client_busy=0.99)}}, "busy 99%"),
            (
                {"answers": {"page": answers("page", turned_away=200)}},
                "200 were turned",
            ),
            (
                {"answers": {"search": answers("search", left_out=200)}},
                "left something",
            ),
            ({"answers": {"page": answers("page", done=0)}}, "nothing was answered"),
            ({"taken_in": taken_in(lasted=False)}, "take more variants"),
            ({"taken_in": taken_in(during=seen(8.0, refused=99))}, "turned away"),
        ],
        ids=["start", "client", "pressed", "facets", "silent", "short", "readers"],
    )
    def test_is_2_when_something_is_void(self, changed, said):
        void = report(size(**changed))

        assert void.faults == []
        assert said in void.voids[0]
        assert void.status == 2


class TestText:
    def test_is_a_table_with_a_column_for_each_size(self):
        lines = table.text(report(size(), size(1_000_000))).splitlines()

        assert lines[0].replace(" ", "") == "|variants|2,000|1,000,000|"
        assert {line.count("|") for line in lines if line.startswith("|")} == {4}
        assert "Every target is met." in lines

    def test_has_dashes_for_what_was_not_measured(self):
        shown = table.table([Size(2_000, void="It did not start.")])

        assert all(row.endswith("- |") for row in shown if row.startswith("| import"))


class TestJson:
    def test_says_the_same_to_programs(self):
        plain = json.loads(
            report(size(answers={"search": answers("search", p95=99)})).json()
        )

        assert plain["passed"] is False
        assert plain["sizes"][0]["import"]["variants_a_second"] == 3_750
        assert plain["sizes"][0]["deep_pages"][0]["ratio"] == 1


class TestPlot:
    def test_is_a_picture_of_what_was_measured_at_all_sizes(self):
        larger = size(20_000)
        del larger.answers[reads.PAGE]

        picture = report(size(), larger).plot()

        tree = ET.fromstring(picture)  # noqa: S314 - our own
        assert len(tree.findall(".//{*}polyline")) == 3
        assert "20,000" in [text.text for text in tree.findall(".//{*}text")]

    def test_names_no_curve_over_another(self):
        tree = ET.fromstring(report(size(), size(20_000)).plot())  # noqa: S314 - our own

        named = [t for t in tree.findall(".//{*}text") if "(p95)" in (t.text or "")]
        heights = sorted(float(text.get("y", "0")) for text in named)
        assert len(named) == 4
        assert all(b - a > 14.8 for a, b in pairwise(heights))

    def test_is_none_of_nothing(self):
        assert report(Size(2_000)).plot() is None


class TestOptions:
    def test_sizes_are_in_their_order_and_once(self):
        assert command.sizes_in("20000, 2_000,20000") == [2_000, 20_000]

    @pytest.mark.parametrize("said", ["", "many", "99", "3000000", "-5"])
    def test_sizes_that_cannot_be_are_refused(self, said):
        with pytest.raises(BadSettings, match="--sizes"):
            command.sizes_in(said)

    def test_stages_are_all_or_those_named(self):
        assert command.stages_in("") == command.STAGES
        assert command.stages_in("import,search") == ["search", "import"]
        with pytest.raises(BadSettings, match="no stage luck"):
            command.stages_in("luck")

    def test_an_import_is_as_long_as_its_readers_are_looked_at(self):
        assert command.Options(seconds=8).import_variants == 64_000
        assert command.Options(imported=5).import_variants == 5

    def test_a_folder_without_names_ends_the_run_with_2(self, tmp_path, capsys):
        with pytest.raises(SystemExit) as ended:
            command.measured(command.Options(descriptions=tmp_path))

        assert ended.value.code == 2
        assert "0 descriptions" in capsys.readouterr().err
