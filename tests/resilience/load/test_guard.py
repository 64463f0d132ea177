import pytest

from holdfast.resilience.events import LevelChanged
from holdfast.resilience.load import (
    Arrivals,
    Guard,
    Last,
    Looking,
    Monitor,
    Rate,
    Scale,
    Served,
    Signal,
    level_of,
)

BROWSE = level_of(2, 64)
EXPORT = level_of(4, 127)


class Process:
    """A process in virtual time, and what watches it."""

    def __init__(self, hand, loop):
        self.hand = hand
        self.loop = loop
        self.used = 0.0
        self.served = Served()
        self.told = []
        lag = Last()
        cpu = Rate(lambda: self.used, timer=hand)
        self.arrivals = Arrivals(cpu=lambda: self.used, timer=hand, cost_seconds=0.005)
        self.guard = Guard(
            monitor=Monitor([Signal("lag", lag, Scale(0.005, 0.05))]),
            arrivals=self.arrivals,
            lag=lag,
            cpu=cpu,
            timer=hand,
            served=lambda: self.served,
            listen=self.told.append,
        )
        Looking(loop, self.guard.look)

    def compute(self, seconds):
        """Use the CPU for so long without a pause."""
        self.loop.block(seconds)
        self.used += seconds

    def flood(self, seconds, each=0.1):
        """Long lines of requests, one after another."""
        end = self.hand() + seconds
        while self.hand() < end:
            entered = [self.arrivals.entered() for _ in range(20)]
            self.compute(each)
            for at in entered:
                self.arrivals.started(at)
            self.loop.run(0)


@pytest.fixture
def process(hand, loop):
    return Process(hand, loop)


class TestLook:
    def test_finds_nothing_in_a_process_at_ease(self, process):
        process.loop.run(5)

        assert process.guard.levels.level == 0
        assert not process.guard.shedder.sheds
        assert process.told == []

    def test_finds_a_flood_within_half_a_second(self, process):
        process.loop.run(1)
        began = process.hand()
        while process.guard.levels.level < 4:
            process.flood(0.1)

        assert process.hand() - began <= 0.5

    def test_tells_of_a_level_that_changed(self, process):
        process.flood(1)
        process.loop.run(4)

        assert process.told == [
            LevelChanged(0, 4, 1.0, is_forced=False),
            LevelChanged(4, 0, 0.0, is_forced=False),
        ]

    def test_tells_of_a_level_that_was_forced(self, process):
        process.guard.levels.force(1, until=process.hand() + 10)
        process.loop.run(1)

        assert process.told == [LevelChanged(0, 1, 0.0, is_forced=True)]

    def test_needs_nobody_to_be_told(self, process, hand):
        guard = Guard(
            monitor=Monitor([]),
            arrivals=process.arrivals,
            lag=Last(),
            cpu=lambda: None,
            timer=hand,
        )
        guard.levels.force(2, until=hand() + 10)
        hand.advance(1)

        assert guard.look(0.0) == 2

    def test_keeps_the_line_short_while_pressed(self, process):
        assert process.arrivals.shortest == 12
        process.flood(1)

        assert process.arrivals.is_pressed
        assert process.arrivals.shortest <= 2

    def test_keeps_it_long_again_when_that_is_over(self, process):
        process.flood(1)
        process.loop.run(5)

        assert process.arrivals.shortest == 12


class TestThreshold:
    def offer(self, process, times=200):
        for _ in range(times):
            process.guard.shedder.admits(BROWSE)
            process.guard.shedder.admits(EXPORT)

    def test_falls_where_requests_wait_for_the_loop(self, process):
        self.offer(process)
        process.flood(3)

        assert process.guard.shedder.threshold <= EXPORT
        assert process.guard.shedder.admits(level_of(0, 127))

    def test_falls_where_the_loop_is_late_and_nobody_is_counted(self, process):
        self.offer(process)
        for _ in range(20):
            process.compute(0.1)
            process.loop.run(0)

        assert process.guard.shedder.threshold <= EXPORT

    def test_falls_where_the_queue_grows(self, process):
        self.offer(process)
        process.served = Served(arrived=1000, served=100, spare=0.0)
        process.loop.run(0.6)

        assert process.guard.shedder.controller.share > 0.8

    def test_counts_what_the_queue_has_done_since_the_last_time(self, process):
        self.offer(process)
        process.served = Served(arrived=1000, served=100, spare=0.0)
        process.loop.run(0.6)
        before = process.guard.shedder.controller.i
        process.loop.run(1)

        assert process.guard.shedder.controller.i <= before

    def test_rises_again_when_there_is_time(self, process):
        self.offer(process)
        process.flood(3)
        process.loop.run(5)

        assert not process.guard.shedder.sheds
