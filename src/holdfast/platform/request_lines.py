"""The latest lines of the access log on this machine, to explain a request by.

Each process of the API keeps its own in two files of a bounded size: when one is full,
the other begins anew. Files of processes that are gone stay for a week, and until all
together are too many. Only their owner reads them: a line says from where a request
came, as the access log does.

Losing them loses nothing: a disk that is full or not writable ends the keeping, with a
warning, and no request is hurt.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import structlog

from holdfast.platform.telemetry import Access

_ENDING = ".jsonl"
_FILES = 2
_MOST_FILES = 64
_KEPT_SECONDS = 7 * 86_400.0
_PIECE_BYTES = 1 << 20
_DECODER = msgspec.json.Decoder(Access)
_log = structlog.get_logger()


def folder_in(home: Path) -> Path:
    """Where a home keeps them."""
    return home / "logs" / "requests"


class RequestLines:
    """What one process keeps; made when the first line is written."""

    def __init__(self, folder: Path, *, limit_bytes: int) -> None:
        self._folder = folder
        self._limit = limit_bytes // _FILES
        self._number = -1
        self._file: int | None = None
        self._size = 0
        self._is_broken = False

    def write(self, lines: bytes) -> None:
        """Keep whole lines."""
        if self._is_broken:
            return
        try:
            if self._file is None:
                self._begin()
            elif self._size + len(lines) > self._limit:
                self._turn()
            assert self._file is not None  # noqa: S101 - one was just opened
            os.write(self._file, lines)
            self._size += len(lines)
        except OSError as error:
            self._is_broken = True
            _log.warning("request_lines_not_kept", error=repr(error))

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _begin(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._turn()
        assert self._file is not None  # noqa: S101 - it was just opened
        # By the clock of the disk, which dates the others.
        _tidy(self._folder, os.fstat(self._file).st_mtime)

    def _turn(self) -> None:
        self.close()
        self._number = (self._number + 1) % _FILES
        path = self._folder / f"{os.getpid()}-{self._number}{_ENDING}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        self._file, self._size = os.open(path, flags, 0o600), 0


def kept_in(folder: Path) -> list[Path]:
    """The files of all processes, those written last first."""
    dated = []
    for path in folder.glob("*" + _ENDING):
        with suppress(OSError):
            dated.append((path.stat().st_mtime, path))
    return [path for _, path in sorted(dated, reverse=True)]


def find(paths: Iterable[Path], request_id: str) -> list[Access]:
    """The lines of requests with an id, latest first; a client may use one twice.

    Other lines of a log are passed over. Raises ``OSError`` for a file that cannot be
    read.
    """
    # As it is written: with its quotes, so that no id is found that only begins so.
    wanted = b'"request_id":' + msgspec.json.encode(request_id)
    loose = b'"request_id": ' + msgspec.json.encode(request_id)
    found = []
    for path in paths:
        for line in _lines(path):
            if wanted in line or loose in line:
                with suppress(msgspec.DecodeError):
                    access = _DECODER.decode(line)
                    if access.event == "request" and access.request_id == request_id:
                        found.append(access)
    return sorted(found, key=lambda access: access.at, reverse=True)


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.readlines(_PIECE_BYTES):
            yield from piece


def _tidy(folder: Path, newest: float) -> None:
    """Delete what is old beside *newest*, and the oldest of too many.

    What a live process writes stays.
    """
    for number, path in enumerate(kept_in(folder)):
        with suppress(OSError):
            is_old = newest - path.stat().st_mtime > _KEPT_SECONDS
            if (is_old or number >= _MOST_FILES) and not _is_alive(path):
                path.unlink()


def _is_alive(path: Path) -> bool:
    pid = path.stem.partition("-")[0]
    try:
        os.kill(int(pid), 0)
    except (OSError, ValueError):
        return False
    return True
