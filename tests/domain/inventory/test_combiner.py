"""Requests that wait are decided together, and nobody waits for ever."""

import asyncio
import random
from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest

from holdfast.domain.inventory.combiner import Combiner
from holdfast.domain.inventory.combining import Request
from holdfast.domain.inventory.errors import ReservationsBusy
from holdfast.platform.db import (
    ConstraintViolated,
    DatabaseBusy,
    DatabaseUnavailable,
)
from holdfast.resilience.deadline import Deadline
from holdfast.resilience.errors import TimedOut

TEA, CUP, JAR = (UUID(int=n) for n in (1, 2, 3))
HAS_IT = "has it"
LASTS = timedelta(minutes=10)


def wants(number: int, *variants: UUID, customer: object = None) -> Request:
    lines = tuple((variant, 1) for variant in variants or (TEA,))
    return Request(UUID(int=100 + number), customer or number, lines, LASTS)


class Till:
    """Where batches are decided: a gate to hold them at, and a record of them."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.faults: list[Exception] = []
        self.open = asyncio.Event()
        self.open.set()
        self.inside = 0
        self.most_inside = 0
        self._begun = asyncio.Condition()

    def turn(self, *, is_open: bool) -> None:
        (self.open.set if is_open else self.open.clear)()

    async def begun(self, times: int) -> None:
        """Wait until so many batches have begun."""
        async with self._begun:
            await self._begun.wait_for(lambda: len(self.batches) >= times)

    async def run(self, requests):
        async with self._begun:
            self.batches.append([r.holder_id.int - 100 for r in requests])
            self._begun.notify_all()
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            await self.open.wait()
            if self.faults:
                raise self.faults.pop(0)
        finally:
            self.inside -= 1
        return [HAS_IT] * len(requests)


@pytest.fixture
async def till() -> Till:
    return Till()


@pytest.fixture
def combiner(till):
    """Make a combiner over the till."""

    def make(**limits) -> Combiner:
        return Combiner(till.run, **limits)

    return make


class TestBatches:
    async def test_who_asks_in_one_turn_is_decided_at_once(self, till, combiner):
        line = combiner()

        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(line.ask(wants(n))) for n in range(5)]

        assert [task.result() for task in asked] == [HAS_IT] * 5
        assert till.batches == [[0, 1, 2, 3, 4]]

    async def test_gathers_while_a_batch_is_with_the_database(self, till, combiner):
        line = combiner()
        till.open.clear()

        async with asyncio.TaskGroup() as group:
            group.create_task(line.ask(wants(1)))
            await till.begun(1)
            for number in (2, 3, 4):
                group.create_task(line.ask(wants(number)))
            await asyncio.sleep(0)
            till.open.set()

        assert till.batches == [[1], [2, 3, 4]]

    async def test_takes_no_more_than_it_may_and_everybody_in_turn(
        self, till, combiner
    ):
        line = combiner(most=3)

        async with asyncio.TaskGroup() as group:
            for number in range(4):
                group.create_task(line.ask(wants(number, customer="greedy")))
            group.create_task(line.ask(wants(7)))
            group.create_task(line.ask(wants(8)))

        assert till.batches == [[0, 7, 8], [1, 2, 3]]

    async def test_takes_few_of_many_lines(self, till, combiner):
        line = combiner(most_lines=3)

        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(line.ask(wants(number, TEA, CUP)))

        assert till.batches == [[0], [1], [2]]

    async def test_others_need_not_wait_for_a_batch_of_what_they_do_not_want(
        self, till, combiner
    ):
        line = combiner()
        till.open.clear()

        async with asyncio.TaskGroup() as group:
            group.create_task(line.ask(wants(1, TEA)))
            await till.begun(1)
            group.create_task(line.ask(wants(2, TEA, CUP)))
            group.create_task(line.ask(wants(3, CUP)))
            await till.begun(2)
            group.create_task(line.ask(wants(4, JAR)))
            await asyncio.sleep(0)
            assert till.batches == [[1], [3]]
            till.open.set()

        assert sorted(till.batches[2:]) in ([[2], [4]], [[2, 4]])
        assert till.most_inside == 2


class TestBusy:
    async def test_a_full_line_turns_away(self, till, combiner):
        line = combiner(waiting=2)
        till.open.clear()

        async with asyncio.TaskGroup() as group:
            group.create_task(line.ask(wants(1)))
            await till.begun(1)
            for number in (2, 3):
                group.create_task(line.ask(wants(number)))
            await asyncio.sleep(0)
            with pytest.raises(ReservationsBusy) as refused:
                await line.ask(wants(4))
            till.open.set()

        assert refused.value.retry_after_seconds in (1, 2)
        assert till.batches == [[1], [2, 3]]

    async def test_who_has_waited_too_long_is_told_and_gets_nothing(
        self, till, combiner
    ):
        line = combiner(patience_seconds=0.02)
        till.open.clear()

        async with asyncio.TaskGroup() as group:
            first = group.create_task(line.ask(wants(1)))
            await till.begun(1)
            with pytest.raises(ReservationsBusy):
                await line.ask(wants(2))
            till.open.set()

        assert first.result() == HAS_IT
        assert line.waiting == 0
        assert till.batches == [[1]]

    async def test_who_has_less_time_is_told_sooner(self, till, combiner):
        line = combiner(patience_seconds=30)
        till.open.clear()

        async with asyncio.TaskGroup() as group:
            for number in (1, 2):
                group.create_task(line.ask(wants(number)))
                await till.begun(1)
            await asyncio.sleep(0)
            with pytest.raises((ReservationsBusy, TimedOut)):
                await Deadline(0.02)(lambda: line.ask(wants(3)))
            assert line.waiting == 1
            till.open.set()

        assert till.batches == [[1], [2]]

    @pytest.mark.parametrize(
        "fault",
        [DatabaseBusy(), DatabaseUnavailable(), ConstraintViolated("raced")],
        ids=lambda fault: type(fault).__name__,
    )
    async def test_what_passes_is_tried_once_more(self, till, combiner, fault):
        till.faults = [fault]

        assert await combiner().ask(wants(1)) == HAS_IT
        assert till.batches == [[1], [1]]

    async def test_what_does_not_pass_is_busy_and_not_sold_out(self, till, combiner):
        line = combiner()
        till.faults = [DatabaseBusy(), DatabaseBusy()]

        with pytest.raises(ReservationsBusy):
            await line.ask(wants(1))

        assert await line.ask(wants(1)) == HAS_IT

    async def test_a_database_that_is_gone_is_named(self, till, combiner):
        till.faults = [DatabaseBusy(), DatabaseUnavailable()]

        with pytest.raises(DatabaseUnavailable):
            await combiner().ask(wants(1))

    async def test_a_fault_of_ours_is_not_tried_again(self, till, combiner):
        line = combiner()
        till.faults = [ZeroDivisionError("ours")]

        with pytest.raises(ZeroDivisionError):
            await line.ask(wants(1))

        assert await line.ask(wants(2)) == HAS_IT
        assert till.batches == [[1], [2]]


class TestGoingAway:
    async def test_who_goes_before_the_batch_begins_gets_nothing(self, till, combiner):
        line = combiner()
        till.open.clear()

        async with asyncio.TaskGroup() as group:
            group.create_task(line.ask(wants(1)))
            await till.begun(1)
            gone = group.create_task(line.ask(wants(2)))
            group.create_task(line.ask(wants(3)))
            await asyncio.sleep(0)
            gone.cancel()
            await asyncio.sleep(0)
            till.open.set()

        assert gone.cancelled()
        assert till.batches == [[1], [3]]

    async def test_who_goes_later_takes_nothing_from_the_others(self, till, combiner):
        line = combiner()
        till.open.clear()

        async with asyncio.TaskGroup() as group:
            gone = group.create_task(line.ask(wants(1)))
            stays = group.create_task(line.ask(wants(2)))
            await till.begun(1)
            gone.cancel()
            till.open.set()

        assert stays.result() == HAS_IT
        assert till.batches == [[1, 2]]

    async def test_whenever_whoever_goes_nobody_else_is_forgotten(self, till, combiner):
        """Random cancellations and faults: each who stays hears, nothing is left."""
        dice = random.Random(11)  # noqa: S311 - the same each time
        complaints = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: complaints.append(context)
        )
        line, heard, tasks = combiner(most=4, waiting=4), Counter(), set()

        async def ask(number):
            variants = dice.sample([TEA, CUP, JAR], dice.randint(1, 3))
            try:
                heard[
                    await line.ask(wants(number, *variants, customer=number % 7))
                ] += 1
            except (
                ReservationsBusy,
                ZeroDivisionError,
                asyncio.CancelledError,
            ) as said:
                heard[type(said)] += 1

        for number in range(2_000):
            tasks.add(asyncio.create_task(ask(number)))
            if dice.random() < 0.1:
                till.faults = [dice.choice([DatabaseBusy(), ZeroDivisionError()])]
            if dice.random() < 0.2:
                dice.choice(list(tasks)).cancel()
            till.turn(is_open=dice.random() < 0.4)
            for _ in range(dice.randint(0, 4)):
                await asyncio.sleep(0)
            tasks = {task for task in tasks if not task.done()}
        till.turn(is_open=True)
        await asyncio.wait(tasks, timeout=10)

        assert len(heard) == 4
        assert min(heard.values()) > 20
        assert all(task.done() for task in tasks)
        assert (line.waiting, line.running) == (0, 0)
        assert complaints == []


class TestClose:
    async def test_sees_to_its_end_what_has_begun_and_turns_away_the_rest(
        self, till, combiner
    ):
        line = combiner()
        till.open.clear()
        first = asyncio.create_task(line.ask(wants(1)))
        await till.begun(1)
        second = asyncio.create_task(line.ask(wants(2)))
        await asyncio.sleep(0)

        closing = asyncio.create_task(line.close())
        with pytest.raises(ReservationsBusy):
            await second
        assert not closing.done()
        till.open.set()
        await closing

        assert await first == HAS_IT
        with pytest.raises(ReservationsBusy):
            await line.ask(wants(3))
