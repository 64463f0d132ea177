"""Those who ask the limiter: processes of their own, on the event loop of the shop.

A *crowd* of them asks about the same callers as fast as it can, and keeps the instant
of each decision by the server's clock, which orders them. A *caller* measures what one
decision costs, beside what one ``INCRBY`` costs through the usual client.
"""

import asyncio
import os
import sys
import time
from array import array
from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from typing import TypeAlias

import msgspec
import uvloop
from redis.asyncio import Redis

from holdfast.resilience.rate import LeasingLimiter, MemoryLimiter, Quota
from holdfast.resilience.rate.redis import RedisLimiter

RUN = "from holdfast.cli.bench.limiter_load import main; main()"
AT_ONCE = 32
_ASKERS = 4
_BLOCK = 500
_BLOCK_TOGETHER = 100
# A busy machine is not what is measured: no check fails for being late.
_PATIENCE_SECONDS = 10.0
# So deep that it refuses nobody.
WIDE = Quota("wide", burst=100_000, tokens=1_000_000)

Ask: TypeAlias = Callable[[], Awaitable[object]]


class Point(msgspec.Struct, frozen=True):
    """One quota of the grid."""

    burst: int
    tokens: int
    period_seconds: int

    @property
    def quota(self) -> Quota:
        name = f"q{self.burst}.{self.tokens}.{self.period_seconds}"
        return Quota(name, self.burst, self.tokens, self.period_seconds)


class Task(msgspec.Struct):
    """What a process is to do."""

    url: str
    seconds: float
    turns: list[list[Point]]
    """What a crowd asks about, one turn after the other; none for a caller."""
    core: int | None = None


class Decided(msgspec.Struct):
    """The decisions of one process about one point: two arrays of 64 bits."""

    at_micros: bytes
    allowed: bytes


class Cost(msgspec.Struct):
    """Of one way to decide."""

    p50_us: float = 0.0
    p99_us: float = 0.0
    cpu_us: float = 0.0
    """Of this process for each, with 32 asked at a time."""
    alone_trips: float = 0.0
    together_trips: float = 0.0
    """Round trips for each decision, asked one by one and 32 at a time."""


class Costs(msgspec.Struct):
    """What a caller has measured."""

    script: Cost
    incrby: Cost
    leased: Cost
    local: Cost
    ratio: float
    """Of the script's median to that of the INCRBY beside it, in the median turn."""
    server_us: float
    """CPU of the server for each decision."""


async def crowd(task: Task) -> list[Decided]:
    """Ask about every point, as fast as the machine allows."""
    limiter = RedisLimiter.connect(task.url, seconds=_PATIENCE_SECONDS)
    decided: list[Decided] = []
    try:
        for points in task.turns:
            ends = asyncio.get_running_loop().time() + task.seconds
            async with asyncio.TaskGroup() as group:
                asking = [group.create_task(_hammer(limiter, p, ends)) for p in points]
            decided += [each.result() for each in asking]
    finally:
        await limiter.close()
    return decided


async def _hammer(limiter: RedisLimiter, point: Point, ends: float) -> Decided:
    loop = asyncio.get_running_loop()
    quotas = [point.quota]
    at, allowed = array("q"), array("q")

    async def ask() -> None:
        while loop.time() < ends:
            verdict = await limiter.take("crowd", quotas)
            at.append(verdict.at_micros)
            allowed.append(verdict.allowed)

    async with asyncio.TaskGroup() as group:
        for _ in range(_ASKERS):
            group.create_task(ask())
    return Decided(at.tobytes(), allowed.tobytes())


async def caller(task: Task) -> Costs:
    """Measure each way, turn by turn, so that what disturbs one disturbs all."""
    store = RedisLimiter.connect(task.url, seconds=_PATIENCE_SECONDS)
    leasing = LeasingLimiter(store, processes=lambda: 1)
    memory = MemoryLimiter()
    redis = Redis.from_url(task.url)
    quotas = (WIDE,)
    ways: dict[str, Ask] = {
        "script": lambda: store.take("one", quotas),
        "incrby": lambda: redis.execute_command("INCRBY", "counter", 1),  # type: ignore[no-untyped-call]
        "leased": lambda: leasing.take("hot", quotas),
        "local": lambda: memory.take("one", quotas),
    }
    costs = {name: Cost() for name in ways}
    try:
        await redis.config_resetstat()
        for ask in ways.values():
            await _alone(ask, _BLOCK)
        ratio = await _measure(ways, costs, redis, task.seconds)
        stats = await redis.info("commandstats")
    finally:
        await leasing.close()
        await store.close()
        await redis.aclose()
    return Costs(
        **costs, ratio=ratio, server_us=stats["cmdstat_evalsha"]["usec_per_call"]
    )


async def _measure(
    ways: dict[str, Ask], costs: dict[str, Cost], redis: Redis, seconds: float
) -> float:
    waits: dict[str, list[float]] = {name: [] for name in ways}
    ratios: list[float] = []
    together: dict[str, float] = dict.fromkeys(ways, 0.0)
    trips = {name: [0, 0] for name in ways}
    rounds = 0
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends or not rounds:
        rounds += 1
        medians: dict[str, float] = {}
        for name, ask in ways.items():
            before = await _packets(redis)
            block = await _alone(ask, _BLOCK)
            waits[name] += block
            medians[name] = median(block)
            between = await _packets(redis)
            together[name] += await _together(ask)
            trips[name][0] += between - before - 1
            trips[name][1] += await _packets(redis) - between - 1
        ratios.append(medians["script"] / medians["incrby"])
    for name, cost in costs.items():
        ordered = sorted(waits[name])
        cost.p50_us = ordered[len(ordered) // 2] * 1e6
        cost.p99_us = ordered[len(ordered) * 99 // 100] * 1e6
        cost.cpu_us = together[name] / rounds / (AT_ONCE * _BLOCK_TOGETHER) * 1e6
        cost.alone_trips = trips[name][0] / rounds / _BLOCK
        cost.together_trips = trips[name][1] / rounds / (AT_ONCE * _BLOCK_TOGETHER)
    return median(ratios)


async def _alone(ask: Ask, times: int) -> list[float]:
    waits = []
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        waits.append(time.perf_counter() - began)
    return waits


async def _together(ask: Ask) -> float:
    """CPU seconds of this process."""

    async def again() -> None:
        for _ in range(_BLOCK_TOGETHER):
            await ask()

    began = time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(again())
    return time.process_time() - began


async def _packets(redis: Redis) -> int:
    """How often the server has read from a client: once for a round trip."""
    stats = await redis.info("stats")
    return int(stats["total_reads_processed"])


def main() -> None:
    """Do the task that is the one argument; tell the result on standard output."""
    task = msgspec.json.decode(sys.argv[-1], type=Task)
    if task.core is not None:
        os.sched_setaffinity(0, {task.core})
    result: Sequence[Decided] | Costs = (
        uvloop.run(crowd(task)) if task.turns else uvloop.run(caller(task))
    )
    # Unbuffered (PYTHONUNBUFFERED), standard output may take a part of it only.
    with open(sys.stdout.fileno(), "wb", closefd=False) as told:
        told.write(msgspec.msgpack.encode(result))
