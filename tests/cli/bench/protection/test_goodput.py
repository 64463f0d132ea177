"""Goodput: what is left under load, and what the report makes of it."""

import pytest

from holdfast.cli.bench.protection import plan
from holdfast.cli.bench.protection.drive import Observed
from holdfast.cli.bench.protection.goodput import (
    Curve,
    Goodput,
    Point,
    cost_of_refusal,
    measured,
    outcome,
)
from holdfast.cli.bench.protection.handlers import HANDLERS
from holdfast.cli.bench.protection.plan import Count, Report, Seen, Times
from holdfast.cli.bench.protection.rig import Cores, Rig
from holdfast.cli.bench.protection.server import Told

PEAK = 200.0


def phase(name: str, rate: float, ok: float, p99: float, **more) -> Seen:
    served = Times(round(ok), 10.0, p99, p99)
    refused = round(rate - ok)
    count = Count("look", round(rate), round(ok), refused=refused, served=served)
    return Seen(name, 1.0, [count], **more)


def point(multiple: int, share: float, *, p99: float = 60.0, **more) -> Point:
    quiet_share = more.pop("quiet", 1.0)
    quiet = phase("quiet", PEAK / 2, PEAK / 2 * quiet_share, 20.0)
    onset = phase("onset", multiple * PEAK, share * PEAK, p99)
    loaded = phase("loaded", multiple * PEAK, share * PEAK, p99, **more)
    phases = [quiet, onset, loaded]
    spent = {
        seen.name: {
            "server": seen.kinds[0].ok * 0.005 + seen.refused * 50e-6,
            "memory_mb": 4.0,
        }
        for seen in phases
    }
    observed = Observed(Report(phases, []), spent)
    return Point(
        multiple, observed, Told(worked=1_000, most_tasks=9, most_connections=9)
    )


def goodput(name: str = "w5", **more) -> Goodput:
    known = {
        "control": Curve([point(10, 0.05)]),
        "shielded": Curve([point(2, 0.93), point(5, 0.86), point(10, 0.76)]),
    }
    return Goodput(HANDLERS[name], PEAK, **{**known, **more})


class TestGoodput:
    def test_is_content_when_every_target_is_met(self):
        found = outcome([goodput()])

        assert found.faults == []
        assert found.voids == []
        assert found.lines[0] == "5 ms CPU: peak 200 a second"
        assert "93% at 2 x, 86% at 5 x, 76% at 10 x" in found.lines[1]
        assert "a refusal takes 50 us of CPU" in found.lines[3]
        assert found.figures["w5"]["protected"]["10"]["share"] == pytest.approx(0.76)

    def test_names_each_share_that_is_too_small(self):
        shielded = Curve([point(2, 0.93), point(5, 0.84), point(10, 0.74)])

        assert goodput(shielded=shielded).faults == [
            "5 ms CPU: 84% of its peak is left at 5 times, and 85% are wanted.",
            "5 ms CPU: 74% of its peak is left at 10 times, and 75% are wanted.",
        ]

    def test_names_a_wait_that_is_too_long_for_those_who_are_served(self):
        shielded = Curve([point(5, 0.95, p99=71.0)])

        (fault,) = goodput(shielded=shielded).faults

        assert "wait up to 71 ms (p99), and without load 20." in fault
        assert goodput(shielded=Curve([point(5, 0.95, p99=70.0)])).faults == []

    def test_proves_nothing_beside_a_control_that_stands(self):
        (doubt,) = goodput(control=Curve([point(10, 0.21)])).doubts

        assert "without protection 21% of the peak is left at 10 times" in doubt
        assert goodput(control=Curve([point(10, 0.19)])).doubts == []

    def test_proves_nothing_where_quiet_was_not_quiet(self):
        shielded = Curve([point(10, 0.9, quiet=0.9)])

        (doubt,) = goodput(shielded=shielded).doubts

        assert "at half of its peak 90% were OK once" in doubt

    def test_proves_nothing_where_the_load_came_late(self):
        (doubt,) = goodput(voids=["Of 1 phases, the worst was late."]).doubts

        assert doubt == "5 ms CPU: Of 1 phases, the worst was late."

    def test_knows_how_much_work_was_for_nobody(self):
        busy = point(10, 0.5)

        # A hundred before, a hundred at the onset, a hundred under load.
        assert busy.wasted == pytest.approx(0.7)
        assert busy.grown_mb == 8.0


class TestCostOfRefusal:
    def test_is_what_explains_the_cpu_of_all_phases(self):
        phases = [
            (served, refused, served * 0.02 + refused * 80e-6)
            for served, refused in ((50, 0), (45, 55), (40, 460))
        ]

        assert cost_of_refusal(phases) == pytest.approx(80)

    def test_is_not_known_where_nothing_was_refused(self):
        assert cost_of_refusal([(50, 0, 1.0), (60, 0, 1.2)]) is None


@pytest.mark.slow
class TestMeasured:
    async def test_measures_both_at_a_multiple_of_the_peak(self, monkeypatch):
        # What else runs on a machine that tests makes any load late, and the figures
        # say what the machine did.
        monkeypatch.setattr(plan, "MAX_LATE_MS", 1_000.0)
        told = []
        rig = Rig(0.5, {}, Cores.of_this_machine(), told.append, connections=400)

        found = await measured(rig, HANDLERS["io"], multiples=(5,))

        assert 100 < found.peak <= 550
        (control,) = found.control.points
        shielded = found.shielded.at(5)
        assert control.loaded.due == pytest.approx(2.5 * found.peak, rel=0.05)
        assert found.share(control) < 1
        assert control.told.worked > control.loaded.kinds[0].ok
        assert shielded.told.worked > 0
        assert shielded.loaded.kinds[0].errors == {}
        assert outcome([found]).figures["io"]["peak"] == found.peak
        assert len(told) == 2
