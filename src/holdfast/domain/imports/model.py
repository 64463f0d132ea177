"""An import job: a file on its way in, and how far it is.

    receiving --> queued --> running --> completed
        |            |          |------> failed     (not such a file, or mostly wrong)
        `-> (gone)   `----------`------> canceled

The whole proof that a job survives a kill at any point is one number: ``done``, the
place in the file before which everything is done and after which nothing is. Each
batch moves it in the transaction that takes its products in, and only from where the
batch began. So a batch is in whole or not at all, none is taken in twice, and of two
workers at one job the second finds that the place has moved and stops.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

Format: TypeAlias = Literal["jsonl", "shopify_csv"]
Status: TypeAlias = Literal[
    "receiving", "queued", "running", "completed", "failed", "canceled"
]

Ending: TypeAlias = Literal["completed", "failed"]

CHUNK_BYTES = 1 << 20
"""Of the pieces in which a file is kept, all but the last."""

MAX_FAULTS_KEPT = 10_000
MAX_FAULTS = 100_000
"""After so many rows that cannot be used, nobody wants to know of more."""

MAX_MESSAGE_CHARS = 500


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file: the bytes and the lines before it."""

    offset: int
    lines: int


@dataclass(frozen=True, slots=True)
class Tally:
    """How many products came to what, and how many rows to nothing."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.created + other.created,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.refused + other.refused,
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that could not be used, and why; the product's handle where it is known."""

    line: int
    handle: str
    message: str

    def storable(self) -> "Fault":
        """The same without what a database cannot hold, and not longer than a page."""
        return Fault(self.line, _storable(self.handle), _storable(self.message))


@dataclass(frozen=True, slots=True)
class NumberedFault:
    """A fault and its place among those of its job, from 1."""

    number: int
    fault: Fault


@dataclass(frozen=True, slots=True)
class Job:
    """An import as far as it has come."""

    id: UUID
    format: Format
    currency: str
    overwrite_stock: bool
    status: Status
    actor: str
    sha256: bytes | None
    size_bytes: int
    done: Place
    tally: Tally
    failure: str | None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None

    @property
    def has_ended(self) -> bool:
        return self.finished_at is not None

    @property
    def progress(self) -> float:
        """From 0 to 1, by bytes of the file."""
        if self.status == "completed":
            return 1.0
        return self.done.offset / self.size_bytes if self.size_bytes else 0.0


@dataclass(frozen=True, slots=True)
class Link:
    """What leads from a product of a file to others that were not there yet.

    They may be in the same file further down, so it waits for the end of that.
    """

    handle: str
    line: int
    related: tuple[str, ...] | None = None
    """Handles of the products it is related to; None if that is settled."""
    references: Mapping[str, str] = field(default_factory=dict)
    """By the codes of attributes, handles of the products they refer to."""

    @property
    def names(self) -> frozenset[str]:
        """Every product it leads to."""
        return frozenset([*(self.related or ()), *self.references.values()])

    def lost(self, there: Container[str]) -> list[str]:
        """What leads to none of the products that are *there*, told for its row."""
        found = [
            f"related/{place} does not exist"
            for place, name in enumerate(self.related or ())
            if name not in there
        ]
        return found + [
            f"attributes/{code} does not exist"
            for code, name in sorted(self.references.items())
            if name not in there
        ]


def outcome_of(failure: str | None) -> Ending:
    """How a job ends of which *failure* is to be told, or nothing."""
    return "completed" if failure is None else "failed"


def kept(faults: list[Fault], before: int) -> list[NumberedFault]:
    """Of new faults those to keep, numbered, when there were so many *before*."""
    room = max(0, MAX_FAULTS_KEPT - before)
    return [
        NumberedFault(before + place, fault.storable())
        for place, fault in enumerate(faults[:room], 1)
    ]


def _storable(text: str) -> str:
    short = text[:MAX_MESSAGE_CHARS]
    return "".join("\ufffd" if _is_unstorable(char) else char for char in short)


def _is_unstorable(char: str) -> bool:
    return char == "\x00" or "\ud800" <= char <= "\udfff"
