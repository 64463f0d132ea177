"""Against three real servers: slots that move, nodes that die."""

import asyncio

import pytest
from redis.crc import key_slot
from redis.exceptions import MovedError

from holdfast.resilience.rate import FallbackLimiter, Quota, StoreUnavailable
from holdfast.resilience.rate.redis_cluster import Cluster, ClusterLimiter

QUOTA = Quota("customer", burst=50, tokens=50, period_seconds=3_600)
DAILY = Quota("daily", burst=100, tokens=100, period_seconds=86_400)
BOTH = (QUOTA, DAILY)
PATIENT = 2.0


@pytest.fixture
async def limiter(three_nodes):
    for node in three_nodes.nodes:
        node.ask("FLUSHALL")
    limiter = await ClusterLimiter.join(three_nodes.nodes[0].url, seconds=PATIENT)
    yield limiter
    await limiter.close()


async def taken(limiter, subject, times):
    return sum([(await limiter.take(subject, BOTH)).allowed for _ in range(times)])


class TestClusterLimiter:
    async def test_keeps_each_subject_on_its_node_with_all_its_quotas(
        self, limiter, three_nodes
    ):
        for number in range(60):
            await limiter.take(f"caller:{number}", BOTH)

        sizes = [node.ask("DBSIZE") for node in three_nodes.nodes]
        assert sum(sizes) == 120
        assert all(size % 2 == 0 and size for size in sizes)

    async def test_knows_where_a_subject_is(self, limiter, three_nodes):
        for number in range(20):
            name = limiter.part_of(f"caller:{number}")
            assert name == three_nodes.node_of(f"caller:{number}").name

    async def test_is_exact(self, limiter):
        assert await taken(limiter, "ada", 60) == 50

    async def test_shares_a_round_trip_to_each_node(self, limiter):
        lanes = limiter._cluster._lanes
        for number in range(60):
            await limiter.take(f"caller:{number}", BOTH)
        before = sum(lane.round_trips for lane in lanes.values())

        async with asyncio.TaskGroup() as group:
            for number in range(60):
                group.create_task(limiter.take(f"caller:{number}", BOTH))

        assert sum(lane.round_trips for lane in lanes.values()) - before <= 6

    async def test_heals_scripts_that_were_flushed(self, limiter, three_nodes):
        await taken(limiter, "ada", 10)
        for node in three_nodes.nodes:
            node.ask("SCRIPT", "FLUSH")

        assert await taken(limiter, "ada", 50) == 40

    async def test_finds_the_cluster_through_any_node(self, three_nodes):
        urls = ["redis://127.0.0.1:1", *(node.url for node in three_nodes.nodes)]
        limiter = await ClusterLimiter.join(*urls, seconds=PATIENT)

        assert (await limiter.take("anybody", [])).allowed
        assert (await limiter.take("anybody", BOTH, 0)).allowed
        await limiter.close()

    async def test_says_so_when_there_is_none(self, valkey):
        with pytest.raises(StoreUnavailable, match="Connect"):
            await ClusterLimiter.join("redis://127.0.0.1:1")
        with pytest.raises(StoreUnavailable, match="no map of slots"):
            await ClusterLimiter.join(valkey.url)


class TestMovingSlots:
    async def test_are_followed_without_a_token_more(self, limiter, three_nodes):
        before = await taken(limiter, "mover", 20)
        with three_nodes.moving("mover"):
            between = await taken(limiter, "mover", 10)
        after = await taken(limiter, "mover", 40)

        assert (before, between, after) == (20, 10, 20)
        assert limiter._cluster.redirects

    async def test_with_no_keys_yet_are_asked_for_at_the_new_node(
        self, limiter, three_nodes
    ):
        with three_nodes.moving("fresh"):
            between = await taken(limiter, "fresh", 20)
        after = await taken(limiter, "fresh", 40)

        assert (between, after) == (20, 30)
        # Learnt: the next is asked for in the right place.
        redirects = limiter._cluster.redirects
        await taken(limiter, "fresh", 3)
        assert limiter._cluster.redirects == redirects

    async def test_of_which_some_keys_have_moved_are_asked_key_by_key(
        self, limiter, three_nodes
    ):
        before = await taken(limiter, "halves", 20)
        with three_nodes.moving("halves") as (source, target):
            source.ask(
                "MIGRATE", "127.0.0.1", target.port, "rl:{halves}:daily", 0, 5_000
            )
            between = await taken(limiter, "halves", 40)
            refused = await limiter.take("halves", BOTH)
        after = await limiter.take("halves", BOTH, 0)

        assert (before, between) == (20, 30)
        # What is refused by one quota has not been taken from the other.
        assert refused.violated == ("customer",)
        assert [s.remaining for s in refused.standings] == [0, 50]
        assert [s.remaining for s in after.standings] == [0, 50]

    async def test_undo_what_the_last_quota_refuses(self, limiter, three_nodes):
        await limiter.take("undone", [DAILY], 99)
        with three_nodes.moving("undone"):
            refused = await limiter.take("undone", BOTH, 2)

        assert refused.violated == ("daily",)
        assert [s.remaining for s in refused.standings] == [50, 1]

    async def test_take_back_what_was_not_used(self, limiter, three_nodes):
        await limiter.take("giver", BOTH, 20)
        with three_nodes.moving("giver"):
            await limiter.give("giver", BOTH, 5)

        look = await limiter.take("giver", BOTH, 0)
        assert [s.remaining for s in look.standings] == [35, 85]


class Elsewhere:
    """A lane to a node that always knows another one."""

    busy = False
    round_trips = 3

    def __init__(self):
        self.asked = 0
        self.closed = False

    async def ask(self, *commands, seconds):
        self.asked += 1
        return MovedError(f"{self.asked} 127.0.0.1:1")

    async def close(self):
        self.closed = True


class TestConfusion:
    async def test_ends(self):
        cluster = Cluster(("redis://127.0.0.1:1",), seconds=PATIENT, connections=1)
        cluster._firsts, cluster._owners = [0], [("127.0.0.1", 1)]
        lane = cluster._lanes["127.0.0.1", 1] = Elsewhere()

        with pytest.raises(StoreUnavailable, match="from node to node"):
            await cluster.ask("ada", ("EVALSHA",))

        assert lane.asked == 6
        await cluster.close()
        assert lane.closed

    async def test_takes_no_longer_than_a_check_may(self):
        cluster = Cluster(("redis://127.0.0.1:1",), seconds=0, connections=1)
        cluster._firsts, cluster._owners = [0], [("127.0.0.1", 1)]
        lane = cluster._lanes["127.0.0.1", 1] = Elsewhere()

        with pytest.raises(StoreUnavailable, match="from node to node"):
            await cluster.ask("ada", ("EVALSHA",))
        async with asyncio.timeout(5):
            await cluster._learning

        assert lane.asked == 1

    async def test_forgets_nodes_without_slots_that_nobody_waits_for(self, limiter):
        cluster = limiter._cluster
        idle, busy = Elsewhere(), Elsewhere()
        busy.busy = True
        cluster._lanes["127.0.0.1", 1] = idle
        cluster._lanes["127.0.0.1", 2] = busy
        before = limiter.round_trips

        await cluster.learn()

        assert (idle.closed, busy.closed) == (True, False)
        assert limiter.round_trips == before

    async def test_of_a_slot_that_nobody_has_is_said(self, limiter, three_nodes):
        owner = three_nodes.node_of("orphan")
        slot = key_slot(b"orphan")
        for node in three_nodes.nodes:
            node.ask("CLUSTER", "DELSLOTS", slot)
        try:
            with pytest.raises(StoreUnavailable, match="ClusterDown"):
                await limiter.take("orphan", BOTH)
        finally:
            owner.ask("CLUSTER", "ADDSLOTS", slot)
            three_nodes.settle()

        assert (await limiter.take("orphan", BOTH)).allowed


class TestDeadNode:
    async def test_fails_its_own_subjects_only(self, limiter, three_nodes):
        safe = FallbackLimiter(limiter, processes=lambda: 1, part_of=limiter.part_of)
        subjects = [f"caller:{number}" for number in range(30)]
        dead = three_nodes.nodes[1]
        lost = {s for s in subjects if three_nodes.node_of(s) is dead}
        assert 0 < len(lost) < len(subjects)
        for subject in subjects:
            await safe.take(subject, BOTH)

        dead.kill()
        try:
            for _ in range(5):
                for subject in subjects:
                    verdict = await safe.take(subject, BOTH)
                    assert verdict.allowed
                    assert verdict.source == ("local" if subject in lost else "store")
            assert safe.state == "degraded"
        finally:
            dead.start()
            three_nodes.settle()

        loop = asyncio.get_running_loop()
        ends = loop.time() + 10
        while safe.state != "up" and loop.time() < ends:
            for subject in lost:
                await safe.take(subject, BOTH)
            await asyncio.sleep(0.05)
        assert safe.state == "up"

    async def test_that_hangs_costs_the_others_nothing(self, limiter, three_nodes):
        await limiter.close()
        limiter = await ClusterLimiter.join(three_nodes.nodes[0].url, seconds=0.2)
        hanging = three_nodes.nodes[2]
        others = [
            subject
            for subject in (f"caller:{number}" for number in range(30))
            if three_nodes.node_of(subject) is not hanging
        ]
        stuck = next(
            subject
            for subject in (f"stuck:{number}" for number in range(99))
            if three_nodes.node_of(subject) is hanging
        )
        await limiter.take(stuck, BOTH)

        with hanging.stopped():
            with pytest.raises(StoreUnavailable):
                await limiter.take(stuck, BOTH)
            async with asyncio.TaskGroup() as group:
                for subject in others:
                    group.create_task(limiter.take(subject, BOTH))

        three_nodes.settle()
        assert (await limiter.take(stuck, BOTH)).allowed
        await limiter.close()
