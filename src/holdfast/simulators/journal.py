"""An append-only file that outlives the process: one JSON line an entry.

A line is handed to the kernel in one write before anyone is answered, so a
``kill -9`` forgets nothing. It is not synced to the disk: a power cut may lose
the last moments, which is enough for a simulator and 100 times cheaper. One
process at a time may hold the file.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")

_ENCODER = msgspec.json.Encoder()


class JournalUnusable(Exception):
    """The file is in use, or is not a journal."""


class Journal(Generic[T]):
    def __init__(self, path: Path, kind: type[T]) -> None:
        """Open or create *path*; ``OSError`` or ``JournalUnusable`` if it cannot.

        Each line is a *kind*, a msgspec struct.
        """
        self._decoder = msgspec.json.Decoder(kind)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._entries = list(self._read())
        except BlockingIOError:
            os.close(self._file)
            raise JournalUnusable("another process holds it") from None
        except (OSError, JournalUnusable):
            os.close(self._file)
            raise

    def entries(self) -> list[T]:
        """What earlier processes wrote, oldest first; handed out once."""
        entries, self._entries = self._entries, []
        return entries

    def append(self, entry: T) -> None:
        """Write all of it or, with an ``OSError``, nothing."""
        line = _ENCODER.encode(entry) + b"\n"
        # A full disk takes part of the line, and says so only to the next write.
        written = os.write(self._file, line)
        if written != len(line):
            os.ftruncate(self._file, self._size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += written

    def clear(self) -> None:
        os.ftruncate(self._file, 0)
        self._size = 0

    def close(self) -> None:
        os.close(self._file)

    def _read(self) -> Iterator[T]:
        self._size = 0
        with os.fdopen(os.dup(self._file), "rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.endswith(b"\n"):
                    # Torn by a crash in mid-write: nobody was told of it.
                    os.ftruncate(self._file, self._size)
                    return
                try:
                    yield self._decoder.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise JournalUnusable(f"line {number}: {error}") from None
                self._size += len(line)
