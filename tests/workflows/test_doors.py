"""Doors open once, let in what can be served, and lose nobody when they are moved."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from holdfast.domain import drops
from holdfast.domain.drops import Drop
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Database
from holdfast.platform.vault import Vault
from holdfast.resilience.waiting_room import commitment, drawn
from holdfast.workflows.doors import Doors, followed
from holdfast.workflows.drops import WaitingRoom


class Cpu:
    """CPU time that a test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def cpu() -> Cpu:
    return Cpu()


@pytest.fixture
async def a_drop(database: Database, vault: Vault, clock):
    """Announce a drop of nothing, a second ahead."""

    async def announce(per_minute: int | None = None) -> UUID:
        drop_id = new_id()
        drop = Drop(
            id=drop_id,
            name="Winter",
            opens_at=clock() + timedelta(seconds=1),
            closes_at=None,
            guests=True,
            most_units=1,
            most_tickets=10_000,
            per_minute=per_minute,
            pass_seconds=600,
            variant_ids=[],
            skus=[],
            commitment=commitment(Doors(database, vault, clock).seed_of(drop_id)),
        )
        async with database.transaction() as tx:
            await drops.add(tx, drop, by="test", at=clock())
        return drop_id

    return announce


async def issue(database: Database, drop_id: UUID, count: int, clock) -> list[UUID]:
    wanted = [(new_id(), b"holder", 10_000) for _ in range(count)]
    async with database.statement() as tx:
        made = await drops.issue(tx, drop_id, wanted, at=clock())
    assert len(made) == count
    return list(made)


class TestDraw:
    async def test_is_as_anybody_can_draw_it_again(
        self, database, vault, clock, a_drop
    ) -> None:
        doors, drop_id = Doors(database, vault, clock), await a_drop()
        ids = await issue(database, drop_id, 50, clock)

        clock.advance(seconds=2)
        await doors.step()

        places = await drops.places(database, ids)
        again = drawn(doors.seed_of(drop_id), ids)
        assert [places[one] for one in again] == list(range(1, 51))

    async def test_is_done_once_by_all_who_try_at_once(
        self, database, vault, clock, a_drop
    ) -> None:
        several = [Doors(database, vault, clock) for _ in range(4)]
        drop_id = await a_drop(per_minute=60)
        ids = await issue(database, drop_id, 30, clock)

        clock.advance(seconds=2)
        async with asyncio.TaskGroup() as group:
            for doors in several:
                group.create_task(doors.step())
            late = group.create_task(issue(database, drop_id, 10, clock))

        places = await drops.places(database, [*ids, *late.result()])
        assert sorted(p for p in places.values() if p) == list(range(1, 41))


class TestPace:
    async def test_is_three_quarters_of_what_all_processes_can_serve(
        self, database, vault, clock, a_drop, cpu
    ) -> None:
        doors = Doors(database, vault, clock, process_time=cpu)
        drop_id = await a_drop()
        await issue(database, drop_id, 5_000, clock)
        async with database.statement() as tx:
            await drops.note_capacity(tx, new_id(), 60.0, at=clock())
        clock.advance(seconds=2)
        await doors.step()

        for _ in range(40):
            clock.advance(seconds=1)
            cpu.seconds += 0.5
            for _ in range(20):
                doors.served()
            async with database.statement() as tx:
                await drops.note_capacity(tx, _OTHER, 60.0, at=clock())
            before = (await drops.find(database, drop_id)).admitted
            await doors.step()
        after = (await drops.find(database, drop_id)).admitted

        # Twenty a second at half of the CPU are forty; the other process has sixty.
        assert after - before == pytest.approx(0.75 * (40 + 60), abs=2)

    async def test_is_cut_under_pressure(
        self, database, vault, clock, a_drop, cpu
    ) -> None:
        pressure = 0.0
        doors = Doors(
            database, vault, clock, pressure=lambda: pressure, process_time=cpu
        )
        drop_id = await a_drop()
        await issue(database, drop_id, 5_000, clock)
        clock.advance(seconds=2)
        await doors.step()
        admitted = []
        for second in range(20):
            pressure = 0.95 if second >= 10 else 0.0
            clock.advance(seconds=1)
            await doors.step()
            admitted.append((await drops.find(database, drop_id)).admitted)

        calm, pressed = admitted[9] - admitted[4], admitted[19] - admitted[14]
        assert calm == pytest.approx(0.75 * 10 * 5, abs=2)
        assert pressed <= calm * 0.2

    async def test_is_kept_by_whoever_is_left(
        self, database, vault, clock, a_drop
    ) -> None:
        drop_id = await a_drop(per_minute=600)
        await issue(database, drop_id, 100, clock)
        clock.advance(seconds=2)
        await Doors(database, vault, clock).step()

        clock.advance(seconds=1)
        other = Doors(database, vault, clock)
        await other.step()

        assert 9 <= (await drops.find(database, drop_id)).admitted <= 10


class TestTickets:
    async def test_of_one_holder_are_counted_over_all_processes(
        self, database, vault, clock, a_drop
    ) -> None:
        drop_id = await a_drop()
        rooms = []
        for _ in range(3):
            doors = Doors(database, vault, clock)
            await doors.reread()
            rooms.append(WaitingRoom(database, vault, doors, clock))
        account_id = new_id()

        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(room.join(drop_id, account_id, "192.0.2.1"))
                for room in rooms * 3
            ]

        assert len({one.result().ticket for one in asked}) == 1

    async def test_of_a_drop_that_ended_long_ago_are_forgotten(
        self, database, clock, a_drop
    ) -> None:
        drop_id = await a_drop()
        ids = await issue(database, drop_id, 5, clock)
        async with database.statement() as tx:
            await drops.end(tx, drop_id, at=clock())

        async def forget(days: float) -> int:
            async with database.transaction() as tx:
                return await drops.forget_tickets(
                    tx, now=clock() + timedelta(days=days), limit=100
                )

        assert await forget(6.9) == 0
        assert await forget(7.1) == 5
        assert await drops.places(database, ids) == {}


class TestFollowed:
    async def test_goes_on_after_the_database_was_away(
        self, database, vault, clock, a_drop, promised
    ) -> None:
        doors = Sulking(database, vault, clock)
        drop_id = await a_drop()
        async with followed(doors):
            clock.advance(seconds=2)

            async def is_open() -> bool:
                door = doors.find(drop_id)
                return door is not None and door.drop.status == "open"

            await promised(is_open)
        assert doors.failed


class Sulking(Doors):
    """Fails the first time."""

    failed = False

    async def step(self) -> None:
        if not self.failed:
            self.failed = True
            raise OSError
        await super().step()


_OTHER = new_id()


@pytest.fixture(autouse=True)
async def nothing_left(database: Database) -> AsyncIterator[None]:
    yield
    assert (
        await database.fetchval("SELECT count(*) FROM drops WHERE admitted > issued")
        == 0
    )
