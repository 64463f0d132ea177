"""A circuit whose time and chance are held in the hand."""

from collections.abc import Callable

import pytest

from holdfast.resilience.circuit import Breaker, Outcome, Rules, State
from holdfast.resilience.events import CircuitMoved


class Watch:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Circuit(Breaker):
    """A breaker that is called by hand, and remembers what it told."""

    def __init__(self, watch: Watch, **rules: float) -> None:
        self.watch = watch
        self.heard: list[object] = []
        # A chance of a half is no jitter at all.
        self.luck = 0.5
        super().__init__(
            "carrier",
            Rules(**rules),
            alias="shipping",
            timer=watch,
            chance=lambda: self.luck,
            listen=self.heard.append,
        )

    def call(self, outcome: Outcome = Outcome.SUCCESS, times: int = 1) -> None:
        """Calls that end at once."""
        for _ in range(times):
            self.record(self.admit(1.0), outcome, self.watch())

    def open(self) -> None:
        self.call(Outcome.UNREACHABLE, times=5)
        assert self.state is State.OPEN

    def half_open(self) -> int:
        """Wait until it is half open; returns the ticket of the first probe."""
        self.open()
        self.watch.now += self.standing().open_seconds
        ticket = self.admit(1.0)
        assert self.state is State.HALF_OPEN
        return ticket

    @property
    def moves(self) -> list[tuple[str, str, str]]:
        return [
            (one.before, one.after, one.reason)
            for one in self.heard
            if isinstance(one, CircuitMoved)
        ]


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def circuit(watch) -> Circuit:
    return Circuit(watch)


@pytest.fixture
def circuit_of(watch) -> Callable[..., Circuit]:
    """A circuit with rules of its own."""
    return lambda **rules: Circuit(watch, **rules)
