"""Pictures that people upload, and what is made of them.

An upload is never served. The worker draws it anew in five sizes and two formats, and
only those have addresses: whatever else was in the file (scripts, archives, where the
photograph was taken) ends there.

An address is a hash of the content and of the id, so that it never means another
picture, is not shared by two, and is known before anything is drawn.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args
from uuid import UUID

Kind: TypeAlias = Literal["jpeg", "png", "gif", "webp"]
"""What may be uploaded."""

Status: TypeAlias = Literal["processing", "ready", "failed"]
"""What a client is told of: waiting to be drawn, drawn, or not to be drawn at all."""
STATUSES: tuple[Status, ...] = get_args(Status)

MAX_BYTES = 20 << 20
"""Of one upload. The largest JPEG of a 50-megapixel camera has about as many."""

MAX_PIXELS = 50_000_000
"""Of one upload, by what its header says and again before it is decoded: 4 bytes each,
and two copies while one becomes the other, are 400 MB."""

MAX_SIDE = 32_767
"""Pixels of one side; with it a picture of one line is bounded too."""

SIDES: Mapping[str, int] = {
    "thumb": 160,
    "small": 320,
    "medium": 640,
    "large": 1280,
    "full": 2560,
}
"""The longest side of each size, in pixels. A small upload is never enlarged: then
several sizes are alike."""

FORMATS: Mapping[str, str] = {"webp": "image/webp", "jpg": "image/jpeg"}
"""The formats that each size has, by the end of the name, and their media types."""

ORIGINAL = "original"
"""The name of an upload in its folder; it has no ending, and no address."""

NAMES = frozenset(f"{size}.{ending}" for size in SIDES for ending in FORMATS)
"""Every name that a picture has in its folder."""

# With another way to draw comes another number, and with it other addresses.
_RECIPE = b"1"
_MAX_FILE_NAME = 255


@dataclass(frozen=True, slots=True)
class Picture:
    """What the head of an upload says."""

    kind: Kind
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Rendition:
    """One size in one format, as it was drawn."""

    name: str
    width: int
    height: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that has been looked at, before it is kept."""

    id: UUID
    picture: Picture
    bytes: int
    sha256: str
    file_name: str
    alt: str

    @property
    def address(self) -> str:
        """The folder of everything that is kept of it, and drawn from it."""
        said = _RECIPE + self.id.bytes + bytes.fromhex(self.sha256)
        return hashlib.sha256(said).hexdigest()


@dataclass(frozen=True, slots=True)
class Asset:
    """A picture of the shop's, as operators see it."""

    id: UUID
    address: str
    status: Status
    kind: Kind
    bytes: int
    sha256: str
    file_name: str
    alt: str
    width: int | None
    """Of the picture held upright, once it is drawn."""
    height: int | None
    renditions: tuple[Rendition, ...]
    problem: str | None
    """Why it could not be drawn."""
    created_at: datetime
    updated_at: datetime
    version: int
    """Raised by what people change of it; being drawn is no change of theirs."""


def path_of(address: str, name: str) -> str:
    """Where a picture is served."""
    return f"/images/{address}/{name}"


def file_name_of(said: str | None) -> str:
    """What to call an upload: the last part of the name it came with, on one line."""
    last = (said or "").replace("\\", "/").rpartition("/")[2]
    kept = "".join(char for char in last if char.isprintable()).strip()
    return kept[:_MAX_FILE_NAME]
