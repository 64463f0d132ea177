"""A shop under load: what is left of it, and what the report makes of that."""

from dataclasses import replace

import pytest

from holdfast.cli.bench.protection.drive import Observed
from holdfast.cli.bench.protection.mix import EVERYTHING, LOOKERS, Mix, Point
from holdfast.cli.bench.protection.plan import Count, Report, Seen, Times
from holdfast.cli.bench.protection.shop_load import SHARES, rates

PEAK = 1_000.0
COSTS = {
    "browse": {"api": 0.0001, "rest": 0.0001},
    "search": {"api": 0.0002, "rest": 0.0002},
    "checkout": {"api": 0.002, "rest": 0.002},
}


def phase(name: str, due: list[float], ok: list[float], p99: float) -> Seen:
    kinds = [
        Count(kind, round(d), round(o), served=Times(round(o), 5.0, p99, p99))
        for kind, d, o in zip(SHARES, due, ok, strict=True)
    ]
    return Seen(name, 1.0, kinds)


def point(
    way: str, multiple: int, ok: list[float], *, p99: float = 50.0, calm: float = 1.0
) -> Point:
    paying = None if way == EVERYTHING else PEAK * SHARES["checkout"]
    due = rates(multiple * PEAK, checkouts=paying)
    half = rates(PEAK / 2)
    phases = [
        phase("quiet", half, [rate * calm for rate in half], 10.0),
        phase("onset", due, ok, p99),
        phase("loaded", due, ok, p99),
    ]
    spent = {seen.name: {"api": 0.9, "memory_mb": 1.0} for seen in phases}
    return Point(way, multiple, Observed(Report(phases, []), spent))


@pytest.fixture
def met() -> Mix:
    """Every target met: buyers first when everything grows."""
    return Mix(
        PEAK,
        COSTS,
        control=[point(EVERYTHING, 10, [20, 5, 2]), point(LOOKERS, 10, [9, 1, 1])],
        shielded=[
            point(EVERYTHING, 5, [100, 0, 110]),
            point(EVERYTHING, 10, [0, 0, 130]),
            point(LOOKERS, 5, [600, 190, 100]),
            point(LOOKERS, 10, [550, 170, 99]),
        ],
    )


class TestRates:
    def test_are_so_many_times_as_much_of_everything(self):
        assert rates(1_000) == pytest.approx([700, 200, 100])

    def test_or_more_of_those_who_look(self):
        grown = rates(10_000, checkouts=100)

        assert sum(grown) == pytest.approx(10_000)
        assert grown[2] == 100
        assert grown[0] / grown[1] == pytest.approx(3.5)


class TestMix:
    def test_is_content_when_every_target_is_met(self, met):
        assert met.faults == []
        assert met.doubts == []
        assert "everything grows" in met.lines
        assert any("checkouts 99.0%" in line for line in met.lines)
        assert met.figures["protected"][0]["checkouts_fit"] is False

    def test_tells_by_work_what_is_left_when_everything_grows(self, met):
        busy = met.shielded[1]

        # 700 x 200 us + 200 x 400 us + 100 x 4 ms is the work of the peak.
        assert met.share(busy) == pytest.approx(0.13)
        assert met.work_share(busy) == pytest.approx(0.13 * 4 / 0.62)
        idle = replace(met, shielded=[point(EVERYTHING, 10, [300, 0, 100])])
        assert idle.faults == [
            (
                "everything grows, 10 times: 74% of the peak's work is left, and 80% "
                "are wanted."
            )
        ]

    def test_tells_by_count_what_is_left_when_lookers_grow(self, met):
        lost = replace(met, shielded=[point(LOOKERS, 10, [500, 190, 100])])

        (fault,) = lost.faults
        assert fault.startswith("lookers grow, 10 times: 79% of the peak is left")

    def test_wants_buyers_served_as_long_as_they_could_be(self, met):
        refused = replace(met, shielded=[point(LOOKERS, 10, [700, 190, 98])])

        assert refused.faults == [
            "lookers grow, 10 times: 98.0% of those who pay are served."
        ]

    def test_wants_nobody_who_is_served_to_wait_much_longer_at_five_times(self, met):
        slow = replace(met, shielded=[point(LOOKERS, 5, [700, 0, 100], p99=61.0)])

        assert slow.faults == [
            f"lookers grow, 5 times: {kind} takes 51 ms longer than in quiet (p99)."
            for kind in ("browse", "checkout")
        ]

    def test_proves_nothing_beside_a_control_that_stands(self, met):
        stands = replace(met, control=[point(EVERYTHING, 10, [200, 20, 10])])

        (doubt,) = stands.doubts
        assert "Without protection 23% of the peak is left" in doubt

    def test_proves_nothing_where_quiet_was_not_quiet(self, met):
        restless = [point(LOOKERS, 10, [700, 190, 100], calm=0.9)]

        (doubt,) = replace(met, shielded=restless).doubts
        assert doubt == "At half of the peak no more than 90% were OK once."
