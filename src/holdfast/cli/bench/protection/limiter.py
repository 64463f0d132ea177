"""What a decision about a quota costs, and whether eight processes count as one.

Each way to decide is timed beside the others in the same minute: the script over one
connection, ``INCRBY`` through the usual client (the cheapest thing that one can do with
a server), leased tokens, and buckets in memory. Then eight processes ask about the same
callers at once, over a grid of quotas, and every decision is replayed in the order of
the server's clock through a bucket of fractions: it must decide the same, and no window
may hold more than the burst and the rate.
"""

import asyncio
import subprocess
import sys
import tempfile
from array import array
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import msgspec

from holdfast.cli.bench.instance import CannotBench
from holdfast.cli.bench.limiter_load import (
    RUN,
    Cost,
    Costs,
    Decided,
    Point,
    Task,
)
from holdfast.cli.bench.protection.outcome import Outcome
from holdfast.cli.bench.protection.rig import Rig, pin
from holdfast.platform.embedded import ValkeyServer

PROCESSES = 8
MAX_P50_US = 150.0
MAX_RATIO = 1.35
"""Of the time of a decision to that of an ``INCRBY``, both at the median."""
MAX_CPU_US = 40.0
_PATIENCE_SECONDS = 60.0
_MICROS = 1_000_000
# From one a minute to five thousand a second, from one token to a thousand. The last
# is the one that a key living for whole seconds lets through without limit.
_SLOW = [
    Point(burst, tokens, period)
    for burst in (1, 10, 1_000)
    for tokens, period in ((1, 60), (1, 1), (50, 1))
]
_FAST = [
    Point(burst, tokens, 1) for burst in (1, 10, 1_000) for tokens in (1_000, 5_000)
]
GRID = (_SLOW, *([point] for point in _FAST), [Point(100, 1_000, 1)])
"""What is asked at once: a fast quota needs all askers to be used up."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Exactness:
    """What eight processes were granted of one quota."""

    point: Point
    asked: int
    granted: int
    expected: int
    """What the bucket of fractions grants to the same questions."""
    excess: float
    """Tokens above burst and rate in the worst window; 0 or below."""

    @property
    def fault(self) -> str | None:
        if self.excess > 0:
            return f"{self.excess:.2f} too many in a window of {self.point.quota}"
        if self.granted != self.expected:
            return f"{self.granted} instead of {self.expected} of {self.point.quota}"
        return None


async def measure(rig: Rig) -> Outcome:
    """Measure both on a server of their own."""
    with (
        tempfile.TemporaryDirectory(prefix="holdfast-limiter-") as folder,
        ValkeyServer(Path(folder) / "valkey", durable=False) as server,
    ):
        if server.child is not None:
            pin(rig.cores.load, server.child.pid)
        rig.tell("the cost of a decision")
        task = Task(server.url, rig.seconds, [], rig.cores.server)
        [costs] = await run([task], Costs)
        rig.tell(f"{PROCESSES} processes at once")
        found = await exactness(server.url, rig.seconds / 4)
    return Outcome(
        lines=[*_table(costs), "", *_grid(found)],
        faults=[*_faults(costs), *(f for e in found if (f := e.fault))],
        figures={
            "costs": msgspec.to_builtins(costs),
            "exactness": [msgspec.to_builtins(each) for each in found],
        },
    )


async def exactness(
    url: str, seconds: float, grid: Sequence[list[Point]] = GRID
) -> list[Exactness]:
    """Let eight processes ask about the points of *grid*, for so long in each turn."""
    parts = await run([Task(url, seconds, list(grid))] * PROCESSES, list[Decided])
    points = [point for points in grid for point in points]
    return [
        judge(point, [part[number] for part in parts])
        for number, point in enumerate(points)
    ]


def judge(point: Point, parts: Sequence[Decided]) -> Exactness:
    """Replay all decisions about *point*, in the order they were made."""
    decisions: list[tuple[int, int]] = []
    for part in parts:
        at, allowed = array("q"), array("q")
        at.frombytes(part.at_micros)
        allowed.frombytes(part.allowed)
        decisions += zip(at, allowed, strict=True)
    decisions.sort()
    granted = [at for at, allowed in decisions if allowed]
    return Exactness(
        point,
        asked=len(decisions),
        granted=len(granted),
        expected=_replay(point, [at for at, _ in decisions]),
        excess=_excess(point, granted),
    )


def _replay(point: Point, instants: Sequence[int]) -> int:
    """How many a bucket grants that drips a token each interval, in fractions."""
    interval = point.quota.interval
    tokens, last, granted = Fraction(point.burst), 0, 0
    for at in instants:
        tokens = min(Fraction(point.burst), tokens + Fraction(at - last, interval))
        last = at
        if tokens >= 1:
            tokens -= 1
            granted += 1
    return granted


def _excess(point: Point, granted: Sequence[int]) -> float:
    """The most that any window holds above the burst and the rate, in tokens."""
    # With i granted before the window and j up to its end, it holds j - i; both ends
    # are decisions. So the worst start for each end is the least of i - rate * t.
    rate = Fraction(point.tokens, point.period_seconds * _MICROS)
    least, worst = Fraction(0), Fraction(-point.burst)
    for number, at in enumerate(granted):
        start = number - rate * at
        least = min(least, start) if number else start
        worst = max(worst, number + 1 - rate * at - least - point.burst)
    return float(worst)


async def run(tasks: Sequence[Task], result: type[T]) -> list[T]:
    """Do all *tasks* at once, each in a process; raises ``CannotBench``."""
    loop = asyncio.get_running_loop()
    # Threads of our own: those of the loop may be fewer than the processes.
    with ThreadPoolExecutor(len(tasks)) as threads:
        running = [loop.run_in_executor(threads, _run, task) for task in tasks]
        said = [await each for each in running]
    try:
        return [msgspec.msgpack.decode(each, type=result) for each in said]
    except msgspec.DecodeError as error:
        raise CannotBench("Who asks the limiter did not end its report.") from error


def _run(task: Task) -> bytes:
    try:
        return subprocess.run(  # noqa: S603 - our own command
            (sys.executable, "-P", "-c", RUN, msgspec.json.encode(task).decode()),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=task.seconds * max(1, len(task.turns)) + _PATIENCE_SECONDS,
            check=True,
        ).stdout
    except subprocess.CalledProcessError as error:
        said = error.stderr[-500:].decode()
        raise CannotBench(f"Who asks the limiter failed: {said}") from error
    except subprocess.TimeoutExpired as error:
        raise CannotBench("Who asks the limiter does not end.") from error


def _faults(costs: Costs) -> list[str]:
    script, ratio = costs.script, costs.ratio
    faults = []
    if script.p50_us > MAX_P50_US:
        faults.append(
            f"a decision takes {script.p50_us:.0f} us at the median, "
            f"not {MAX_P50_US:.0f}"
        )
    if ratio > MAX_RATIO:
        faults.append(f"a decision takes {ratio:.2f} INCRBY, not {MAX_RATIO}")
    if script.cpu_us > MAX_CPU_US:
        faults.append(
            f"a decision takes {script.cpu_us:.0f} us of CPU, not {MAX_CPU_US:.0f}"
        )
    if script.alone_trips > 1 or script.together_trips > 1:
        faults.append("a decision takes more than one round trip")
    return faults


def _table(costs: Costs) -> list[str]:
    rows = {
        "script": costs.script,
        "INCRBY": costs.incrby,
        "leased": costs.leased,
        "in memory": costs.local,
    }
    return [
        f"{'':10} {'p50 us':>8} {'p99 us':>8} {'CPU us':>8} {'trips':>7} {'at 32':>7}",
        *(_row(name, cost) for name, cost in rows.items()),
        f"{costs.ratio:.2f} times an INCRBY; {costs.server_us:.1f} us of the server",
    ]


def _row(name: str, cost: Cost) -> str:
    return (
        f"{name:10} {cost.p50_us:8.1f} {cost.p99_us:8.1f} {cost.cpu_us:8.1f} "
        f"{cost.alone_trips:7.2f} {cost.together_trips:7.2f}"
    )


def _grid(found: Sequence[Exactness]) -> list[str]:
    return [
        f"{'burst':>6} {'rate':>12} {'asked':>8} {'granted':>8} {'exact':>8}  over",
        *(_point(each) for each in found),
    ]


def _point(each: Exactness) -> str:
    rate = f"{each.point.tokens} in {each.point.period_seconds} s"
    return (
        f"{each.point.burst:6} {rate:>12} {each.asked:8} {each.granted:8} "
        f"{each.expected:8} {max(0.0, each.excess):5.1f}"
    )
