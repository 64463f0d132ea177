"""The machine that is measured on: which core serves, which one makes the load.

The server has the first core to itself and the load generator the second, with
everything else that runs: a server that shares its core with its load is relieved of
load whenever it is busy, which hides what is to be measured. Where there is only one
core, or none can be chosen, nothing is pinned and the report says so.
"""

import os
import resource
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.cli.bench.instance import Instance, fresh
from holdfast.cli.bench.protection.plan import CONNECTIONS

_TWO = 2


@dataclass(frozen=True, slots=True)
class Cores:
    """The numbers of two cores; None where nothing can be pinned."""

    server: int | None = None
    load: int | None = None

    @classmethod
    def of_this_machine(cls) -> "Cores":
        """The first two that this process may run on."""
        if not hasattr(os, "sched_getaffinity"):
            return cls()
        allowed = sorted(os.sched_getaffinity(0))
        return cls(*allowed[:_TWO]) if len(allowed) >= _TWO else cls()


def pin(core: int | None, pid: int = 0) -> None:
    """Let a process run on *core* alone: its threads of now, and all to come.

    Without *pid*, the calling thread and what it starts.
    """
    if core is None:
        return
    try:
        tasks = Path(f"/proc/{pid}/task").iterdir() if pid else []
        for thread in [int(task.name) for task in tasks] or [0]:
            os.sched_setaffinity(thread, {core})
    except (ProcessLookupError, FileNotFoundError):
        return  # it has ended meanwhile


def allow_connections(wanted: int = 8_192) -> int:
    """Let this process, and those it starts, have so many open files, if they may.

    Returns how many they may have.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return most
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most


@dataclass(frozen=True, slots=True)
class Rig:
    """What measurements are given."""

    seconds: float
    """Of each point; those that take longer on the day scale with it."""
    environ: Mapping[str, str]
    """That of the command: what a shop is started with."""
    cores: Cores
    tell: Callable[[str], None]
    """Says what is under way, to somebody who watches."""
    poisson: bool = False
    """Whether requests come at random moments, rather than at equal intervals."""
    connections: int = CONNECTIONS
    """Of the load generator."""
    known: dict[str, float] = field(default_factory=dict)
    """What one measurement has found out and another can begin with."""

    @contextmanager
    def shop(self, **settings: str) -> Iterator[Instance]:
        """A fresh shop whose API has the server's core, with *settings* on top.

        It stays as anybody's would be: PostgreSQL syncs every commit, the access log is
        written. Everything but the API shares the core of the load.
        """
        with fresh(self.environ, workers=1, settings=settings) as shop:
            for part, processes in shop.parts().items():
                core = self.cores.server if part == "api" else self.cores.load
                for process in processes:
                    pin(core, process.pid)
            yield shop
