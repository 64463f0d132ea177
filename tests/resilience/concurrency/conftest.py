"""A gate whose callers are played by the test, and a clock that it moves."""

from dataclasses import dataclass, field

import pytest

from holdfast.resilience.concurrency import Collector, Entry, Fixed, Gate, Queue


@dataclass
class HandTimer:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(eq=False)
class Played:
    """A gate, its clock, and what it said."""

    timer: HandTimer
    gate: Gate = field(init=False)
    events: list = field(default_factory=list)
    granted: dict = field(default_factory=dict)
    refused: dict = field(default_factory=dict)

    def wait(self, level=256, **fields):
        entry = Entry(None, level, self.timer.now, **fields)
        self.gate.join(entry)
        return entry

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def timer():
    return HandTimer()


@pytest.fixture
def play(timer):
    """Make a gate with this limit."""

    def make(limit, *, min_samples=1, **changes):
        played = Played(timer)

        class _Gate(Gate):
            def _granted(self, entry, permit):
                played.granted[entry] = permit

            def _refused(self, entry, reason):
                played.refused[entry] = reason

        changes.setdefault("listen", played.events.append)
        changes.setdefault("queue", Queue(chance=lambda: 1.0))
        changes.setdefault(
            "collector", Collector(0.0, min_samples=min_samples, warmup_samples=0)
        )
        limit = Fixed(limit) if isinstance(limit, int) else limit
        played.gate = _Gate("shop", limit, timer=timer, **changes)
        return played

    return make
