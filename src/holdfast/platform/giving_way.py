"""Long work beside short: it has its share of the cores, and lets go of them soon.

Whoever runs is left alone until the end of its slice, 3 ms by default (see
``spare_time``), which is as long as a read takes in all. What works for minutes, in
this process or for it in PostgreSQL, therefore takes slices of 0.1 ms. Unlike what is
done in spare time it is not nice: it may hold locks that others wait for. Nothing is
asked of what is elsewhere, or not ours.
"""

import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from holdfast.platform.slices import SHORTEST_NS, take_short_slices

_PROCESSES = Path("/proc")


class GivingWay:
    """Threads and backends that let go of their core soon."""

    def __init__(self, processes: Path = _PROCESSES) -> None:
        self._processes = processes
        self._here = threading.local()
        self._told = set[int]()

    def thread(self) -> None:
        """Let the thread that asks do so, until it ends."""
        if not getattr(self._here, "told", False):
            self._here.told = True
            _tell(0)

    def backend(self, connection: Any) -> None:
        """Let the process do so that serves a connection, if it is on this machine."""
        pid: int = connection.get_server_pid()
        if pid not in self._told:
            self._told.add(pid)
            # A number from another machine may be anybody's here.
            if self._title(pid).startswith(b"postgres:"):
                _tell(pid)

    def _title(self, pid: int) -> bytes:
        try:
            return (self._processes / str(pid) / "cmdline").read_bytes()
        except OSError:
            return b""


def _tell(pid: int) -> None:
    # It may have ended meanwhile, or be somebody else's.
    with suppress(OSError):
        take_short_slices(pid, SHORTEST_NS)
