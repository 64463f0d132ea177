"""What clients asked and were told: an append-only log, one line a request.

The log is written by the process that plays the clients while the shop is being
disturbed, and read afterwards by whoever judges. Times are seconds since the epoch, by
the clock of this machine, which the servers share. A request whose answer never came
has status 0: it may have happened or not, and either is right.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

LOST = 0
_FLUSH_EVERY = 256


class Said(msgspec.Struct, frozen=True, array_like=True):
    """One request, and its answer."""

    act: str
    """cart, hold, release, checkout; to a bank: bank approved, bank declined."""
    cart: str
    """Empty for a cart whose making was not answered."""
    key: str
    lines: tuple[tuple[str, int], ...]
    """SKUs and how many of each."""
    process: int
    """Which of the API's processes was asked."""
    began: float
    ended: float
    status: int
    digest: str = ""
    """Of the body; empty if there was no answer."""
    order: str = ""
    """The order that the answer names."""
    state: str = ""
    """The order's status as told."""
    problem: str = ""
    """The slug of a refusal."""
    expires: float = 0.0
    """When a hold ends, as told."""
    attempt: bool = False
    """Whether it counts: a first try, not the repetition of one."""


def digest(body: bytes) -> str:
    """What two answers have in common exactly if they are the same bytes."""
    return hashlib.sha256(body).hexdigest()[:20]


class Log:
    """Appends to a history."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("ab")
        self._encode = msgspec.json.Encoder().encode
        self._lines: list[bytes] = []

    def add(self, said: Said) -> None:
        self._lines.append(self._encode(said))
        if len(self._lines) >= _FLUSH_EVERY:
            self.flush()

    def flush(self) -> None:
        if self._lines:
            self._file.write(b"\n".join(self._lines) + b"\n")
            self._file.flush()
            self._lines.clear()

    def close(self) -> None:
        self.flush()
        self._file.close()


def read(path: Path) -> list[Said]:
    """The whole history, in the order in which answers came."""
    return list(_lines(path))


def _lines(path: Path) -> Iterator[Said]:
    decode = msgspec.json.Decoder(Said).decode
    with path.open("rb") as file:
        for line in file:
            yield decode(line)
