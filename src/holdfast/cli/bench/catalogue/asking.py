"""Puts the same questions to a shop again and again, from a process of its own.

A closed loop: each of so many connections asks its next question when it has the
answer to the last. The client has the second core where there is one, so that what it
takes is missing to PostgreSQL at most, and the API has the first. A client that was
busy all the time has measured itself: that is void, and so is what the shop turned
away.
"""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from holdfast.cli.bench.instance import CannotBench
from holdfast.cli.bench.journeys import Assignment, Look, Tally
from holdfast.cli.bench.protection.rig import pin

MAX_BUSY = 0.97
MAX_TURNED_AWAY = 0.01
_SHOWN = 5
_MAX_WARM_SECONDS = 1.0
_PATIENCE_SECONDS = 60.0
_ANSWERED = "200 "
# Not by -m: the module is imported already, for what it is told and tells.
_RUN = "from holdfast.cli.bench.client import main; main()"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, of which there are many forms."""

    name: str
    """For programs."""
    title: str
    looks: Sequence[Look]
    users: int
    """Connections."""
    extra: str | None = None
    """What a shop that is pressed leaves out of its answers."""


@dataclass(frozen=True, slots=True)
class Answers:
    """How long the answers took."""

    name: str
    title: str
    users: int
    rate: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    done: int
    turned_away: int
    client_busy: float
    """Of its core."""
    errors: dict[str, int]
    left_out: int = 0
    """Answers without the extra: they were cheaper than what was asked for."""

    @property
    def faults(self) -> list[str]:
        """Answers that were not what they had to be."""
        said = [f"{self.title}: {n:,} x {e}" for e, n in self.errors.items()]
        return said[:_SHOWN]

    @property
    def voids(self) -> list[str]:
        """Why nothing follows from the times."""
        found = []
        if not self.done:
            found.append(f"{self.title}: nothing was answered.")
        if self.client_busy > MAX_BUSY:
            found.append(f"{self.title}: the client was busy {self.client_busy:.0%}.")
        if self.turned_away > MAX_TURNED_AWAY * max(self.done, 1):
            found.append(f"{self.title}: {self.turned_away:,} were turned away.")
        if self.left_out > MAX_TURNED_AWAY * max(self.done, 1):
            found.append(f"{self.title}: {self.left_out:,} answers left something out.")
        return found


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks one shop."""

    port: int
    seconds: float
    core: int | None = None

    async def ask(self, question: Question, *, share: float = 1.0) -> Answers:
        """Ask for a share of the usual time; ``CannotBench`` if the client dies."""
        task = Assignment(
            journey="browse",
            host="127.0.0.1",
            port=self.port,
            users=question.users,
            seconds=self.seconds * share,
            warm_seconds=min(self.seconds * share / 2, _MAX_WARM_SECONDS),
            seed=20,
            looks=list(question.looks),
        )
        tally = await asyncio.to_thread(self._drive, task)
        left_out = 0
        if question.extra is not None:
            whole = [e for e in tally.errors if e.startswith(_ANSWERED)]
            left_out = sum(tally.errors.pop(e) for e in whole)
        return Answers(
            name=question.name,
            title=question.title,
            users=question.users,
            rate=tally.done / tally.seconds,
            p50_ms=tally.p50_ms,
            p95_ms=tally.p95_ms,
            p99_ms=tally.p99_ms,
            done=tally.done,
            turned_away=tally.turned_away,
            client_busy=tally.cpu_seconds / tally.seconds,
            errors=tally.errors,
            left_out=left_out,
        )

    def _drive(self, task: Assignment) -> Tally:
        client = subprocess.Popen(  # noqa: S603 - our own command
            (sys.executable, "-P", "-c", _RUN),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        pin(self.core, client.pid)
        try:
            said, _ = client.communicate(
                msgspec.json.encode(task), timeout=task.seconds + _PATIENCE_SECONDS
            )
            return msgspec.json.decode(said.splitlines()[-1], type=Tally)
        except (IndexError, msgspec.DecodeError, subprocess.TimeoutExpired) as error:
            raise CannotBench(f"The client did not end its report: {error}") from error
        finally:
            client.kill()
            client.wait()
