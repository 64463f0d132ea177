"""Events are there if and only if what they tell was committed."""

import asyncio

import pytest

from holdfast.platform import outbox


@pytest.fixture
def take(database, clock):
    async def some(limit=100):
        async with database.transaction() as tx:
            return await outbox.take_waiting(tx, limit, at=clock())

    return some


class TestPublish:
    async def test_an_event_comes_out_as_it_went_in(self, database, clock, take):
        event = outbox.event(
            "ordering.order.confirmed", order_id="1", note={"a": [None]}
        )
        async with database.transaction() as tx:
            await outbox.publish(tx, [event], at=clock())

        assert await take() == [event]

    async def test_what_was_rolled_back_was_never_told(self, database, clock, take):
        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is the point
            async with database.transaction() as tx:
                await outbox.publish(tx, [outbox.event("x")], at=clock())
                raise ZeroDivisionError

        assert await take() == []

    async def test_nothing_to_tell_is_no_fault(self, database, clock, take):
        async with database.transaction() as tx:
            await outbox.publish(tx, [], at=clock())

        assert await take() == []


class TestTakeWaiting:
    async def test_takes_the_oldest_first_and_each_once(self, database, clock, take):
        events = sorted((outbox.event(f"e{n}") for n in range(5)), key=lambda e: e.id)
        async with database.transaction() as tx:
            await outbox.publish(tx, events[::-1], at=clock())

        assert await take(3) == events[:3]
        assert await take(3) == events[3:]
        assert await take(3) == []
        assert await database.fetchval("SELECT count(*) FROM outbox") == 5

    async def test_two_relays_at_once_share_the_events(self, database, clock):
        events = [outbox.event(f"e{n}") for n in range(10)]
        async with database.transaction() as tx:
            await outbox.publish(tx, events, at=clock())
        both = asyncio.Barrier(2)

        async def relay():
            async with database.transaction() as tx:
                taken = await outbox.take_waiting(tx, 5, at=clock())
                await both.wait()
                return taken

        async with asyncio.TaskGroup() as group:
            relays = [group.create_task(relay()) for _ in range(2)]

        taken = [event.id for task in relays for event in task.result()]
        assert sorted(taken) == sorted(event.id for event in events)

    async def test_a_relay_that_dies_leaves_its_events_to_the_next(
        self, database, clock, take
    ):
        event = outbox.event("x")
        async with database.transaction() as tx:
            await outbox.publish(tx, [event], at=clock())

        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is the point
            async with database.transaction() as tx:
                await outbox.take_waiting(tx, 5, at=clock())
                raise ZeroDivisionError

        assert await outbox.is_waiting(database)
        assert await take() == [event]
        assert not await outbox.is_waiting(database)


class TestCountWaiting:
    async def test_counts_those_that_wait(self, database, clock, take):
        async with database.transaction() as tx:
            await outbox.publish(tx, [outbox.event("x")], at=clock())

        waiting, _ = await outbox.count_waiting(database)
        await take()
        later, age = await outbox.count_waiting(database)

        assert (waiting, later, age) == (1, 0, 0.0)
