"""A fresh shop in a temporary folder whose every process can be killed.

PostgreSQL with fsync on, Valkey, both simulators, several processes of the API, each on
a port of its own, and a worker; all of them children of this process, which ends them
and deletes the folder whatever happens. The kernel ends them if it is killed itself.
"""

import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.cli.prove.size import Size
from holdfast.cli.webhook_targets import targets
from holdfast.platform import embedded
from holdfast.platform.embedded import (
    CannotStart,
    Command,
    PostgresServer,
    Program,
    Signals,
    ValkeyServer,
    leftovers,
)
from holdfast.platform.embedded.part import bring_up
from holdfast.platform.rates import ROOM
from holdfast.platform.settings import Settings

_TASK_SECONDS = 120.0
_PREFIX = "holdfast-prove-"
_LOCK = "lock"
_QUIET = {
    **ROOM,
    "HOLDFAST_LOG_FORMAT": "json",
    "HOLDFAST_LOG_LEVEL": "warning",
    "PYTHONUNBUFFERED": "1",
}


class CannotProve(Exception):
    """Nothing can be said about the shop; the text says why."""


@dataclass
class Shop:
    """A running shop, and its parts by what may be done to them."""

    home: Path
    signals: Signals
    postgres: PostgresServer
    valkey: ValkeyServer
    simulators: dict[str, Program] = field(default_factory=dict)
    apis: list[Program] = field(default_factory=list)
    worker: list[Program] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def ports(self) -> list[int]:
        return [api.port for api in self.apis]

    @property
    def database_url(self) -> str:
        return self.postgres.url

    def settings(self) -> Settings:
        return Settings.read(self.environ)

    def crash_postgres(self) -> None:
        """End it as ``pg_ctl stop -m immediate`` does, and start it: it recovers."""
        child = self.postgres.child
        if child is None or not child.alive():
            raise CannotProve("PostgreSQL ended by itself.")
        os.kill(child.pid, signal.SIGQUIT)
        self.postgres.start(tick=self.signals.check)

    @contextmanager
    def running(self, size: Size, environ: Mapping[str, str]) -> Iterator[None]:
        """Start all of it; stop all of it, in the end or on the way."""
        try:
            self._start(size, environ)
            yield
        finally:
            for part in (*self.apis, *self.worker, *self.simulators.values()):
                if part.child is not None:
                    part.child.stop(hurry=lambda: True)
            self.valkey.stop()
            self.postgres.stop()

    def _start(self, size: Size, environ: Mapping[str, str]) -> None:
        self.environ = {
            **_without_shop(environ),
            **_QUIET,
            "HOLDFAST_RESERVATION_SECONDS": str(size.hold_seconds),
            "HOLDFAST_PAYMENT_TIMEOUT_SECONDS": str(size.payment_seconds),
            "HOLDFAST_PAYMENT_ACTION_SECONDS": str(size.bank_seconds),
        }
        self.environ |= {"HOLDFAST_HOME": str(self.home)} | leftovers.mark(self.home)
        ports = [embedded.free_port() for _ in range(size.processes)]
        url = f"http://{embedded.LOOPBACK}:{ports[0]}"
        self.environ["HOLDFAST_PUBLIC_URL"] = url
        self._make_simulators(url)
        self.bring_up(self.valkey, self.postgres, *self.simulators.values())
        for what, simulator in self.simulators.items():
            self.environ[f"HOLDFAST_{what.upper()}_URL"] = simulator.url
        self.environ["DATABASE_URL"] = self.postgres.url
        self.environ["REDIS_URL"] = self.valkey.url
        self._migrate()
        self.worker = [self._worker()]
        self.apis = [self._api(number, port) for number, port in enumerate(ports, 1)]
        self.bring_up(*self.worker, *self.apis)

    def bring_up(self, *parts: embedded.Part) -> None:
        """Start them side by side, and return once all of them answer."""
        bring_up(parts, tick=self.signals.check)

    def _make_simulators(self, url: str) -> None:
        told = targets(Settings.read(self.environ), url)
        for what, target in told.items():
            name = f"HOLDFAST_{what.upper()}_WEBHOOK_SECRET"
            self.environ[name] = target.secret
            self.simulators[what] = Program(
                f"{what} simulator",
                *("simulate", what, "--host", embedded.LOOPBACK),
                *("--state", str(self.home / f"{what}.jsonl")),
                *target.arguments,
                log=self.home / f"{what}.log",
                environ={**self.environ, **target.environ},
                port=embedded.free_port(),
            )

    def _migrate(self) -> None:
        done = embedded.run_to_end(
            Command(
                arguments=embedded.holdfast("migrate"),
                environ=self.environ,
                log=self.home / "migrate.log",
            ),
            seconds=_TASK_SECONDS,
            tick=self.signals.check,
        )
        if done.exit_code != 0:
            raise CannotStart("The schema could not be made.", tail=done.tail())

    def _api(self, number: int, port: int) -> Program:
        return Program(
            f"api {number}",
            *("serve", "--host", embedded.LOOPBACK),
            log=self.home / f"api-{number}.log",
            environ=self.environ,
            port=port,
            port_is_fixed=True,
            health="/readyz",
        )

    def _worker(self) -> Program:
        return Program(
            "worker",
            "worker",
            log=self.home / "worker.log",
            environ=self.environ,
            port=embedded.free_port(),
            port_option="--health-port",
        )


@contextmanager
def fresh(environ: Mapping[str, str], signals: Signals, size: Size) -> Iterator[Shop]:
    """A running shop of our own; ``CannotStart`` if it does not come up."""
    _clear_stale()
    with (
        tempfile.TemporaryDirectory(
            prefix=_PREFIX, ignore_cleanup_errors=True
        ) as folder,
        (Path(folder) / _LOCK).open("wb") as lock,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        home = Path(folder)
        marked = leftovers.mark(home)
        shop = Shop(
            home,
            signals,
            PostgresServer(home / "postgres", environ=marked),
            ValkeyServer(home / "valkey", environ=marked),
        )
        with shop.running(size, environ):
            yield shop


def _clear_stale() -> None:
    """Delete what a run that was killed with -9 has left: nobody holds its lock."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_LOCK}"):
        with suppress(OSError), path.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftovers.end(path.parent)
            shutil.rmtree(path.parent, ignore_errors=True)


def _without_shop(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would make another shop of it."""
    others = ("DATABASE_URL", "REDIS_URL", "HOLDFAST_", "PYTHONDONTWRITEBYTECODE")
    return {k: v for k, v in environ.items() if not k.startswith(others)}
