"""What is left at 2, 5 and 10 times the peak, in virtual time.

The real line, levels and threshold in front of a loop that does nothing but compute: as
the benchmark measures, without the machine's own restlessness.
"""

import random
from collections import Counter
from dataclasses import dataclass, field

import pytest

from holdfast.resilience.load import (
    COHORTS,
    Arrivals,
    Guard,
    Last,
    Monitor,
    Rate,
    Signal,
    level_of,
    signals,
)

BROWSE = 2
# What the benchmark measures for reading a request, and for saying no.
READ_SECONDS, REFUSE_SECONDS = 0.000_020, 0.000_025
IN_TIME_SECONDS = 0.25
LOOK_SECONDS = 0.05


@dataclass
class Flooded:
    """One process whose requests take *work* seconds of CPU each."""

    work: float
    now: float = 100.0
    used: float = 0.0
    ready: list[tuple[float, float]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self):
        lag, cpu = Last(), Rate(lambda: self.used, timer=self.timer)
        self.guard = Guard(
            monitor=Monitor(
                [
                    Signal("lag", lag, signals.LAG),
                    Signal("cpu", cpu, signals.CPU, most=signals.BUSY),
                ]
            ),
            arrivals=Arrivals(cpu=lambda: self.used, timer=self.timer),
            lag=lag,
            cpu=cpu,
            timer=self.timer,
        )
        self.look_at = self.now + LOOK_SECONDS
        self.chance = random.Random(7)  # noqa: S311 - the same flood each time

    def timer(self):
        return self.now

    def spend(self, seconds):
        self.now += seconds
        self.used += seconds

    def serve(self, rate, seconds):
        """Be asked at *rate* for so long; the share that was OK in time."""
        self.waits, self.counts = [], Counter()
        dues = [self.now + n / rate for n in range(int(rate * seconds))]
        total = len(dues)
        dues.reverse()
        while dues or self.ready:
            if not self.ready:
                self.now = max(self.now, min([self.look_at, *dues[-1:]]))
            arrived = []
            while dues and dues[-1] <= self.now:
                arrived.append(dues.pop())
            for due in arrived:
                self.meet(due)
            if self.now >= self.look_at:
                self.guard.look(self.now - self.look_at)
                self.look_at = self.now + LOOK_SECONDS
            self.turn()
        return self.counts["ok"] / total

    def meet(self, due):
        """As the gate in the connection does."""
        self.spend(READ_SECONDS)
        line = self.guard.arrivals
        level = level_of(BROWSE, self.chance.randrange(COHORTS))
        if not self.guard.shedder.admits(level):
            self.counts["threshold"] += 1
        elif not line.has_room(BROWSE):
            self.counts["full"] += 1
        else:
            self.ready.append((line.entered(), due))
            return
        self.spend(REFUSE_SECONDS)
        line.spent(REFUSE_SECONDS)

    def turn(self):
        """One turn of the loop: everybody who is in line."""
        ready, self.ready = self.ready, []
        for entered_at, due in ready:
            self.guard.arrivals.started(entered_at)
            self.spend(self.work)
            self.waits.append(self.now - due)
            self.counts["ok"] += self.now - due <= IN_TIME_SECONDS

    @property
    def p99(self):
        return sorted(self.waits)[len(self.waits) * 99 // 100]


WANTED = {
    (0.020, 2): 0.97,
    (0.020, 5): 0.92,
    (0.020, 10): 0.85,
    (0.005, 2): 0.92,
    (0.005, 5): 0.85,
    (0.005, 10): 0.75,
}


@pytest.fixture(params=[0.020, 0.005], ids=["20ms", "5ms"])
def process(request):
    return Flooded(request.param)


def peak(process):
    return 0.97 / (process.work + READ_SECONDS)


class TestGoodput:
    @pytest.mark.parametrize("times", [2, 5, 10])
    def test_stays_whatever_is_asked(self, process, times):
        process.serve(peak(process) / 2, 4)
        process.serve(times * peak(process), 1)

        share = process.serve(times * peak(process), 8) * times

        assert share >= WANTED[process.work, times]

    def test_is_of_those_who_wait_a_few_turns(self, process):
        process.serve(peak(process) / 2, 4)
        quiet = process.p99
        process.serve(5 * peak(process), 1)
        process.serve(5 * peak(process), 8)

        # Requests of 20 ms go two by two: the next two are 40 ms later.
        assert process.p99 <= quiet + max(0.050, 2.8 * process.work)

    def test_is_everything_below_the_peak(self, process):
        assert process.serve(peak(process) * 0.9, 10) == 1.0
        assert not process.counts["threshold"]

    def test_is_everything_again_two_seconds_after_a_flood(self, process):
        process.serve(10 * peak(process), 10)
        process.serve(peak(process) * 0.7, 2)

        assert process.serve(peak(process) * 0.7, 5) == 1.0


class TestThreshold:
    def test_says_no_to_most_and_leaves_few_to_the_line(self, process):
        process.serve(10 * peak(process), 2)
        process.serve(10 * peak(process), 5)

        assert process.counts["threshold"] > 4 * process.counts["full"]
