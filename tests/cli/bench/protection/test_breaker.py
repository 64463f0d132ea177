"""The figures of a circuit are taken as they are said to be."""

import pytest

from holdfast.cli.bench.protection import Cores, Rig, breaker


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(breaker, "_CALLS", 200)
    monkeypatch.setattr(breaker, "_ROUNDS", 1)
    monkeypatch.setattr(breaker, "_HUNG_LIMIT_SECONDS", 0.2)


@pytest.mark.usefixtures("quick")
class TestMeasure:
    @pytest.mark.slow
    async def test_tells_all_four_and_the_control(self):
        told = []
        outcome = await breaker.measure(Rig(1.0, {}, Cores(), told.append))

        assert [line.split()[0] for line in outcome.lines] == [
            "closed",
            "opens",
            "open",
            "attempts",
        ]
        assert outcome.figures["passed_while_open"] == 0
        assert outcome.figures["attempts_a_request"] <= breaker.MAX_ATTEMPTS
        assert 1 < outcome.figures["attempts_a_request_budget_alone"] <= 1.2
        assert outcome.figures["attempts_a_request_control"] == 3
        # A tenth of a second is 5 calls: it takes 20 to open.
        assert outcome.figures["opens_seconds"] >= 0.3
        assert len(told) == 3

    async def test_says_which_target_was_missed(self, monkeypatch):
        for limit in ("MAX_CLOSED_US", "MAX_OPENS_SECONDS", "MAX_HUNG_LIMITS"):
            monkeypatch.setattr(breaker, limit, 0.0)
        monkeypatch.setattr(breaker, "MAX_ATTEMPTS", 0.0)
        outcome = await breaker.measure(Rig(1.0, {}, Cores(), lambda _: None))

        assert len(outcome.faults) == 4
        assert all(fault.endswith(".") for fault in outcome.faults)
