"""The folder that holds a shop: its data, its logs, its operator key.

One ``holdfast up`` at a time works in it. The lock is the kernel's (``flock``), so
it ends with the process that holds it and can never be stale. Only what we made is
ever deleted, and only in a folder that looks like ours.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from holdfast.platform.embedded.process import CannotStart, explain

_MARKER = "holdfast-home"
_LOCK = "lock"
# Everything we keep in a home; --fresh deletes these and nothing else.
_OURS = (
    "env",
    "images",
    "logs",
    "mail",
    "metrics",
    "operator-key",
    "operator-password",
    "postgres",
    "simulators",
    "valkey",
)
_NEEDED_MEGABYTES = 200  # an empty PostgreSQL and two files of its log
_NEEDED_LATER_MEGABYTES = 20


@dataclass(frozen=True, slots=True)
class Home:
    """A folder opened for one shop; nothing in it was made yet."""

    path: Path

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def operator_key(self) -> Path:
        return self.path / "operator-key"

    @property
    def operator_password(self) -> Path:
        return self.path / "operator-password"

    @property
    def env(self) -> Path:
        """The addresses of the running shop, as ``NAME=value`` lines."""
        return self.path / "env"

    @property
    def holds_data(self) -> bool:
        return (self.path / "postgres" / "data").exists()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Create it if need be and keep everybody else out meanwhile."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._recognise()
            # Not truncated: until we hold it, the number inside is another's.
            lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise explain("Holdfast cannot start", error, self.path) from error
        try:
            self._take(lock)
            yield
        finally:
            os.close(lock)

    def prepare(self, *, fresh: bool) -> None:
        """Make room and the folders everything else expects."""
        try:
            if fresh:
                self._wipe()
            self._demand_room()
            for name in ("logs", "simulators"):
                (self.path / name).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise explain("Holdfast cannot start", error, self.path) from error

    def _recognise(self) -> None:
        """Refuse a folder of another user, or with somebody else's files in it."""
        known = {_MARKER, _LOCK, *_OURS}
        marker = self.path / _MARKER
        if marker.exists():
            owner = marker.stat().st_uid
            if owner != os.geteuid():
                raise CannotStart(
                    f"{self.path} belongs to another user (number {owner}): start as "
                    "that user, or set HOLDFAST_HOME to another folder."
                )
            return
        strangers = sorted({entry.name for entry in self.path.iterdir()} - known)
        if strangers:
            raise CannotStart(
                f"{self.path} does not look like a folder of Holdfast (it holds "
                f"{strangers[0]}): set HOLDFAST_HOME to a new or an empty one."
            )
        marker.write_text("This folder holds a shop; see holdfast up --help.\n")

    def _take(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 32).decode("ascii", "replace").strip()
            raise CannotStart(
                f"Holdfast is already running in {self.path}"
                + (f" (process {holder})" if holder else "")
                + ": stop it first, or set HOLDFAST_HOME to another folder."
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)

    def _wipe(self) -> None:
        for name in _OURS:
            path = self.path / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                with suppress(FileNotFoundError):
                    path.unlink()

    def _demand_room(self) -> None:
        free = shutil.disk_usage(self.path).free // (1024 * 1024)
        needed = _NEEDED_LATER_MEGABYTES if self.holds_data else _NEEDED_MEGABYTES
        if free < needed:
            raise CannotStart(
                f"The disk that holds {self.path} is full: {free} MB are left, and "
                f"Holdfast needs {needed}."
            )
