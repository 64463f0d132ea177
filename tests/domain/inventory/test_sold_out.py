"""What was just sold out is refused without a look, for a moment only."""

from uuid import UUID

import pytest

from holdfast.domain.inventory.sold_out import (
    REMEMBERED_SECONDS,
    SoldOut,
    SoldOutMemory,
)

TEA, CUP = UUID(int=1), UUID(int=2)
ADA = UUID("aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa")
BOB = UUID("bbbbbbbb-bbbb-4bbb-bbbb-bbbbbbbbbbbb")


class Stopwatch:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def memory(watch) -> SoldOutMemory:
    memory = SoldOutMemory(timer=watch)
    memory.learn([SoldOut(TEA, 2, ADA.bytes[:8])], read_at=watch.now)
    return memory


class TestShortages:
    def test_who_wants_more_than_was_left_is_told_so(self, memory):
        assert memory.shortages([BOB], [(TEA, 3)]) == {TEA: 2}

    def test_who_wants_no_more_than_was_left_must_ask(self, memory):
        assert memory.shortages([BOB], [(TEA, 2)]) == {}

    def test_what_nobody_looked_at_must_be_asked_for(self, memory):
        assert memory.shortages([BOB], [(CUP, 1)]) == {}

    def test_one_line_that_is_short_is_enough(self, memory):
        assert memory.shortages([BOB], [(CUP, 1), (TEA, 3)]) == {TEA: 2}

    def test_who_holds_some_must_ask_because_they_may_be_renewing(self, memory):
        assert memory.shortages([ADA], [(TEA, 3)]) == {}

    def test_is_forgotten_within_half_a_second(self, memory, watch):
        assert REMEMBERED_SECONDS <= 0.4

        watch.now += REMEMBERED_SECONDS - 0.001
        assert memory.knows(TEA)
        assert memory.shortages([BOB], [(TEA, 3)])
        watch.now += 0.002

        assert not memory.knows(TEA)
        assert memory.shortages([BOB], [(TEA, 3)]) == {}

    def test_asking_does_not_make_it_last(self, memory, watch):
        for _ in range(5):
            watch.now += REMEMBERED_SECONDS / 4
            memory.shortages([BOB], [(TEA, 3)])

        assert not memory.knows(TEA)

    def test_counts_from_before_the_look(self, watch, memory):
        memory.learn([SoldOut(CUP, 0, b"")], read_at=watch.now - REMEMBERED_SECONDS)

        assert not memory.knows(CUP)

    def test_what_is_to_be_forgotten_must_be_asked_for(self, memory):
        memory.forget([TEA, CUP])

        assert memory.shortages([BOB], [(TEA, 3)]) == {}

    def test_is_bounded(self, watch):
        memory = SoldOutMemory(most=3, timer=watch)

        for number in range(10):
            memory.learn([SoldOut(UUID(int=number), 0, b"")], read_at=watch.now)

        assert len(memory) == 3
        assert memory.knows(UUID(int=9))
        assert not memory.knows(UUID(int=0))
