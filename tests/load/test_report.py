"""A benchmark fails when a target is missed or something wrong was sold."""

import json

import pytest

from holdfast.cli.bench.logins import LoginFlood
from holdfast.cli.bench.report import Report
from holdfast.cli.bench.stages import Result
from holdfast.cli.bench.tokens import TokenCost


@pytest.fixture
def result() -> Result:
    return Result(
        name="A",
        title="product detail",
        unit="requests",
        users=32,
        rate=2_500.0,
        p50_ms=3.0,
        p99_ms=9.0,
        cpu_us={"api": 100.0, "postgres": 20.0, "client": 25.0, "worker": 1.0},
        busy={"api": 0.9},
        done=20_000,
        seconds=8.0,
        outcomes={},
        errors={},
        target=2_000,
        pgbench=25_000.0,
    )


def report(result: Result, **more) -> Report:
    known = {"statements": {"BEGIN": 2.0}, "api_memory_mb": [90.0], "workers": 1}
    return Report([result], **{**known, **more}, postgres="18.6", seconds=60.0)


class TestReport:
    def test_is_content_when_everything_is_met(self, result, capsys):
        report(result).show(as_json=False)

        shown = capsys.readouterr().out
        assert "Every target is met." in shown
        assert "2,500" in shown
        assert "0.10" in shown
        assert "SQL statements an order: 2" in shown

    def test_shows_the_same_to_programs(self, result, capsys):
        report(result).show(as_json=True)

        shown = json.loads(capsys.readouterr().out)
        assert shown["passed"]
        assert shown["results"][0]["of_pgbench"] == pytest.approx(0.1)
        assert shown["statements_an_order"] == 2.0

    def test_names_a_target_that_is_missed(self, result):
        result.rate = 1_999.4

        assert report(result).faults == [
            "A: 1,999 requests/s, and 2,000 are wanted.",
        ]

    def test_names_what_went_wrong(self, result):
        result.errors = {"500 b'no'": 3}
        result.checks = ["charges is 501 and not 500."]

        assert report(result).faults == [
            "A: charges is 501 and not 500.",
            "A: 3 x 500 b'no'",
        ]

    def test_names_too_many_statements_and_too_much_memory(self, result):
        assert report(
            result, statements={"BEGIN": 12.5}, api_memory_mb=[149.9, 151.0]
        ).faults == [
            "An order takes 12.5 statements.",
            "A process of the API holds 151.0 MB.",
        ]

    def test_says_what_an_access_token_costs(self, result, capsys):
        cheap = report(result, token=TokenCost(12.0, 15.5, 460.0))
        dear = report(result, token=TokenCost(12.0, 52.5, 460.0))
        cheap.show(as_json=False)

        assert "adds 3.5 us" in capsys.readouterr().out
        assert cheap.faults == []
        assert dear.faults == ["An access token adds 40.5 us."]

    def test_says_what_a_flood_of_sign_ins_does(self, result, capsys):
        def flood(p99_ms):
            times = (1.0, 4.0, 1.5, p99_ms)
            said = ({"201": 60}, {}, 2.0, [151.2])
            ratios = [9.0, p99_ms / 4.0, 1.25]
            return LoginFlood(1_000, 300.0, *times, *said, ratios)

        mild = report(result, flood=flood(6.0))
        mild.show(as_json=False)

        shown = capsys.readouterr().out
        assert "1.5 times (by round: 9, 1.5, 1.25;" in shown
        assert "60 x 201" in shown
        assert mild.faults == []
        assert report(result, flood=flood(9.0)).faults == [
            "Sign-ins slow looks down 2.25 times."
        ]
