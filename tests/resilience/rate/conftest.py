"""A clock for buckets: whole microseconds that move when told to."""

import pytest


class HandTimer:
    """Monotonic seconds, kept as whole microseconds."""

    def __init__(self) -> None:
        self.micros = 50_000_000_000

    def __call__(self) -> float:
        return self.micros / 1_000_000

    def advance(self, micros: int) -> None:
        self.micros += micros


@pytest.fixture
def timer() -> HandTimer:
    return HandTimer()
