"""Ending what an earlier ``holdfast up`` of the same home left behind.

After ``kill -9`` of the parent the kernel stops its children on Linux, though they
may still be busy with it, and does nothing elsewhere. Every process we start is
marked in its environment with the home it belongs to and hands the mark on to its
own children, so nobody else's process is ever mistaken for ours: process numbers
are reused, marks are not.
"""

import os
import signal
from collections.abc import Iterable
from pathlib import Path

import psutil

MARK = "HOLDFAST_SUPERVISED_IN"
_POLITE_SECONDS = 10.0
_POSTGRES_SECONDS = 20.0


def mark(home: Path) -> dict[str, str]:
    """What to put into the environment of a process of this home."""
    return {MARK: str(home.resolve())}


def find(home: Path) -> list[psutil.Process]:
    """Every process that carries the mark of *home*."""
    value = str(home.resolve())
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARK) == value:
                found.append(process)
        except (psutil.Error, OSError):
            continue  # gone meanwhile, or somebody else's
    return found


def end(home: Path) -> int:
    """Stop them, the database last; returns how many there were."""
    left = find(home)
    databases = [process for process in left if _is_postgres(process)]
    others = [process for process in left if process not in databases]
    _signal(others, signal.SIGTERM)
    _, stubborn = psutil.wait_procs(others, timeout=_POLITE_SECONDS)
    _signal(stubborn, signal.SIGKILL)
    # SIGTERM would wait for its clients; SIGINT sends them away.
    _signal(databases, signal.SIGINT)
    _, hanging = psutil.wait_procs(databases, timeout=_POSTGRES_SECONDS)
    _signal(hanging, signal.SIGKILL)
    psutil.wait_procs(left, timeout=_POLITE_SECONDS)
    return len(left)


def _signal(processes: Iterable[psutil.Process], which: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(which)
        except psutil.NoSuchProcess:
            continue


def _is_postgres(process: psutil.Process) -> bool:
    try:
        return process.name().startswith("postgres")
    except psutil.Error:
        return False
