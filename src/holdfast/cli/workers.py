"""Several processes that serve one socket, kept running by a parent.

Workers share nothing but the socket and a folder of metrics. One that dies is
replaced at once, or after a second if it had only just started, so that a fault
at the start does not become a storm; workers that cannot start at all end the
parent.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType

from holdfast.kernel.clock import monotonic
from holdfast.platform import telemetry
from holdfast.platform.metrics import SHARED_FOLDER
from holdfast.platform.settings import PROCESSES, Settings

_LOOK_SECONDS = 0.2
_YOUNG_SECONDS = 3.0
_PAUSE_SECONDS = 1.0
_MAX_EARLY_DEATHS = 5
_KILL_AFTER_GRACE_SECONDS = 3.0


class Workers:
    """The parent of *count* workers."""

    def __init__(self, settings: Settings, listener: socket.socket, count: int) -> None:
        self._settings = settings
        self._listener = listener
        self._count = count
        self._stop = threading.Event()
        self._running: dict[subprocess.Popen[bytes], float] = {}
        self._early_deaths = 0
        self._metrics = Path()

    def run(self) -> None:
        """Keep the workers running until told to stop; raises ``SystemExit``."""
        signal.signal(signal.SIGTERM, self._told)
        signal.signal(signal.SIGINT, self._told)
        # Fresh for each run: counters of an earlier one would be added to ours.
        self._metrics = Path(tempfile.mkdtemp(prefix="holdfast-metrics-"))
        try:
            while not self._stop.is_set():
                self._fill()
                self._stop.wait(_LOOK_SECONDS)
                self._look()
        finally:
            self._end()
            shutil.rmtree(self._metrics, ignore_errors=True)
        raise SystemExit(1 if self._early_deaths >= _MAX_EARLY_DEATHS else 0)

    def _told(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _fill(self) -> None:
        while len(self._running) < self._count:
            number = self._listener.fileno()
            adopted = ["--inherited", str(number), "--parent", str(os.getpid())]
            worker = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "holdfast", "serve", *adopted],
                pass_fds=[number],
                env={
                    PROCESSES: str(self._count),
                    **self._settings.raw,
                    SHARED_FOLDER: str(self._metrics),
                },
            )
            self._running[worker] = monotonic()

    def _look(self) -> None:
        for worker, started in list(self._running.items()):
            if worker.poll() is None:
                if monotonic() - started > _YOUNG_SECONDS:
                    self._early_deaths = 0
                continue
            del self._running[worker]
            if self._stop.is_set():
                continue
            telemetry.logger().error(
                "worker_died", process=worker.pid, exit_code=worker.returncode
            )
            if monotonic() - started < _YOUNG_SECONDS:
                self._early_deaths += 1
                if self._early_deaths >= _MAX_EARLY_DEATHS:
                    telemetry.logger().error("workers_cannot_start")
                    self._stop.set()
                self._stop.wait(_PAUSE_SECONDS)

    def _end(self) -> None:
        for worker in self._running:
            worker.terminate()
        grace = self._settings.shutdown_grace_seconds + _KILL_AFTER_GRACE_SECONDS
        due = monotonic() + grace
        for worker in self._running:
            try:
                worker.wait(max(0.1, due - monotonic()))
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
