"""The report of what protection is worth: its words, its numbers, its exit status."""

import json

import pytest

from holdfast.cli.bench.protection import Cores, Outcome
from holdfast.cli.bench.protection.report import Report

MET = Outcome(lines=["at 10 times 90 %"], figures={"share": 0.9})
MISSED = Outcome(faults=["80 % of peak, and 85 % are wanted."])
VOID = Outcome(voids=["the load came late."])


def report(**outcomes: Outcome) -> Report:
    titles = {name: f"About {name}" for name in outcomes}
    return Report(outcomes, titles, Cores(0, 1), 8.0, 60.0)


class TestReport:
    def test_is_content_when_every_target_is_met(self):
        shown = report(goodput=MET).text()

        assert "About goodput\n  at 10 times 90 %\n" in shown
        assert "server on core 0, load on core 1, 8 s a point" in shown
        assert "Every target is met." in shown

    def test_names_what_was_missed_and_what_is_void(self):
        shown = report(goodput=MISSED, shop=VOID).text()

        assert "missed   goodput: 80 % of peak, and 85 % are wanted." in shown
        assert "void     shop: the load came late." in shown
        assert "Every target is met." not in shown

    def test_says_when_nothing_could_be_pinned(self):
        assert "nothing pinned" in Report({}, {}, Cores(), 8.0, 1.0).text()

    def test_shows_the_same_to_programs(self):
        shown = json.loads(report(goodput=MET, shop=MISSED, keys=VOID).json())

        assert not shown["passed"]
        assert shown["measurements"]["goodput"] == {"share": 0.9}
        assert shown["faults"] == ["shop: 80 % of peak, and 85 % are wanted."]
        assert shown["voids"] == ["keys: the load came late."]
        assert shown["cores"] == {"server": 0, "load": 1}

    @pytest.mark.parametrize(
        ("outcomes", "status"),
        [
            ({"goodput": MET}, 0),
            ({"goodput": MISSED, "shop": MET}, 1),
            ({"goodput": VOID, "shop": MET}, 2),
            ({"goodput": VOID, "shop": MISSED}, 1),
        ],
        ids=["met", "missed", "void", "missed and void"],
    )
    def test_its_status_says_which_of_them_it_was(self, outcomes, status):
        assert report(**outcomes).status == status
