from array import array

import pytest

from holdfast.cli.bench.instance import CannotBench
from holdfast.cli.bench.limiter_load import (
    Cost,
    Costs,
    Decided,
    Point,
    Task,
)
from holdfast.cli.bench.protection.limiter import (
    GRID,
    PROCESSES,
    _faults,
    judge,
    measure,
    run,
)
from holdfast.cli.bench.protection.rig import Cores, Rig

POINT = Point(burst=2, tokens=1, period_seconds=1)
SECOND = 1_000_000


def decided(*decisions):
    at, allowed = array("q"), array("q")
    for instant, verdict in decisions:
        at.append(instant)
        allowed.append(verdict)
    return Decided(at.tobytes(), allowed.tobytes())


class TestJudge:
    def test_finds_nothing_wrong_with_what_is_exact(self):
        one = decided((0, True), (SECOND, True))
        other = decided((1, True), (2, False), (SECOND + 1, False))

        found = judge(POINT, [one, other])

        assert found.fault is None
        assert (found.asked, found.granted, found.expected) == (5, 3, 3)

    def test_finds_one_too_many_in_a_window(self):
        found = judge(POINT, [decided((0, True), (1, True), (2, True))])

        assert found.excess == pytest.approx(1, abs=1e-3)
        assert "too many" in found.fault

    def test_finds_one_that_was_refused_for_nothing(self):
        found = judge(POINT, [decided((0, True), (9 * SECOND, False))])

        assert found.excess <= 0
        assert "1 instead of 2" in found.fault

    def test_finds_nothing_wrong_where_nothing_was_asked(self):
        assert judge(POINT, [decided()]).fault is None


class TestFaults:
    def test_are_none_at_the_targets(self):
        script = Cost(p50_us=150, cpu_us=40, alone_trips=1, together_trips=1)

        assert _faults(Costs(script, Cost(), Cost(), Cost(), 1.35, 10)) == []

    def test_name_every_target_that_is_missed(self):
        script = Cost(p50_us=151, cpu_us=41, alone_trips=1, together_trips=1.1)

        faults = _faults(Costs(script, Cost(), Cost(), Cost(), 1.36, 10))

        assert faults == [
            "a decision takes 151 us at the median, not 150",
            "a decision takes 1.36 INCRBY, not 1.35",
            "a decision takes 41 us of CPU, not 40",
            "a decision takes more than one round trip",
        ]


class TestMeasure:
    @pytest.mark.slow
    async def test_tells_what_a_decision_costs_and_whether_all_are_exact(self):
        told = []
        points = sum(len(turn) for turn in GRID)

        outcome = await measure(Rig(0.4, {}, Cores(), told.append))

        assert told == ["the cost of a decision", f"{PROCESSES} processes at once"]
        assert outcome.figures["costs"]["script"]["together_trips"] < 1
        assert outcome.figures["costs"]["leased"]["alone_trips"] < 0.5
        assert len(outcome.figures["exactness"]) == points
        assert [fault for fault in outcome.faults if "instead" in fault] == []
        assert [fault for fault in outcome.faults if "too many" in fault] == []
        assert len(outcome.lines) == 6 + 2 + points

    async def test_says_so_when_a_process_fails(self):
        task = Task("redis://127.0.0.1:1", 0.1, [[POINT]])

        with pytest.raises(CannotBench, match="StoreUnavailable"):
            await run([task], list[Decided])
