"""Runs the load generator over a plan, and reads the servers' clocks meanwhile."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO

import msgspec

from holdfast.cli.bench.instance import CannotBench
from holdfast.cli.bench.protection.plan import Plan, Report, Seen

_PATIENCE_SECONDS = 30.0
# Not by -m: the module is imported already, for what it is told and tells.
_RUN = "from holdfast.cli.bench.protection.generator import main; main()"

Clocks = Mapping[str, float]
"""Something that grows, such as CPU seconds, by what it belongs to."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What came of a plan."""

    report: Report
    spent: Mapping[str, Clocks]
    """By how much the clocks went on, by the name of each phase."""

    def named(self, name: str) -> tuple[Seen, Clocks]:
        """A phase, and what was spent in it."""
        return self.report.named(name), self.spent[name]

    @property
    def voids(self) -> list[str]:
        """Why nothing follows from some phases, in sentences."""
        return [phase.void for phase in self.report.phases if phase.void is not None]


async def drive(plan: Plan, read: Callable[[], Clocks] = dict) -> Observed:
    """Let a generator do the plan; *read* is called as each phase begins and ends."""
    return await asyncio.to_thread(_drive, plan, read)


def _drive(plan: Plan, read: Callable[[], Clocks]) -> Observed:
    generator = subprocess.Popen(  # noqa: S603 - our own command
        (sys.executable, "-P", "-c", _RUN),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert generator.stdin is not None  # noqa: S101 - asked for above
    assert generator.stdout is not None  # noqa: S101
    seconds = sum(phase.seconds for phase in plan.phases) + plan.limit_seconds
    late = threading.Timer(seconds + _PATIENCE_SECONDS, generator.kill)
    late.start()
    try:
        with generator.stdin as told, generator.stdout as said:
            told.write(msgspec.msgpack.encode(plan))
            told.close()
            spent = {
                phase.name: _spent(number, said, read)
                for number, phase in enumerate(plan.phases)
            }
            _expect(said, "report")
            return Observed(msgspec.msgpack.decode(said.read(), type=Report), spent)
    except (msgspec.DecodeError, BrokenPipeError) as error:
        raise CannotBench(
            f"The load generator did not end its report ({generator.wait()})."
        ) from error
    finally:
        late.cancel()
        generator.kill()
        generator.wait()


def _spent(number: int, said: IO[bytes], read: Callable[[], Clocks]) -> Clocks:
    _expect(said, f"begin {number}")
    before = read()
    _expect(said, f"end {number}")
    return {name: now - before.get(name, 0.0) for name, now in read().items()}


def _expect(said: IO[bytes], expected: str) -> None:
    line = said.readline().decode("utf-8", "replace").rstrip("\n")
    if line != expected:
        raise CannotBench(f"The load generator ended early ({line!r}).")
