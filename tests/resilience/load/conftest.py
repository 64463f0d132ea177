"""Time that moves when it is told to, and an event loop that has nothing else."""

import heapq
import itertools
from collections.abc import Callable
from typing import Any

import pytest


class Hand:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Timer:
    """A call that was asked for."""

    def __init__(self, callback: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.callback = callback
        self.args = args
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class Loop:
    """An event loop in virtual time: runs what is due, however late."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        self._order = itertools.count()
        self._due: list[tuple[float, int, Timer]] = []

    def time(self) -> float:
        return self._hand.now

    def call_at(
        self, when: float, callback: Callable[..., Any], /, *args: Any
    ) -> Timer:
        timer = Timer(callback, args)
        heapq.heappush(self._due, (when, next(self._order), timer))
        return timer

    def block(self, seconds: float) -> None:
        """Something computes so long; nothing else runs."""
        self._hand.advance(seconds)

    def run(self, seconds: float) -> None:
        """Let so much time pass, with what is due in it."""
        end = self._hand.now + seconds
        while self._due and self._due[0][0] <= end:
            when, _, timer = heapq.heappop(self._due)
            self._hand.now = max(self._hand.now, when)
            if not timer.is_cancelled:
                timer.callback(*timer.args)
        self._hand.now = max(self._hand.now, end)


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def loop(hand: Hand) -> Loop:
    return Loop(hand)
