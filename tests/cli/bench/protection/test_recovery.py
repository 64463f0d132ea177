"""Coming back from a flood, and what others notice of what hangs."""

import pytest

from holdfast.cli.bench.protection.drive import Observed
from holdfast.cli.bench.protection.isolation import Isolation
from holdfast.cli.bench.protection.isolation import faults_of as noticed
from holdfast.cli.bench.protection.layers import Layers
from holdfast.cli.bench.protection.plan import Bin, Count, Report, Seen, Times
from holdfast.cli.bench.protection.recovery import Recovery, faults_of, recovered
from holdfast.cli.bench.stages import Result

GOOD, BAD, NONE = Bin(100, 100), Bin(100, 20), Bin()


class TestRecovered:
    def test_is_when_every_second_that_follows_is_good(self):
        bins = [GOOD] * 4 + [BAD] * 4 + [BAD] * 8 + [GOOD] * 12

        assert recovered(bins, 2.0, 7.0) == 2.0

    def test_is_at_once_where_it_was_never_bad(self):
        assert recovered([GOOD] * 20, 1.0, 5.0) == 0.0

    def test_is_not_before_the_last_bad_second(self):
        bins = [GOOD] * 8 + [BAD] + [GOOD] * 11

        assert recovered(bins, 0.0, 5.0) == 2.25

    def test_never_is_where_it_stays_bad_or_nothing_is_due(self):
        assert recovered([GOOD] * 8 + [BAD] * 12, 2.0, 5.0) is None
        assert recovered([GOOD] * 8 + [NONE] * 12, 2.0, 5.0) is None

    def test_bears_with_one_in_twenty(self):
        assert recovered([Bin(100, 95)] * 20, 0.0, 5.0) == 0.0
        assert recovered([Bin(100, 94)] * 20, 0.0, 5.0) is None


def recovery(*bins: Bin, grown: float = 10.0, in_progress: int = 100) -> Recovery:
    phases = [Seen("before", 1.0, []), Seen("flood", 2.0, []), Seen("after", 10.0, [])]
    spent = {seen.name: {"memory_mb": grown} for seen in phases}
    return Recovery(Observed(Report(phases, list(bins)), spent), in_progress)


class TestRecovery:
    def test_is_content_with_five_seconds_and_fifty_megabytes(self):
        came = recovery(*[BAD] * 32, *[GOOD] * 20, grown=50.0, in_progress=950)

        assert came.seconds == 5.0
        assert faults_of(came) == []
        assert "as before after 5 s" in came.line
        assert came.figures["grown_mb"] == 50.0

    def test_names_what_took_too_long_and_grew_too_much(self):
        came = recovery(*[BAD] * 33, *[GOOD] * 19, grown=50.1, in_progress=951)

        assert faults_of(came) == [
            "It is as before after 5.25 s.",
            "Its memory grows by 50.1 MB.",
            "951 requests were in progress at once.",
        ]

    def test_names_one_that_never_came_back(self):
        assert faults_of(recovery(*[BAD] * 52)) == ["It is as before not at all."]


def looked(p99: float) -> Observed:
    served = Times(10, 1.0, p99, p99)
    kinds = [
        Count("browse", 10, 10, served=served),
        Count("search", 10, 10, served=Times(10, 1.0, 4.0, 4.0)),
        Count("checkout", 10, 2),
    ]
    return Observed(Report([Seen("seen", 1.0, kinds)], []), {})


class TestIsolation:
    def test_bears_with_half_as_long_again(self):
        calm = Isolation([looked(2.0)] * 3, [looked(3.0), looked(2.0), looked(9.0)])

        assert calm.ratio("browse") == 1.5
        assert noticed(calm) == []
        assert "browse 2.0 ms, 3.0 ms while they hang (1.5 times)" in calm.line
        assert "20% could pay meanwhile" in calm.line
        assert calm.figures["search"]["ratio"] == 1.0

    def test_names_who_has_to_wait_for_others(self):
        (fault,) = noticed(Isolation([looked(2.0)], [looked(3.1)]))

        assert fault.startswith("The p99 of browse is 1.55 times as long")


def result(rate: float, **more) -> Result:
    known = {"name": "A", "title": "", "unit": "", "users": 32, "p50_ms": 1.0}
    seen = {"p99_ms": 2.0, "busy": {}, "done": 9, "seconds": 1.0, "outcomes": {}}
    spent = {"cpu_us": {"api": 90.0}, "errors": {}}
    return Result(**{**known, **seen, **spent, **more}, rate=rate)


class TestLayers:
    def test_may_cost_fifteen_in_a_hundred(self):
        control = [result(1_000.0)] * 3
        layers = Layers([result(850.0), result(200.0), result(990.0)], control)

        assert layers.cost == pytest.approx(0.15)
        assert layers.faults == []
        assert "850 a second (200 to 990), 90 us of CPU each, 0 told" in layers.lines[0]

    def test_names_what_they_cost_if_it_is_more(self):
        layers = Layers([result(840.0)], [result(1_000.0)])

        assert layers.faults == [
            "All layers cost 16.0% of the throughput, and 15% are allowed.",
        ]

    def test_names_answers_that_nobody_expected(self):
        failed = [result(990.0, errors={"500": 2}, turned_away=3)] * 2
        layers = Layers(failed, [result(1_000.0)] * 2)

        assert layers.faults == ["4 of the requests with protection were answered 500."]
        assert "6 told to come back" in layers.lines[0]
