"""Concurrent loads share statements, and nothing else."""

import asyncio

import pytest

from holdfast.platform.together import Together


class Shelf:
    """Where things are loaded from: a gate to hold loads at, and a record of them."""

    def __init__(self) -> None:
        self.loads: list[list[int]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.broken = False
        self._begun = asyncio.Condition()

    async def asked(self, times: int) -> None:
        """Wait until so many loads have begun."""
        async with self._begun:
            await self._begun.wait_for(lambda: len(self.loads) >= times)

    async def load(self, keys):
        async with self._begun:
            self.loads.append(list(keys))
            self._begun.notify_all()
        await self.open.wait()
        if self.broken:
            raise OSError("the shelf fell over")
        return {key: f"thing {key}" for key in keys if key >= 0}


@pytest.fixture
async def shelf() -> Shelf:
    return Shelf()


class TestGet:
    async def test_loads_what_is_asked_in_one_turn_at_once(self, shelf):
        together = Together(shelf.load)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(together.get(key)) for key in (1, 2, 2, 3)]

        assert [task.result() for task in tasks] == [
            "thing 1",
            "thing 2",
            "thing 2",
            "thing 3",
        ]
        assert shelf.loads == [[1, 2, 3]]

    async def test_says_that_there_is_no_such_thing(self, shelf):
        assert await Together(shelf.load).get(-1) is None

    async def test_gathers_while_loads_are_under_way(self, shelf):
        together = Together(shelf.load, at_once=1)
        shelf.open.clear()

        async with asyncio.TaskGroup() as group:
            group.create_task(together.get(1))
            await shelf.asked(1)
            for key in (2, 3, 4):
                group.create_task(together.get(key))
            await asyncio.sleep(0)
            shelf.open.set()

        assert shelf.loads == [[1], [2, 3, 4]]

    async def test_never_reads_before_it_was_asked(self, shelf):
        together = Together(shelf.load)
        shelf.open.clear()

        async with asyncio.TaskGroup() as group:
            group.create_task(together.get(1))
            await shelf.asked(1)
            group.create_task(together.get(1))
            await shelf.asked(2)
            shelf.open.set()

        assert shelf.loads == [[1], [1]]

    async def test_takes_no_more_than_it_may_at_a_time(self, shelf):
        together = Together(shelf.load, most=2)

        async with asyncio.TaskGroup() as group:
            for key in range(5):
                group.create_task(together.get(key))

        assert sorted(map(len, shelf.loads)) == [1, 2, 2]

    async def test_a_failure_is_heard_by_those_who_waited_and_then_forgotten(
        self, shelf
    ):
        together = Together(shelf.load)
        shelf.broken = True

        for _ in range(2):
            with pytest.raises(OSError, match="fell over"):
                await together.get(1)
        shelf.broken = False

        assert await together.get(1) == "thing 1"

    async def test_who_goes_away_takes_nothing_from_the_others(self, shelf):
        together = Together(shelf.load)
        shelf.open.clear()
        gone = asyncio.create_task(together.get(1))
        stays = asyncio.create_task(together.get(1))
        await shelf.asked(1)

        gone.cancel()
        shelf.open.set()

        assert await stays == "thing 1"
        assert gone.cancelled()

    async def test_goes_on_when_everybody_went_away(self, shelf):
        together = Together(shelf.load, at_once=1)
        shelf.broken = True
        shelf.open.clear()
        gone = asyncio.create_task(together.get(1))
        await shelf.asked(1)
        gone.cancel()
        shelf.open.set()
        await asyncio.sleep(0)
        shelf.broken = False

        assert await together.get(2) == "thing 2"
