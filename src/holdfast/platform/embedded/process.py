"""A child process that is not lost, whatever happens to its parent.

Each child leads a process group of its own, so that Ctrl-C in a terminal reaches
the parent alone and the children stop in the order the parent chooses. On Linux
the kernel signals the child when its parent dies, even by ``kill -9``. Elsewhere,
and for grandchildren, ``leftovers`` finds what is still running at the next start.
"""

import ctypes
import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from holdfast.kernel.clock import monotonic
from holdfast.platform.slices import take_short_slices

POLL_SECONDS = 0.02
LOG_LIMIT_BYTES = 10 * 1024 * 1024
TAIL_BYTES = 16 * 1024
_PR_SET_PDEATHSIG = 1  # linux/prctl.h

Escalation = Sequence[tuple[signal.Signals, float]]
"""Signals to send, and how many seconds to wait after each."""

POLITELY: Escalation = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))


class CannotStart(RuntimeError):
    """A server or its folder is not usable; the text is a sentence for the user."""

    def __init__(self, sentence: str, *, tail: str = "") -> None:
        super().__init__(sentence)
        self.tail = tail


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, and how to treat it."""

    arguments: tuple[str, ...]
    environ: Mapping[str, str]
    log: Path
    directory: Path | None = None
    script: Path | None = None  # what it reads; nothing otherwise
    end: Escalation = POLITELY
    orphan_signal: signal.Signals = signal.SIGTERM
    answers: bool = False
    """Somebody waits for each of its answers: woken, it should run at once."""


class Child:
    """One running process; made by ``spawn``."""

    def __init__(
        self, process: subprocess.Popen[bytes], command: Command, start_of_log: int
    ) -> None:
        self._process = process
        self._start_of_log = start_of_log
        self.command = command

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """``None`` while it runs; negative when a signal ended it."""
        return self._process.poll()

    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """End it at once, with whatever it started in its process group."""
        self._signal_group(signal.SIGKILL)
        self._process.wait()

    def stop(self, *, hurry: Callable[[], bool] = lambda: False) -> None:
        """Ask it to end, then insist; ``hurry`` turning true skips the waiting."""
        for which, seconds in self.command.end:
            if not self.alive():
                break
            self._process.send_signal(which)
            give_up = monotonic() + seconds
            while self.alive() and monotonic() < give_up and not hurry():
                time.sleep(POLL_SECONDS)
        # Workers that their leader left behind are in its group still.
        self.kill()

    def tail(self, *, lines: int = 12) -> str:
        """The last lines it has written, none of them from before this start."""
        with self.command.log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(self._start_of_log, end - TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
        return "\n".join(text.splitlines()[-lines:])

    def _signal_group(self, which: signal.Signals) -> None:
        try:
            os.killpg(self.pid, which)
        except (ProcessLookupError, PermissionError):
            # PermissionError is what macOS says of a group of zombies.
            return


def spawn(command: Command) -> Child:
    """Start *command* with its output appended to its log."""
    trim(command.log)
    script = command.script or Path(os.devnull)
    with command.log.open("ab") as log, script.open("rb") as given:
        start_of_log = log.tell()
        process = subprocess.Popen(  # noqa: S603 - our own command lines
            command.arguments,
            stdin=given,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(command.environ),
            cwd=command.directory,
            start_new_session=True,
            # Between fork and exec only async-signal-safe work is allowed; one
            # prctl call, whose library is loaded beforehand, is.
            preexec_fn=_die_with(os.getpid(), command.orphan_signal),  # noqa: PLW1509
        )
    if command.answers:
        # A moment later than it could be; its own children come later still.
        with suppress(OSError):
            take_short_slices(process.pid)
    return Child(process, command, start_of_log)


def trim(log: Path) -> None:
    """Keep one older file once a log is over 10 MiB; done at start only."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if _size(log) > LOG_LIMIT_BYTES:
        log.replace(log.with_name(log.name + ".1"))


def write_private(path: Path, text: str) -> None:
    """Write a line that no other user of this machine may read."""
    path.touch(mode=0o600)
    path.write_text(text + "\n")


def explain(what: str, error: OSError, path: Path) -> CannotStart:
    """Say in a sentence why the file system refused us."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CannotStart(disk_full(path))
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return CannotStart(f"{what}: {path} is not writable for this user.")
    return CannotStart(f"{what}: {error.strerror or error} ({path}).")


def disk_full(path: Path) -> str:
    return f"The disk that holds {path} is full; make room and start again."


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _die_with(parent: int, which: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def before_exec() -> None:
        prctl(_PR_SET_PDEATHSIG, int(which))
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return before_exec
