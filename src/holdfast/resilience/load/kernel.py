"""What the kernel tells of a process: its memory, and what its cgroup holds it to.

Each reader looks for its files once, and is None ever after where they are not: not
every kernel has pressure stall information, not every process is in a cgroup of its
own, and a cgroup may be of version 1 or 2. A file that is there and cannot be read this
time is no signal this time.

Files are read whole; one takes 10 to 30 us.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from holdfast.resilience.clock import Monotonic
from holdfast.resilience.load.signals import Read

_CGROUPS = Path("/sys/fs/cgroup")
_PROC = Path("/proc")
# What cgroup v1 says where there is no limit: the largest multiple of a page in 63
# bits.
_NO_LIMIT = 1 << 62
_V2 = "0"


def resident_bytes(proc: Path = _PROC) -> Read:
    """The memory of this process that is not elsewhere."""
    page = os.sysconf("SC_PAGE_SIZE")

    def read() -> float | None:
        text = _text(proc / "self/statm")
        return None if text is None else int(text.split()[1]) * page

    return read


def total_bytes(proc: Path = _PROC) -> Read:
    """The memory of the machine."""
    found = _field(_text(proc / "meminfo"), "MemTotal:")
    return lambda: None if found is None else found * 1024


def cgroup_memory(root: Path = _CGROUPS, proc: Path = _PROC) -> Read:
    """Memory of the cgroup in its limit, without the page cache it could do without.

    Counted with the cache, any process that has read a large file looks full.
    """
    for folder, used, limit, idle in (
        *((f, *_MEMORY_V2) for f in _folders(root, proc, _V2)),
        *((f, *_MEMORY_V1) for f in _folders(root, proc, "memory")),
    ):
        most = _number(_text(folder / limit))
        if most is not None and most < _NO_LIMIT and (folder / used).is_file():
            return _working_set(folder / used, folder / "memory.stat", idle, most)
    return _nothing


def cgroup_throttled(
    timer: Monotonic,
    root: Path = _CGROUPS,
    proc: Path = _PROC,
    *,
    over_seconds: float = 1.0,
) -> Read:
    """In how many of the last periods the quota of CPU was used up (``cpu.max``)."""
    for controller in (_V2, "cpu", "cpu,cpuacct"):
        for folder in _folders(root, proc, controller):
            file = folder / "cpu.stat"
            if _field(_text(file), "nr_periods") is not None:
                return _Throttled(file, timer, over_seconds)
    return _nothing


def stalled(resource: str, root: Path = _CGROUPS, proc: Path = _PROC) -> Read:
    """The share of the last 10 seconds in which *resource* held all work back (PSI).

    Of the own cgroup if it has one: what stalls the rest of a machine is not ours. Only
    ``full``: ``some`` rises with any two processes that would both like to run.
    """
    files = [f / f"{resource}.pressure" for f in _folders(root, proc, _V2)]
    for file in (*files, proc / "pressure" / resource):
        if _average(_text(file)) is not None:
            return lambda: _average(_text(file))
    return _nothing


_MEMORY_V2 = ("memory.current", "memory.max", "inactive_file")
_MEMORY_V1 = (
    "memory.usage_in_bytes",
    "memory.limit_in_bytes",
    "total_inactive_file",
)


def _nothing() -> None:
    return None


def _working_set(used: Path, stat: Path, idle: str, most: float) -> Read:
    def read() -> float | None:
        now = _number(_text(used))
        if now is None:
            return None
        return max(0.0, now - (_field(_text(stat), idle) or 0.0)) / most

    return read


class _Throttled:
    """The share of periods that were throttled, between two looks a second apart."""

    def __init__(self, file: Path, timer: Monotonic, over_seconds: float) -> None:
        self._file = file
        self._timer = timer
        self._over = over_seconds
        self._last: tuple[float, float, float] | None = None
        self._share: float | None = None

    def __call__(self) -> float | None:
        now, text = self._timer(), _text(self._file)
        periods, throttled = _field(text, "nr_periods"), _field(text, "nr_throttled")
        if periods is None or throttled is None:
            return None
        if self._last is None:
            self._last = (now, periods, throttled)
        elif now - self._last[0] >= self._over:
            passed = periods - self._last[1]
            self._share = (throttled - self._last[2]) / passed if passed else 0.0
            self._last = (now, periods, throttled)
        return self._share


def _folders(root: Path, proc: Path, controller: str) -> Iterator[Path]:
    """Where the process's cgroup may be seen: under its own name, or as the root.

    In a container the name is that of the host and the root is the own cgroup.
    """
    for line in (_text(proc / "self/cgroup") or "").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller == _V2:
            if number == _V2 and not controllers:
                yield root / path.lstrip("/")
                yield root
        elif controllers == controller:
            yield root / controller / path.lstrip("/")
            yield root / controller


def _text(file: Path) -> str | None:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError):
        return None


def _number(text: str | None) -> float | None:
    if text is None or not text.strip().isdigit():
        return None
    return float(text)


def _field(text: str | None, name: str) -> float | None:
    """The number after *name* at the beginning of a line."""
    for line in (text or "").splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == name:
            return _number(words[1])
    return None


def _average(text: str | None) -> float | None:
    """``avg10`` of the line ``full``, as a share."""
    for line in (text or "").splitlines():
        kind, *pairs = line.split()
        if kind == "full":
            fields = dict(pair.partition("=")[::2] for pair in pairs)
            return _share(fields.get("avg10", ""))
    return None


def _share(percent: str) -> float | None:
    try:
        return float(percent) / 100
    except ValueError:
        return None
