"""An embedded PostgreSQL: one data folder, one process, TCP on this machine only.

The wheel's own wrapper is not used: run as root it adds a system user and opens
every parent folder to the world, and it trusts whoever connects. Here a password
is asked of everyone (SCRAM), pages carry checksums, and text sorts the same
everywhere (the builtin ``C.UTF-8``). PostgreSQL refuses to run as root, so root
runs it inside a user namespace of its own, which needs no other user and changes
no permission; where namespaces are forbidden, ``privileges`` finds another way.

Layout of the folder: ``data`` (PostgreSQL's own), ``password`` (mode 0600), ``port``
(the last one used), ``server.log``.
"""

import os
import re
import secrets
import shutil
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from holdfast.platform.embedded.part import Tick, bring_up, go_on, run_to_end
from holdfast.platform.embedded.ports import LOOPBACK, free_port
from holdfast.platform.embedded.postgres_build import Build
from holdfast.platform.embedded.postgres_conf import (
    SYNC_METHOD,
    configuration,
    memory_bytes,
)
from holdfast.platform.embedded.privileges import Unprivileged
from holdfast.platform.embedded.process import (
    CannotStart,
    Child,
    Command,
    Escalation,
    disk_full,
    explain,
    spawn,
    write_private,
)

USER = "holdfast"
DATABASE = "holdfast"
_INIT_SECONDS = 120.0
_ATTEMPTS = 5
# Fast shutdown writes a checkpoint; immediate shutdown leaves that to recovery.
_END: Escalation = (
    (signal.SIGINT, 30.0),
    (signal.SIGQUIT, 5.0),
    (signal.SIGKILL, 5.0),
)


_CAREFUL = ("--data-checksums",)
# Tests connect hundreds of times, and 4096 rounds of hashing are 5 ms each. With
# checksums, whoever first reads a row that was written writes the page into the log.
_QUICK = ("--no-data-checksums", "--set=scram_iterations=1")


class PostgresServer:
    """A PostgreSQL server whose whole state is *folder*."""

    name = "postgres"
    start_seconds = 120.0  # recovery after a power cut takes its time

    def __init__(
        self,
        folder: Path,
        *,
        durable: bool = True,
        port: int = 0,
        bin_dir: Path | None = None,
        log: Path | None = None,
        max_connections: int | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self.data = self.folder / "data"
        self.log = log or self.folder / "server.log"
        self.child: Child | None = None
        self._durable = durable
        self._port = port  # 0 until it is known
        self._trying = port
        self._attempts = 0
        self._bin_dir = bin_dir
        # Nothing of our own environment: PGDATA, PGPORT, LC_ALL and the like would
        # change the server. What the caller names here is added.
        self._environ = {
            "PATH": os.defpath,
            "LC_ALL": "C",
            "TZ": "UTC",
            **(environ or {}),
        }
        self._max_connections = max_connections or (100 if durable else 300)

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
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """Where to reach *database* on this server; holds the password."""
        return (
            f"postgresql://{USER}:{self._password()}@{LOOPBACK}:{self._port}/{database}"
        )

    def start(self, *, tick: Tick = go_on) -> Child:
        """Create the data folder if there is none, and return once it answers."""
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
        """Stop it, after which every connection is closed."""
        if self.child is not None:
            self.child.stop()

    def launch(self, *, tick: Tick = go_on) -> None:
        self._attempts += 1
        build = Build.find(self._bin_dir)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            user = Unprivileged.find()
            if not (self.data / "PG_VERSION").exists():
                self._create(build, user, tick)
            self._check(build)
            user.take_tree(self.data)
            self._clear_stale_lock()
            (self.data / "holdfast.conf").write_text(
                configuration(
                    major=build.major,
                    durable=self._durable,
                    max_connections=self._max_connections,
                    can_count_statements=build.has_library("pg_stat_statements"),
                    memory_bytes=memory_bytes(),
                )
            )
            self._trying = self._port or free_port(preferred=self._last_port())
            self.child = spawn(self._command(build, user))
        except OSError as error:
            raise explain("PostgreSQL cannot start", error, self.folder) from error

    def is_ready(self) -> bool:
        # What pg_ctl does: the eighth line of the lock file tells the state.
        lines = _lock_lines(self.data)
        if (
            self.child is None
            or len(lines) < 8  # noqa: PLR2004 - the layout of postmaster.pid
            or lines[0] != str(self.child.pid)
            or lines[7].strip() != "ready"
        ):
            return False
        if self._port != self._trying:
            self._port = self._trying
            (self.folder / "port").write_text(f"{self._port}\n")
        self._attempts = 0
        return True

    def explain_end(self) -> None:
        said = self.child.tail(lines=40) if self.child is not None else ""
        if self._attempts < _ATTEMPTS:
            if "Address already in use" in said and not self._port:
                return
            if "pre-existing shared memory block" in said:
                # After a kill -9 the old backends need a moment to notice.
                time.sleep(0.2 * self._attempts)
                return
        raise self._refused(said)

    def _command(self, build: Build, user: Unprivileged) -> Command:
        return Command(
            arguments=(
                *user.prefix(orphan_signal=signal.SIGINT),
                str(build.bin_dir / "postgres"),
                *("-c", f"listen_addresses={LOOPBACK}"),
                *("-c", "unix_socket_directories="),
                *("-c", f"port={self._trying}"),
                *("-D", str(self.data)),
            ),
            environ=self._environ,
            log=self.log,
            directory=self.folder,
            end=_END,
            orphan_signal=signal.SIGINT,
            answers=True,
        )

    def _refused(self, said: str) -> CannotStart:
        tail = "\n".join(said.splitlines()[-12:])
        if "No space left on device" in said:
            return CannotStart(disk_full(self.folder), tail=tail)
        if "Address already in use" in said:
            return CannotStart(
                f"PostgreSQL cannot listen on port {self._trying}: another program "
                "does.",
                tail=tail,
            )
        fatal = re.findall(r"(?:FATAL|PANIC|initdb: error):\s+(.+)", said)
        why = f": {fatal[-1]}" if fatal else ""
        return CannotStart(f"PostgreSQL did not start{why} ({self.log}).", tail=tail)

    def _check(self, build: Build) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != str(build.major):
            raise CannotStart(
                f"The data in {self.data} was written by PostgreSQL {found} and this "
                f"is PostgreSQL {build.major}: set PG_BIN to the programs of version "
                f"{found}, or start over with --fresh."
            )

    def _clear_stale_lock(self) -> None:
        """Remove the lock of a server that is gone, whoever has its number now."""
        # PostgreSQL does this itself unless the number was given to another
        # process of the same user, and then it refuses for ever.
        lines = _lock_lines(self.data)
        if lines and not _serves(lines[0], self.data):
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _create(self, build: Build, user: Unprivileged, tick: Tick) -> None:
        # Made beside its place and moved when complete: a half-made folder is
        # never mistaken for a shop.
        draft = self.folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        password = self.folder / "password"
        password.unlink(missing_ok=True)
        write_private(password, secrets.token_urlsafe(24))
        user.take(password)
        self._run(
            *(*user.prefix(), str(build.bin_dir / "initdb"), "-U", USER),
            *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin"),
            *("--builtin-locale=C.UTF-8", "--auth=scram-sha-256"),
            *(f"--pwfile={password}", "--no-instructions"),
            *(_CAREFUL if self._durable else _QUICK),
            *("--no-sync", "-D", str(draft)),
            tick=tick,
        )
        with (draft / "postgresql.conf").open("a") as file:
            file.write("\n# Written at every start; what follows this line wins.\n")
            file.write("include_if_exists = 'holdfast.conf'\n")
        script = self.folder / "create.sql"
        script.write_text(f"CREATE DATABASE {DATABASE}\n")
        self._run(
            *(*user.prefix(), str(build.bin_dir / "postgres"), "--single"),
            *("-c", "fsync=off", "-D", str(draft), "postgres"),
            script=script,
            tick=tick,
        )
        script.unlink()
        if self._durable:
            # Once, at the end: a thousand small syncs take seconds on a busy disk.
            self._run(
                *(*user.prefix(), str(build.bin_dir / "initdb"), "--sync-only"),
                *(f"--sync-method={SYNC_METHOD}", "-D", str(draft)),
                tick=tick,
            )
        draft.rename(self.data)

    def _run(self, *arguments: str, tick: Tick, script: Path | None = None) -> None:
        child = run_to_end(
            Command(
                arguments=arguments,
                environ=self._environ,
                log=self.log,
                directory=self.folder,
                script=script,
                orphan_signal=signal.SIGKILL,
            ),
            seconds=_INIT_SECONDS,
            tick=tick,
        )
        said = child.tail(lines=40)
        # The single-user server ends well even when its statement failed.
        if child.exit_code != 0 or "FATAL:" in said or "ERROR:" in said:
            raise self._refused(said)

    def _password(self) -> str:
        return (self.folder / "password").read_text().strip()

    def _last_port(self) -> int:
        try:
            return int((self.folder / "port").read_text())
        except (FileNotFoundError, ValueError):
            return 0


def _serves(pid: str, data: Path) -> bool:
    """Whether that process is a PostgreSQL working in *data*."""
    try:
        command = Path(f"/proc/{int(pid)}/cmdline").read_bytes()
    except ValueError:
        return False
    except OSError:
        return not Path("/proc/self").exists()  # no /proc: leave it to PostgreSQL
    return b"postgres" in command and os.fsencode(data) in command


def _lock_lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []
