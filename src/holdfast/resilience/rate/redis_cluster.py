"""Buckets in a Redis or Valkey cluster: each subject on the node that has its slot.

The connections are the client library's, the way through the cluster is ours,
because of what redis-py 8.1 does that a limiter cannot bear: it sends ``ASKING`` on
another pooled connection than the question it is for, its pipelines do not heal
``NOSCRIPT``, it learns the cluster at the first of many calls at once, and after
``CLUSTERDOWN`` it sleeps ten times as long as a check may take. Here each node has a
lane, so what is asked in one turn of the loop shares a round trip to each node.

While a slot is on its way, its nodes refuse (``TRYAGAIN``) whatever needs several
keys of which not all have come, which is every new subject with two quotas. Such a
check is made quota by quota, and undone if the last one refuses: all or nothing
then holds in its outcome, no token is granted too many, and for a moment one may
seem to be missing.

A node that is gone fails the checks of its own subjects only: give ``part_of`` to
the ``FallbackLimiter``, and the others stay exact. A check that is sent on to
another node may take twice its time, and no longer.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from typing import Self, TypeAlias

from redis.asyncio.connection import ConnectionPool
from redis.crc import key_slot
from redis.exceptions import AskError, ClusterDownError, MovedError, TryAgainError

from holdfast.resilience.rate.lane import Lane
from holdfast.resilience.rate.quota import (
    Quota,
    Standing,
    StoreUnavailable,
    Verdict,
)
from holdfast.resilience.rate.redis import (
    CHECK_SECONDS,
    CONNECTING,
    CONNECTING_CHECKS,
    RedisLimiter,
    RedisWire,
)
from holdfast.resilience.rate.script import Command, tag_of

__all__ = ["ClusterLimiter"]

Address: TypeAlias = tuple[str, int]

# A slot that moves while its map is learnt takes two; more is a cluster at odds.
_HOPS = 6


class ClusterLimiter(RedisLimiter):
    """A limiter over a cluster; made with ``join``."""

    def __init__(self, cluster: "Cluster") -> None:
        super().__init__(cluster)
        self._cluster = cluster

    @classmethod
    async def join(
        cls, *urls: str, seconds: float = CHECK_SECONDS, connections: int = 2
    ) -> Self:
        """A limiter over the cluster of which *urls* are some of the nodes.

        What the first says about names, passwords and TLS holds for every node.
        Raises ``StoreUnavailable`` if none answers.
        """
        cluster = Cluster(urls, seconds=seconds, connections=connections)
        await cluster.learn()
        return cls(cluster)

    async def take(
        self,
        subject: str,
        quotas: Sequence[Quota],
        cost: int = 1,
        *,
        most: int | None = None,
    ) -> Verdict:
        """Take *cost* tokens from every quota, or from none; or up to *most*."""
        try:
            return await super().take(subject, quotas, cost, most=most)
        except StoreUnavailable as error:
            if len(quotas) < 2 or not isinstance(error.__cause__, TryAgainError):  # noqa: PLR2004 - what is one cannot be parted
                raise
        return await self._take_apart(subject, quotas, cost)

    async def give(self, subject: str, quotas: Sequence[Quota], tokens: int) -> None:
        """Give back tokens that were taken and not used, bucket by bucket."""
        for quota in quotas:
            await super().give(subject, [quota], tokens)

    async def _take_apart(
        self, subject: str, quotas: Sequence[Quota], cost: int
    ) -> Verdict:
        standings: list[Standing] = []
        refused = False
        for index, quota in enumerate(quotas):
            verdict = await super().take(subject, [quota], 0 if refused else cost)
            standings += verdict.standings
            if not verdict.allowed:
                refused = True
                for before, other in enumerate(quotas[:index]):
                    await super().give(subject, [other], cost)
                    undone = await super().take(subject, [other], 0)
                    standings[before : before + 1] = undone.standings
        return Verdict(
            allowed=not refused,
            standings=tuple(standings),
            source="store",
            granted=0 if refused else cost,
        )

    def part_of(self, subject: str) -> str:
        """The node that has the buckets of *subject*, as far as is known."""
        host, port = self._cluster.node_of(tag_of(subject))
        return f"{host}:{port}"


class Cluster:
    """Which node has which slot, and a lane to each."""

    def __init__(
        self, urls: tuple[str, ...], *, seconds: float, connections: int
    ) -> None:
        pools = [ConnectionPool.from_url(url, **CONNECTING) for url in urls]
        self._pool = pools[0]
        self._seeds: list[Address] = [
            (pool.connection_kwargs["host"], pool.connection_kwargs.get("port", 6379))
            for pool in pools
        ]
        self._seconds = seconds
        self._connections = connections
        self._lanes: dict[Address, Lane] = {}
        # The first slot of each range, in order, and who has it.
        self._firsts: list[int] = []
        self._owners: list[Address] = []
        self._moved: dict[int, Address] = {}
        self._learning: asyncio.Task[None] | None = None
        self._left_trips = 0
        self.redirects = 0
        """Answers that sent a check elsewhere."""

    @property
    def round_trips(self) -> int:
        """Batches sent so far, to nodes that have left too."""
        return self._left_trips + sum(x.round_trips for x in self._lanes.values())

    def node_of(self, tag: str) -> Address:
        return self._owner(key_slot(tag.encode()))

    async def ask(self, tag: str, command: Command) -> object:
        """Ask the node of *tag*, and whoever it points to."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self._seconds
        node = self.node_of(tag)
        commands: tuple[Command, ...] = (command,)
        for _ in range(_HOPS):
            try:
                answer = await self._lane_to(node).ask(*commands, seconds=self._seconds)
            except StoreUnavailable:
                self._learn_soon()
                raise
            if isinstance(answer, MovedError):
                node = self._moved[answer.slot_id] = self._address(answer, node)
                commands = (command,)
                self._learn_soon()
            elif isinstance(answer, AskError):
                # The slot is on its way: this question only, and in this order.
                node = self._address(answer, node)
                commands = (("ASKING",), command)
            else:
                if isinstance(answer, ClusterDownError):
                    self._learn_soon()
                return answer
            self.redirects += 1
            if loop.time() > due:
                break
        raise StoreUnavailable("the cluster sent the check from node to node")

    async def learn(self) -> None:
        """Ask the nodes, one after another, for the map; raises if none tells."""
        why = "there is no node"
        for node in dict.fromkeys([*self._lanes, *self._seeds]):
            wire = self._wire_to(node)
            try:
                async with asyncio.timeout(CONNECTING_CHECKS * self._seconds):
                    await wire.connect()
                    [answer] = await wire.ask([("CLUSTER", "SLOTS")])
                self._read(answer, node)
            except (OSError, ValueError) as error:
                why = repr(error)
            else:
                break
            finally:
                await wire.drop()
        else:
            raise StoreUnavailable(why)
        for address in set(self._lanes) - set(self._owners):
            # One without slots may be about to get its first.
            if not self._lanes[address].busy:
                lane = self._lanes.pop(address)
                self._left_trips += lane.round_trips
                await lane.close()

    async def close(self) -> None:
        if self._learning is not None:
            self._learning.cancel()
            await asyncio.wait([self._learning])
        for lane in self._lanes.values():
            await lane.close()

    def _read(self, answer: object, asked: Address) -> None:
        if not isinstance(answer, list) or not answer:
            raise ValueError(f"no map of slots but {answer!r}")
        ranges: list[tuple[int, Address]] = []
        for first, _last, primary, *_replicas in answer:
            host = primary[0].decode() if primary[0] else ""
            # A node that does not know its own name is where we reached it.
            ranges.append(
                (first, (host if host not in _NOWHERE else asked[0], primary[1]))
            )
        ranges.sort()
        self._firsts = [first for first, _ in ranges]
        self._owners = [owner for _, owner in ranges]
        self._moved.clear()

    def _owner(self, slot: int) -> Address:
        moved = self._moved.get(slot)
        if moved is not None:
            return moved
        # A slot that nobody has is asked for before it; the answer says so.
        return self._owners[max(0, bisect_right(self._firsts, slot) - 1)]

    def _address(self, answer: AskError, asked: Address) -> Address:
        return (answer.host or asked[0], answer.port)

    def _lane_to(self, node: Address) -> Lane:
        lane = self._lanes.get(node)
        if lane is None:
            lane = Lane(
                lambda: self._wire_to(node),
                connections=self._connections,
                connect_seconds=CONNECTING_CHECKS * self._seconds,
            )
            self._lanes[node] = lane
        return lane

    def _wire_to(self, node: Address) -> RedisWire:
        host, port = node
        arguments = self._pool.connection_kwargs | {"host": host, "port": port}
        return RedisWire(self._pool.connection_class(**arguments))

    def _learn_soon(self) -> None:
        if self._learning is None or self._learning.done():
            self._learning = asyncio.create_task(self._relearn())

    async def _relearn(self) -> None:
        try:
            await self.learn()
        except StoreUnavailable:
            # As it was; whoever fails next asks again.
            return


_NOWHERE = ("", "?")
