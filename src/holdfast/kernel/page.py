"""A page of a long list, and the cursor that leads to the next one.

Paging is by key, not by offset: a cursor holds the sort key of the last row
seen, so page 10,000 costs what page 1 costs, and a row that is added or removed
meanwhile makes no other row appear twice or vanish.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from holdfast.kernel.errors import Invalid

T = TypeVar("T")

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
_MAX_CURSOR_CHARS = 512


@dataclass(eq=False)
class BadCursor(Invalid):
    """The cursor in ``after`` is not one that this list gave out."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items in order, and the cursor of the next page or None at the end."""

    items: list[T]
    next: str | None


def encode_cursor(*key: str) -> str:
    """Pack the sort key of the last row of a page; opaque to clients."""
    packed = json.dumps(key, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def decode_cursor(cursor: str, parts: int) -> tuple[str, ...]:
    """Unpack a cursor of *parts* strings; ``BadCursor`` if it is anything else."""
    if len(cursor) > _MAX_CURSOR_CHARS:
        raise BadCursor
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise BadCursor from None
    if not isinstance(key, list) or len(key) != parts:
        raise BadCursor
    if not all(isinstance(part, str) and _is_storable(part) for part in key):
        raise BadCursor
    return tuple(key)


def _is_storable(text: str) -> bool:
    # PostgreSQL's text has neither NUL nor half a surrogate pair; JSON has both.
    return not any(char == "\x00" or "\ud800" <= char <= "\udfff" for char in text)


def decode_id_cursor(cursor: str) -> UUID:
    """Unpack a cursor that holds one id; ``BadCursor`` if it is anything else."""
    (text,) = decode_cursor(cursor, 1)
    try:
        return UUID(text)
    except ValueError:
        raise BadCursor from None
