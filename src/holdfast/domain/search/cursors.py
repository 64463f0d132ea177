"""Where a page of a search ends: the key and the id of its last product.

A page that is ordered by relevance also says whether few matched: the next one goes on
by the same keys, though there may be more by then.

Clients may send anything as a cursor. What is a number for Python need not be one for
PostgreSQL (digits of other scripts, ``1_0``, ``1e-400``): it is one as it was written.
"""

import math
from uuid import UUID

from holdfast.domain.search.filters import Sort
from holdfast.kernel.page import (
    BadCursor,
    decode_cursor,
    decode_id_cursor,
    encode_cursor,
)

_LARGEST = 2**63 - 1


def cursor(sort: Sort, few: bool, key: object, last: UUID) -> str:  # noqa: FBT001 - as the row says it
    """What leads to the page after this key and id."""
    mode = "" if sort != "relevance" else "w" if few else "t"
    return encode_cursor(
        sort + mode, repr(key) if sort != "title" else str(key), str(last)
    )


def place(after: str, sort: Sort) -> tuple[bool | None, str, UUID]:
    """Whether few matched, key and id; ``BadCursor`` if it is of another list."""
    name, key, last = decode_cursor(after, 3)
    modes: dict[str, bool | None] = (
        {"w": True, "t": False} if sort == "relevance" else {"": None}
    )
    if name[: len(sort)] != sort or name[len(sort) :] not in modes:
        raise BadCursor
    if sort != "title":
        _check_number(key, sort)
    return modes[name[len(sort) :]], key, decode_id_cursor(encode_cursor(last))


def _check_number(text: str, sort: Sort) -> None:
    try:
        number = float(text) if sort == "relevance" else int(text)
    except ValueError:
        raise BadCursor from None
    if repr(number) != text or not math.isfinite(number) or abs(number) > _LARGEST:
        raise BadCursor
