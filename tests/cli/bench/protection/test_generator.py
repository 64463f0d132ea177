"""The load generator: requests fall due whatever becomes of those before them."""

import asyncio
import time

import pytest
from speaking import BUSY, OK, plan_of, speaking

from holdfast.cli.bench.connection import get
from holdfast.cli.bench.instance import CannotBench
from holdfast.cli.bench.protection.drive import drive
from holdfast.cli.bench.protection.generator import Generator
from holdfast.cli.bench.protection.plan import Kind, Phase, Seen

GONE = b"HTTP/1.1 410 Gone\r\ncontent-length: 4\r\n\r\nbye\n"
CLOSING = BUSY.replace(b"retry-after: 1", b"connection: close")


def at_once(number: int) -> tuple[float, bytes]:
    return 0.0, OK


class TestSchedule:
    def test_sends_as_many_as_are_due_one_after_the_other(self):
        with speaking(at_once) as (port, requests):
            report = Generator(plan_of(port, (0.5, 200.0))).run()

        (phase,) = report.phases
        (looks,) = phase.kinds
        assert looks.due == looks.ok == len(requests)
        assert looks.due == pytest.approx(100, abs=1)
        assert {get("/a"), get("/b")} == set(requests)
        assert abs(requests.count(get("/a")) - requests.count(get("/b"))) <= 1
        assert sum(quarter.due for quarter in report.bins) == looks.due
        assert phase.goodput == pytest.approx(200, rel=0.05)
        # One, or the few that come due while a busy machine does something else: two
        # hundred a second that waited for each other's answers would be a hundred.
        assert phase.in_flight <= 1 + 20

    def test_keeps_phases_apart_and_kinds_in_their_shares(self):
        kinds = [Kind("much", [get("/m")]), Kind("little", [get("/l")])]
        with speaking(at_once) as (port, _):
            plan = plan_of(port, kinds=kinds)
            plan.phases = [
                Phase("calm", 0.2, [0.0, 0.0]),
                Phase("busy", 0.5, [360.0, 40.0]),
            ]
            report = Generator(plan).run()

        assert report.named("calm").due == 0
        busy = report.named("busy")
        assert busy.due == pytest.approx(200, abs=1)
        assert 5 <= busy.kind("little").ok <= 40

    def test_comes_at_random_moments_if_asked(self):
        with speaking(at_once) as (port, _):
            report = Generator(plan_of(port, (0.5, 200.0), poisson=True)).run()

        assert 50 <= report.phases[0].due <= 160

    def test_sends_once_what_may_be_sent_once(self):
        with speaking(at_once) as (port, requests):
            once = Kind("buy", [get(f"/{n}") for n in range(80)], once=True)
            Generator(plan_of(port, (0.2, 100.0), kinds=[once])).run()

            assert len(set(requests)) == len(requests)
            with pytest.raises(ValueError, match=r"buy: 12\d requests are needed"):
                Generator(plan_of(port, (0.8, 100.0), kinds=[once]))


class TestOpenLoop:
    def test_a_server_that_stalls_cannot_hide_it(self):
        first: list[float] = []

        def stalled(number: int) -> tuple[float, bytes]:
            now = time.perf_counter()
            first.append(now)
            return max(0.0, first[0] + 0.6 - now), OK

        with speaking(stalled) as (port, requests):
            plan = plan_of(port, (1.0, 200.0), limit_seconds=0.1, hang_up=0.0)
            report = Generator(plan).run()

        # It answers nothing for 0.6 s. Each request that was due meanwhile was sent
        # when it was due, and those due in all but the last tenth are late.
        (looks,) = report.phases[0].kinds
        assert len(requests) == looks.due == pytest.approx(200, abs=1)
        assert 80 <= looks.late <= 180
        assert looks.ok == looks.due - looks.late
        assert looks.served.p99 > 300
        assert report.bins[0].ok == 0
        assert report.bins[3].ok == report.bins[3].due > 0

    def test_what_waits_for_a_connection_waits(self):
        with speaking(lambda _: None) as (port, requests):
            plan = plan_of(port, (0.6, 100.0), connections=5, limit_seconds=0.1)
            plan.hang_up = 0.0
            (phase,) = Generator(plan).run().phases

        (looks,) = phase.kinds
        assert len(requests) == looks.given_up == 5
        assert looks.unsent == looks.due - 5
        assert phase.ok_share == 0.0


class TestClients:
    def test_hang_up_once_they_have_waited_long_enough(self):
        with speaking(lambda _: None) as (port, requests):
            plan = plan_of(port, (0.3, 100.0), limit_seconds=0.1, hang_up=1.0)
            plan.connections = 3
            report = Generator(plan).run()

        (looks,) = report.phases[0].kinds
        assert looks.given_up == len(requests) > 3
        assert looks.given_up + looks.unsent == looks.due
        assert report.connects > 3
        assert looks.served.p50 == pytest.approx(100)

    def test_tell_refusals_and_failures_from_what_is_late(self):
        answers = [(0.0, OK), (0.0, BUSY), (0.0, GONE), (0.0, CLOSING)]
        with speaking(lambda number: answers[number % 4]) as (port, _):
            (phase,) = Generator(plan_of(port, (0.4, 100.0))).run().phases

        (looks,) = phase.kinds
        assert looks.ok == pytest.approx(10, abs=1)
        assert phase.refused == looks.turned_away.count == pytest.approx(20, abs=2)
        assert list(looks.errors) == ["410 b'bye\\n'"]
        assert looks.failed == looks.errors["410 b'bye\\n'"]
        assert looks.due == looks.ok + looks.refused + looks.failed

    def test_fail_where_nobody_listens(self):
        with speaking(at_once) as (port, _):
            pass
        (phase,) = Generator(plan_of(port, (0.2, 50.0))).run().phases

        (looks,) = phase.kinds
        assert looks.ok == 0
        assert looks.unsent == looks.due

    def test_ask_again_so_often_and_no_more(self):
        with speaking(lambda _: (0.0, BUSY)) as (port, requests):
            plan = plan_of(port, (0.2, 50.0), (2.0, 0.0), retries=3, obedient=0.0)
            report = Generator(plan).run()

        looks = report.phases[0].kinds[0]
        assert looks.refused == looks.due
        assert looks.retries == 3 * looks.due
        assert len(requests) == 4 * looks.due

    def test_come_back_when_they_are_told_to(self):
        with speaking(lambda n: (0.0, BUSY if n < 9 else OK)) as (port, _):
            plan = plan_of(port, (0.2, 50.0), (1.5, 0.0), retries=1, obedient=1.0)
            report = Generator(plan).run()

        looks = report.phases[0].kinds[0]
        assert looks.retried_ok == looks.retries > 0
        first = next(n for n, quarter in enumerate(report.bins) if quarter.retries)
        assert first * 0.25 >= 0.9


class TestVoid:
    def test_is_a_phase_whose_load_came_late(self):
        phase = Seen("at 10 times", 1.0, [], late_p99_ms=12.0)

        assert phase.void == (
            "at 10 times: the load came 12 ms late in the slowest hundredth, and 10 "
            "are allowed."
        )

    def test_is_a_phase_whose_generator_had_no_time_left(self):
        assert "busy 99%" in (Seen("peak", 1.0, [], busy=0.99).void or "")
        assert Seen("peak", 1.0, [], late_p99_ms=9.9, busy=0.9).void is None

    async def test_is_what_a_generator_makes_that_cannot_keep_up(self):
        with speaking(at_once) as (port, _):
            seen = await drive(plan_of(port, (0.3, 200_000.0), connections=1_000))

        (void,) = seen.voids
        assert void.startswith("0: the load")


class TestDrive:
    async def test_reads_the_clocks_as_each_phase_begins_and_ends(self):
        ticks = iter(range(100))
        with speaking(at_once) as (port, _):
            seen = await drive(
                plan_of(port, (0.1, 50.0), (0.2, 100.0)),
                lambda: {"ticks": float(next(ticks))},
            )

        assert seen.spent == {"0": {"ticks": 1.0}, "1": {"ticks": 1.0}}
        phase, spent = seen.named("1")
        assert phase.due == pytest.approx(20, abs=1)
        assert spent["ticks"] == 1.0

    async def test_says_so_when_the_generator_does_not_end_its_report(self):
        plan = plan_of(1, (0.1, 50.0))
        plan.kinds[0].once = True

        with pytest.raises(CannotBench, match="ended early"):
            await asyncio.create_task(drive(plan))
