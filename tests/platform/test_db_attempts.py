"""Work that the server undid for the sake of another is run again, within reason."""

import asyncio

import pytest

from holdfast.kernel.clock import monotonic
from holdfast.platform.db import DatabaseBusy
from holdfast.resilience import NotEnoughTime
from holdfast.resilience.deadline import Budget, begin, finish


@pytest.fixture
async def cups(database):
    async with database.statement() as tx:
        await tx.execute("CREATE TABLE cups (id int)")
    return database


class Undone:
    """Work that the server undoes as often as it is told to."""

    def __init__(self, times, code="40001"):
        self.times = times
        self.code = code
        self.begun = 0

    async def __call__(self, tx):
        self.begun += 1
        await tx.execute("INSERT INTO cups VALUES ($1)", self.begun)
        if self.begun <= self.times:
            await tx.execute(
                f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{self.code}'; END $$"
            )
        return "done"


class TestAttempt:
    @pytest.fixture
    def pauses(self, cups):
        """How long was waited before each further attempt."""
        waited = []

        async def pause(seconds):
            waited.append(seconds)

        cups._sleep, cups._chance = pause, lambda: 0.5
        return waited

    @pytest.mark.parametrize("code", ["40001", "40P01"])
    @pytest.mark.parametrize("times", [0, 1, 2])
    async def test_runs_again_what_was_undone_for_another(
        self, cups, pauses, times, code
    ):
        assert await cups.attempt(Undone(times, code)) == "done"

        rows = await cups.fetch("SELECT id FROM cups")
        assert [row["id"] for row in rows] == [times + 1]
        assert pauses == [pytest.approx(0.0105)] * times

    async def test_gives_up_after_three(self, cups, pauses):
        work = Undone(9)

        with pytest.raises(DatabaseBusy):
            await cups.attempt(work)

        assert work.begun == 3

    @pytest.mark.parametrize("code", ["55P03", "57014"])
    async def test_does_not_run_again_what_has_waited_already(self, cups, pauses, code):
        work = Undone(9, code)

        with pytest.raises(DatabaseBusy):
            await cups.attempt(work)

        assert work.begun == 1

    async def test_a_tenth_of_all_work_is_run_again_and_a_few(self, cups, pauses):
        """When everything is undone, running it again is no help."""
        works = [Undone(99) for _ in range(40)]
        for work in works:
            with pytest.raises(DatabaseBusy):
                await cups.attempt(work)

        assert sum(work.begun for work in works) <= 40 + 4 + 3

    async def test_does_not_run_again_without_time(self, cups, pauses):
        budget = Budget(monotonic() + 10)

        class Late(Undone):
            async def __call__(self, tx):
                budget.due = monotonic() - 1
                return await super().__call__(tx)

        work = Late(9)
        token = begin(budget)
        with pytest.raises((DatabaseBusy, NotEnoughTime)):
            await cups.attempt(work)
        finish(budget, token)

        assert work.begun == 1

    async def test_two_that_wait_for_each_other_both_come_through(self, cups):
        async with cups.transaction() as tx:
            await tx.execute("CREATE TABLE pots AS SELECT 1 AS id UNION SELECT 2")
        meet = asyncio.Barrier(2)

        def cross(first, second):
            begun = []

            async def work(tx):
                await tx.execute("SET LOCAL deadlock_timeout = '50ms'")
                await tx.execute("UPDATE pots SET id = id WHERE id = $1", first)
                if not begun:
                    begun.append(True)
                    await meet.wait()
                await tx.execute("UPDATE pots SET id = id WHERE id = $1", second)
                return "done"

            return cups.attempt(work)

        async with asyncio.TaskGroup() as group:
            both = [group.create_task(cross(1, 2)), group.create_task(cross(2, 1))]

        assert [one.result() for one in both] == ["done", "done"]
