"""What is done to the shop while it sells: what dies, when, and when it is back.

Blows fall when so much of the work is done, not at given seconds: a slower machine is
hit as often, and between the same requests.
"""

import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec
from redis import Redis

from holdfast.cli.prove.clients import END, Task
from holdfast.cli.prove.instance import CannotProve, Shop
from holdfast.kernel.clock import Clock, Monotonic, monotonic, system_clock
from holdfast.platform.embedded import Command, Program
from holdfast.platform.embedded.process import Child, spawn
from holdfast.platform.embedded.program import describe, holdfast

API, WORKER, POSTGRES, VALKEY = "api", "worker", "postgres", "valkey"
_LOOK_SECONDS = 0.05
_DOWN_SECONDS = 0.3
"""How long somebody takes to notice that a process died, and starts another."""
_RUN = "from holdfast.cli.prove.clients import main; main()"


@dataclass(frozen=True, slots=True)
class Blow:
    """One disturbance that is planned."""

    at: float
    """When this share of the attempts is done."""
    what: str


class Struck(msgspec.Struct, frozen=True):
    """One disturbance as it happened; times in seconds since the epoch."""

    what: str
    at: float
    back: float


def plan(count: int, *, dice: random.Random) -> list[Blow]:
    """So many blows over the whole of the work, each kind in turn."""
    kinds = (API, POSTGRES, VALKEY, WORKER, API, API)
    hit = [kinds[n % len(kinds)] for n in range(count)]
    dice.shuffle(hit)
    step = 0.9 / max(count, 1)
    return [
        Blow(0.03 + step * (n + dice.uniform(0.0, 0.8)), what)
        for n, what in enumerate(hit)
    ]


@dataclass
class Ordeal:
    """One run of the clients over a shop that is being hit."""

    shop: Shop
    blows: Sequence[Blow]
    dice: random.Random
    seconds: float
    """How long the clients may take."""
    timer: Monotonic = monotonic
    clock: Clock = system_clock
    meanwhile: Callable[[float], None] | None = None
    """Told the share of the work that is done, again and again."""
    struck: list[Struck] = field(default_factory=list)
    _down: list[tuple[str, Program, float, float]] = field(default_factory=list)
    """What was killed, when, and when it is started again."""

    def run(self, task: Task) -> None:
        """Let the clients play to the end; ``CannotProve`` if they do not."""
        driver = self._start(task)
        give_up, due = self.timer() + self.seconds, list(self.blows)
        try:
            while driver.alive():
                self.shop.signals.check()
                self._bring_back()
                done = _done(driver)
                if self.meanwhile is not None:
                    self.meanwhile(done)
                if due and done >= due[0].at and self._may_strike(due[0].what):
                    self._strike(due.pop(0).what)
                if self.timer() > give_up:
                    raise CannotProve(
                        f"The clients did {done:.0%} of it in {self.seconds:.0f} s."
                    )
                self.shop.signals.wait(_LOOK_SECONDS)
            if driver.exit_code != 0 or END not in driver.tail(lines=1):
                raise CannotProve(
                    f"The clients ended early ({describe(driver.exit_code)}): "
                    f"{driver.tail(lines=3)}"
                )
            while self._down:
                self.shop.signals.check()
                self._bring_back()
        finally:
            driver.kill()

    def _start(self, task: Task) -> Child:
        script = self.shop.home / "clients.json"
        script.write_bytes(msgspec.json.encode(task))
        # Not by -m: the module is imported already, for what it is told.
        python = holdfast()[0]
        return spawn(
            Command(
                arguments=(python, "-P", "-c", _RUN),
                environ=self.shop.environ,
                log=self.shop.home / "clients.log",
                script=script,
            )
        )

    def _may_strike(self, what: str) -> bool:
        """Somebody is left to sell, and the worker is hit when it is up."""
        down = sum(each == what for each, _, _, _ in self._down)
        return down <= (len(self.shop.apis) // 2 - 1 if what == API else 0)

    def _strike(self, what: str) -> None:
        at = self.clock().timestamp()
        match what:
            case "postgres":
                self.shop.crash_postgres()
                self.struck.append(Struck(what, at, self.clock().timestamp()))
            case "valkey":
                with contextlib.closing(Redis.from_url(self.shop.valkey.url)) as redis:
                    redis.flushall()
                self.struck.append(Struck(what, at, self.clock().timestamp()))
            case _:
                programs = self.shop.apis if what == API else self.shop.worker
                down = [program for _, program, _, _ in self._down]
                program = self.dice.choice([n for n in programs if n not in down])
                if program.child is not None:
                    program.child.kill()
                self._down.append((what, program, at, self.timer() + _DOWN_SECONDS))

    def _bring_back(self) -> None:
        for one in list(self._down):
            what, program, at, due = one
            if program.is_ready():
                self.struck.append(Struck(what, at, self.clock().timestamp()))
                self._down.remove(one)
            elif not _runs(program) and self.timer() >= due:
                program.launch(tick=self.shop.signals.check)
        down = [program for _, program, _, _ in self._down]
        for program in (*self.shop.apis, *self.shop.worker):
            if program not in down and not _runs(program):
                code = program.child.exit_code if program.child else None
                raise CannotProve(f"{program.name} ended by itself ({describe(code)}).")


def _runs(program: Program) -> bool:
    return program.child is not None and program.child.alive()


def _done(driver: Child) -> float:
    """The share that the clients say is done."""
    for line in reversed(driver.tail(lines=2).splitlines()):
        with contextlib.suppress(ValueError):
            return float(line)
    return 0.0
