"""One request, one effect, one answer, however often it is sent."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.kernel.clock import monotonic, system_clock
from holdfast.kernel.ids import new_id
from holdfast.platform import idempotency, outbox, sql
from holdfast.platform.db import Database
from holdfast.platform.idempotency import (
    KEPT,
    LEASE,
    Answer,
    Claim,
    IdempotencyKeyInProgress,
    IdempotencyKeyReused,
    Resumed,
)
from holdfast.resilience import deadline

SAID = Answer(201, {"Location": "/x"}, b'{"paid": true}\x00\xff')
WANTED = Claim("guest", "checkout", "key-1", b"body")
OTHER_BODY = Claim("guest", "checkout", "key-1", b"another")


class Watch:
    """Seconds that pass with each look."""

    def __init__(self, *, since=0.0, step=5.0):
        self.seconds, self.step = since, step

    def __call__(self):
        self.seconds += self.step
        return self.seconds


@pytest.fixture
def claim(database, clock):
    async def send(wanted=WANTED, subject=None):
        async with database.transaction() as tx:
            return await idempotency.claim(
                tx, wanted, subject=subject or new_id(), at=clock()
            )

    return send


@pytest.fixture
def answer(database, vault, clock):
    async def send(wanted=WANTED, said=SAID):
        async with database.transaction() as tx:
            await idempotency.answer(tx, vault, wanted, said, at=clock())

    return send


@pytest.fixture
def wait(database, vault, clock):
    async def ask(wanted=WANTED):
        return await idempotency.wait(
            database, vault, wanted, clock=clock, timer=Watch()
        )

    return ask


class TestClaim:
    async def test_is_for_one(self, claim):
        assert await claim()
        assert not await claim()

    async def test_of_many_at_once_is_for_one(self, claim):
        async with asyncio.TaskGroup() as group:
            claims = [group.create_task(claim()) for _ in range(15)]

        assert sorted(task.result() for task in claims) == [False] * 14 + [True]

    @pytest.mark.parametrize(
        "other",
        [
            Claim("other", "checkout", "key-1", b"body"),
            Claim("guest", "refund", "key-1", b"body"),
            Claim("guest", "checkout", "key-2", b"body"),
        ],
    )
    async def test_of_another_caller_route_or_key_is_another(self, claim, other):
        assert await claim()
        assert await claim(other)

    async def test_that_rolls_back_leaves_the_key_free(self, database, claim, clock):
        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is the point
            async with database.transaction() as tx:
                await idempotency.claim(tx, WANTED, subject=new_id(), at=clock())
                raise ZeroDivisionError

        assert await claim()

    async def test_waits_for_one_that_is_not_committed_yet(
        self, database, claim, clock, promised
    ):
        async with database.transaction() as tx:
            await idempotency.claim(tx, WANTED, subject=new_id(), at=clock())
            second = asyncio.create_task(claim())
            await promised(
                lambda: database.fetchval(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = "
                    "'Lock' AND datname = current_database()"
                )
            )
            assert not second.done()

        assert await second is False


class TestAnswer:
    async def test_is_given_again_in_the_same_bytes(
        self, database, vault, claim, answer, wait
    ):
        await claim()
        assert await idempotency.find(database, vault, WANTED) is None

        await answer()

        assert await idempotency.find(database, vault, WANTED) == SAID
        assert await wait() == SAID

    async def test_once_given_stands(self, claim, answer, wait):
        await claim()
        await answer()

        await answer(said=Answer(402, {}, b"other"))

        assert await wait() == SAID

    async def test_is_not_for_another_request(
        self, database, vault, claim, answer, wait
    ):
        await claim()
        with pytest.raises(IdempotencyKeyReused):
            await wait(OTHER_BODY)

        await answer()

        with pytest.raises(IdempotencyKeyReused):
            await wait(OTHER_BODY)
        with pytest.raises(IdempotencyKeyReused):
            await idempotency.find(database, vault, OTHER_BODY)

    async def test_to_a_request_nobody_sent_is_none(self, database, vault):
        assert await idempotency.find(database, vault, WANTED) is None


class TestWait:
    async def test_ends_when_the_answer_comes(
        self, database, vault, claim, answer, clock
    ):
        await claim()
        waiting = asyncio.create_task(
            idempotency.wait(database, vault, WANTED, clock=clock)
        )
        await asyncio.sleep(0)

        await answer()

        async with asyncio.timeout(20):
            assert await waiting == SAID

    async def test_ends_when_the_key_is_given_back(self, database, claim, wait):
        await claim()
        async with database.transaction() as tx:
            await idempotency.release(tx, WANTED)

        assert await wait() is None
        assert await claim()

    async def test_has_an_end(self, claim, wait):
        await claim()

        with pytest.raises(IdempotencyKeyInProgress) as refused:
            await wait()

        assert refused.value.retry_after_seconds == 1

    async def test_ends_before_the_time_of_its_request_does(
        self, claim, database, vault, clock
    ):
        await claim()
        # The database goes by the real time, of which this takes less.
        watch = Watch(since=monotonic(), step=1.0)
        due = watch() + 10
        budget = deadline.Budget(due)
        token = deadline.begin(budget)
        try:
            with pytest.raises(IdempotencyKeyInProgress):
                await idempotency.wait(
                    database, vault, WANTED, clock=clock, timer=watch
                )
        finally:
            deadline.finish(budget, token)

        assert watch.seconds <= due

    async def test_the_work_of_a_dead_holder_goes_to_one_of_many(
        self, claim, wait, clock
    ):
        subject = new_id()
        await claim(subject=subject)
        clock.advance(seconds=LEASE.total_seconds() + 1)

        async def one():
            try:
                return await wait()
            except IdempotencyKeyInProgress:
                return None

        async with asyncio.TaskGroup() as group:
            waits = [group.create_task(one()) for _ in range(8)]

        taken = [task.result() for task in waits if task.result() is not None]
        assert taken == [Resumed(subject)]

    async def test_work_that_takes_longer_has_a_longer_lease(self, claim, wait, clock):
        wanted = replace(WANTED, lease=LEASE * 4)
        await claim(wanted)
        clock.advance(seconds=LEASE.total_seconds() * 3)

        with pytest.raises(IdempotencyKeyInProgress):
            await wait(wanted)

        clock.advance(seconds=LEASE.total_seconds() * 2)
        assert isinstance(await wait(wanted), Resumed)

    async def test_a_lease_that_has_not_run_out_is_respected(self, claim, wait, clock):
        await claim()
        clock.advance(seconds=LEASE.total_seconds())

        with pytest.raises(IdempotencyKeyInProgress):
            await wait()


class TestConclude:
    HAPPENS = "WITH seen AS (SELECT 1 WHERE $1::boolean)\nSELECT 1 FROM seen;"

    @pytest.fixture
    def conclude(self, database, vault, clock):
        async def send(*, happens):
            async with database.statement() as tx:
                return await idempotency.conclude(
                    *(tx, vault, WANTED, SAID),
                    first=sql.Step(self.HAPPENS, (happens,)),
                    events=[outbox.event("tea.poured", cup=1)],
                    at=clock(),
                )

        return send

    @pytest.fixture
    def published(self, database):
        async def read():
            return [
                row["type"] for row in await database.fetch("SELECT type FROM outbox")
            ]

        return read

    async def test_what_happened_is_announced_and_answered(
        self, claim, conclude, wait, published
    ):
        await claim()

        assert await conclude(happens=True)

        assert await wait() == SAID
        assert await published() == ["tea.poured"]

    async def test_what_did_not_happen_is_neither(
        self, database, vault, claim, conclude, published
    ):
        await claim()

        assert not await conclude(happens=False)

        assert await idempotency.find(database, vault, WANTED) is None
        assert await published() == []


class TestRelease:
    async def test_does_not_take_an_answer_back(self, database, claim, answer, wait):
        await claim()
        await answer()

        async with database.transaction() as tx:
            await idempotency.release(tx, WANTED)

        assert await wait() == SAID


class TestForget:
    async def test_drops_keys_past_their_time_and_no_others(
        self, database, claim, clock
    ):
        for number in range(3):
            await claim(Claim("guest", "checkout", f"old-{number}", b""))
        clock.advance(seconds=KEPT.total_seconds() - 1)
        await claim(Claim("guest", "checkout", "young", b""))
        async with database.transaction() as tx:
            assert await idempotency.forget(tx, now=clock()) == 0
        clock.advance(seconds=2)

        async with database.transaction() as tx:
            some = await idempotency.forget(tx, now=clock(), limit=2)
            rest = await idempotency.forget(tx, now=clock(), limit=2)

        assert (some, rest) == (2, 1)
        assert not await claim(Claim("guest", "checkout", "young", b""))


REQUESTS = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from([b"one", b"two"])), max_size=12
)


@pytest.mark.slow
def test_n_sends_are_one_effect_for_each_key_and_the_same_bytes(database_url, vault):
    """Whatever is sent in whatever order: the first body of a key is the one."""

    async def send(db, key, body, effects, told):
        wanted = Claim("guest", run_name, key, body)
        subject = new_id()
        async with db.transaction() as tx:
            mine = await idempotency.claim(
                tx, wanted, subject=subject, at=system_clock()
            )
            if mine:
                effects.append(key)
                said = Answer(201, {}, subject.bytes)
                await idempotency.answer(tx, vault, wanted, said, at=system_clock())
        try:
            heard = await idempotency.wait(db, vault, wanted, clock=system_clock)
        except IdempotencyKeyReused:
            return
        assert isinstance(heard, Answer)
        told.setdefault((key, body), set()).add(heard.body)

    async def run(requests):
        effects, told = [], {}
        async with asyncio.TaskGroup() as group:
            for key, body in requests:
                group.create_task(send(db, key, body, effects, told))
        assert sorted(effects) == sorted({key for key, _ in requests})
        assert len(told) == len(effects)
        assert all(len(answers) == 1 for answers in told.values())

    with asyncio.Runner() as loop:
        db = loop.run(Database.connect(database_url, size=8))
        run_name = ""

        @settings(max_examples=30, deadline=None, suppress_health_check=[*HealthCheck])
        @given(REQUESTS)
        def check(requests):
            nonlocal run_name
            run_name = str(new_id())
            loop.run(run(requests))

        check()
        loop.run(db.close())


class TestRows:
    async def test_are_told_as_the_planner_knows_them(self, database, claim):
        assert await idempotency.rows(database) == 0
        await claim()
        async with database.statement() as tx:
            await tx.execute("ANALYZE idempotency_keys")

        assert await idempotency.rows(database) == 1
