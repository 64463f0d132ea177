"""The load generator: a process of its own, told what to do on standard input.

It says ``start`` when the measured time begins and ``stop`` when it is over, so that
whoever watches reads the CPU clocks of the servers at the right moments; then one
line of JSON says what was seen.
"""

import asyncio
import random
import sys
import time

import msgspec
import uvloop

from holdfast.cli.bench.connection import Connection, User
from holdfast.cli.bench.journeys import JOURNEYS, Assignment, Tally, Watch

_PATIENCE_SECONDS = 30.0


async def work(task: Assignment) -> Tally:
    """Let all users do their journey, and say what they have seen."""
    loop = asyncio.get_running_loop()
    watch = Watch(left=task.attempts)
    dice = random.Random(task.seed)  # noqa: S311 - the same load each time
    all_ended = asyncio.Event()
    running = task.users

    def ended() -> None:
        nonlocal running
        running -= 1
        if running == 0:
            all_ended.set()

    users = [
        JOURNEYS[task.journey](watch, task, random.Random(dice.random()), ended)  # noqa: S311
        for _ in range(task.users)
    ]
    dialling: set[asyncio.Task[object]] = set()

    def reconnect(user: User) -> None:
        again = loop.create_connection(lambda: Connection(user), task.host, task.port)
        dialled = loop.create_task(again)
        dialling.add(dialled)
        dialled.add_done_callback(dialling.discard)

    watch.reconnect = reconnect
    begun = _begin(watch) if task.attempts else (0.0, 0.0)
    connections = [
        await loop.create_connection(
            lambda user=user: Connection(user),  # type: ignore[misc]
            task.host,
            task.port,
        )
        for user in users
    ]
    if task.attempts:
        async with asyncio.timeout(task.seconds):
            await all_ended.wait()
    else:
        await asyncio.sleep(task.warm_seconds)
        begun = _begin(watch)
        await asyncio.sleep(task.seconds)
    watch.on = False
    tally = Tally(
        done=watch.done,
        requests=watch.requests,
        seconds=time.perf_counter() - begun[0],
        cpu_seconds=time.process_time() - begun[1],
    )
    _say("stop")
    watch.over = True
    async with asyncio.timeout(_PATIENCE_SECONDS):
        await all_ended.wait()
    for transport, _ in connections:
        transport.abort()
    ordered = sorted(watch.latencies) or [0.0]
    tally.p50_ms = ordered[len(ordered) // 2] * 1000
    tally.p95_ms = ordered[len(ordered) * 95 // 100] * 1000
    tally.p99_ms = ordered[len(ordered) * 99 // 100] * 1000
    tally.turned_away = watch.turned_away
    tally.outcomes = dict(watch.outcomes)
    tally.errors = dict(watch.errors)
    return tally


def _begin(watch: Watch) -> tuple[float, float]:
    watch.on = True
    _say("start")
    return time.perf_counter(), time.process_time()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Do the assignment that standard input holds."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Assignment)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tally = runner.run(work(task))
    _say(msgspec.json.encode(tally).decode())


if __name__ == "__main__":
    main()
