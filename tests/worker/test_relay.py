"""Relaying: exactly once into the queue, whoever relays."""

import asyncio

import msgspec
import pytest

from holdfast.platform import outbox
from holdfast.platform.jobs import Job
from holdfast.worker.metrics import Metrics
from holdfast.worker.relay import BATCH, IDLE_POLL_SECONDS, POLL_SECONDS, Relay


@pytest.fixture
def relay(database, clock):
    wanted = {"shop.opened": ("sweep", "greet"), "shop.repainted": ()}
    return Relay(database, wanted, clock, Metrics())


@pytest.fixture
def queued(database):
    async def read():
        rows = await database.fetch("SELECT payload FROM pgqueuer ORDER BY id")
        return [msgspec.json.decode(row["payload"], type=Job) for row in rows]

    return read


@pytest.fixture
def publish(database, clock):
    async def put(*events):
        async with database.transaction() as tx:
            await outbox.publish(tx, events, at=clock())

    return put


class TestHandOn:
    async def test_makes_a_job_for_each_task_that_wants_the_event(
        self, relay, publish, queued
    ):
        event = outbox.event("shop.opened", at="eight")

        await publish(event)
        taken = await relay.hand_on()

        assert taken == 1
        assert await queued() == [
            Job("sweep", event.id, "shop.opened", {"at": "eight"}),
            Job("greet", event.id, "shop.opened", {"at": "eight"}),
        ]

    async def test_hands_an_event_on_once(self, relay, publish, queued):
        await publish(outbox.event("shop.opened"))

        await relay.hand_on()
        again = await relay.hand_on()

        assert again == 0
        assert len(await queued()) == 2

    async def test_an_event_nobody_wants_is_done_and_kept(
        self, relay, publish, queued, database
    ):
        await publish(outbox.event("shop.repainted"))

        await relay.hand_on()

        assert await queued() == []
        assert await outbox.count_waiting(database) == (0, 0.0)
        assert await database.fetchval("SELECT count(*) FROM outbox") == 1

    async def test_an_event_of_another_release_waits_and_stops_nobody(
        self, relay, publish, queued, database
    ):
        unknown = [outbox.event("shop.moved") for _ in range(BATCH + 1)]
        event = outbox.event("shop.opened")
        await publish(*unknown, event)

        assert await relay.hand_on() == 1
        assert await relay.hand_on() == 0

        assert {job.event_id for job in await queued()} == {event.id}
        assert (await outbox.count_waiting(database))[0] == BATCH + 1

    async def test_the_release_that_knows_an_event_hands_it_on(
        self, relay, publish, queued, database, clock
    ):
        event = outbox.event("shop.moved")
        await publish(event)
        await relay.hand_on()

        await Relay(database, {"shop.moved": ("pack",)}, clock, Metrics()).hand_on()

        assert await queued() == [Job("pack", event.id, "shop.moved", {})]

    async def test_several_at_once_hand_on_each_event_once(
        self, relay, publish, queued
    ):
        events = [outbox.event("shop.opened") for _ in range(1200)]
        await publish(*events)

        async with asyncio.TaskGroup() as group:
            for _ in range(6):
                group.create_task(relay.hand_on())

        while await relay.hand_on():
            pass
        assert sorted(job.event_id for job in await queued()) == sorted(
            event.id for event in events for _ in range(2)
        )

    async def test_an_event_that_could_not_be_enqueued_still_waits(
        self, relay, publish, queued, database
    ):
        await publish(outbox.event("shop.opened"))
        relay.tasks_by_event = {"shop.opened": (object(),)}

        with pytest.raises(TypeError):
            await relay.hand_on()

        assert await queued() == []
        assert await outbox.is_waiting(database)


class TestStep:
    async def test_looks_less_often_while_nothing_happens(self, relay):
        waits = [await relay.step() for _ in range(30)]

        assert waits == sorted(waits)
        assert waits[0] == pytest.approx(POLL_SECONDS, rel=0.2)
        assert waits[-1] == IDLE_POLL_SECONDS

    async def test_events_of_another_release_keep_it_from_no_rest(self, relay, publish):
        await publish(outbox.event("shop.moved"))

        waits = [await relay.step() for _ in range(30)]

        assert waits[-1] == IDLE_POLL_SECONDS

    async def test_looks_often_again_after_an_event(self, relay, publish):
        for _ in range(30):
            await relay.step()
        await publish(outbox.event("shop.opened"))

        assert await relay.step() == POLL_SECONDS

    async def test_goes_on_at_once_while_batches_are_full(self, relay, publish):
        await publish(*(outbox.event("shop.opened") for _ in range(501)))

        assert await relay.step() == 0
        assert await relay.step() == POLL_SECONDS
