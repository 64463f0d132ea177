"""Identifiers that sort by the time they were made (UUIDv7, RFC 9562 5.7).

Made in the application, not by the database, so that a row's id is known before
it is written and an insert never waits for a sequence. New rows land at the
right edge of an index, which keeps inserts cheap as a table grows.
"""

import os
import time
from uuid import UUID

_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62
_LOW_62_BITS = (1 << 62) - 1
_12_BITS = (1 << 12) - 1


def new_id() -> UUID:
    """A new UUIDv7: 48 bits of milliseconds, 74 bits of chance."""
    milliseconds = time.time_ns() // 1_000_000
    chance = int.from_bytes(os.urandom(10))
    return UUID(
        int=(milliseconds & ((1 << 48) - 1)) << 80
        | _VERSION_7
        | ((chance >> 64) & _12_BITS) << 64
        | _VARIANT
        | (chance & _LOW_62_BITS)
    )
