"""A fresh shop in a temporary folder, run by ``holdfast up`` as anybody's would be.

Nothing is made faster for the measurement: PostgreSQL syncs every commit to disk,
the access log is written, statements are counted. Whatever happens, the shop is
stopped and its folder deleted.
"""

import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from holdfast.cli.running import addresses
from holdfast.kernel.clock import monotonic
from holdfast.platform.embedded import Home, free_port, holdfast
from holdfast.platform.embedded.program import answers
from holdfast.platform.rates import ROOM

_START_SECONDS = 90.0
_STOP_SECONDS = 40.0
_POLL_SECONDS = 0.05
_PARTS = {
    "api": "serve",
    "worker": "worker",
    "simulators": "simulate",
}
_DATABASE = "postgres"


class CannotBench(Exception):
    """The shop to be measured does not come up; the text says why."""


@dataclass(frozen=True)
class Instance:
    """A running shop and its processes."""

    home: Path
    port: int
    addresses: Mapping[str, str]
    process: psutil.Process

    def parts(self) -> dict[str, list[psutil.Process]]:
        """The processes of each part; those of the API are the ones that serve."""
        found: dict[str, list[psutil.Process]] = {}
        for child in self.process.children():
            with suppress(psutil.Error):
                family = [child, *child.children(recursive=True)]
                found.setdefault(_part_of(child), []).extend(family)
        return found

    def cpu_seconds(self) -> dict[str, float]:
        """CPU time of each part so far, its ended children included."""
        used: dict[str, float] = {}
        for part, processes in self.parts().items():
            for process in processes:
                with suppress(psutil.Error):
                    spent = process.cpu_times()
                    used[part] = used.get(part, 0.0) + spent.user + spent.system
        return used

    def api_memory_mb(self) -> list[float]:
        """Resident memory of each process of the API, in MB of 10^6 bytes."""
        serving = self.parts()["api"]
        return [round(process.memory_info().rss / 1e6, 1) for process in serving]

    def worker(self) -> psutil.Process:
        """The process that does the jobs."""
        return self.parts()["worker"][0]


@contextmanager
def fresh(
    environ: Mapping[str, str],
    *,
    workers: int,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Instance]:
    """Start a shop of our own and stop it at the end; ``CannotBench``.

    *settings* are those that it has beside the ones every benchmark has.
    """
    with tempfile.TemporaryDirectory(
        prefix="holdfast-bench-", ignore_cleanup_errors=True
    ) as folder:
        home, port = Path(folder) / "home", free_port()
        said = Path(folder) / "up.log"
        with said.open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - our own command
                holdfast(
                    *("up", "--no-seed", "--port", str(port)),
                    *("--workers", str(workers)),
                ),
                env={**_ours(environ), **(settings or {}), "HOLDFAST_HOME": str(home)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            _wait(process, home, port, said)
            yield Instance(
                home, port, addresses(Home(home)), psutil.Process(process.pid)
            )
        finally:
            _stop(process)


def _ours(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would make another shop of it."""
    shop = ("DATABASE_URL", "REDIS_URL", "HOLDFAST_")
    kept = {k: v for k, v in environ.items() if not k.startswith(shop)}
    return {**kept, **ROOM, "HOLDFAST_LOG_FORMAT": "json"}


def _wait(process: subprocess.Popen[bytes], home: Path, port: int, said: Path) -> None:
    give_up = monotonic() + _START_SECONDS
    key = Home(home).operator_key
    while not (key.exists() and answers(port, "/readyz")):
        if process.poll() is not None or monotonic() > give_up:
            lines = said.read_text("utf-8", "replace").splitlines()
            raise CannotBench(f"holdfast up did not start: {lines[-1:] or 'no word'}")
        time.sleep(_POLL_SECONDS)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # Its children are told by the kernel when it dies.
        process.kill()
        process.wait()


def _part_of(process: psutil.Process) -> str:
    words = process.cmdline()
    for part, word in _PARTS.items():
        if word in words:
            return part
    return _DATABASE if _DATABASE in " ".join(words) else "valkey"
