"""Lots: the order of those who came before the doors opened, by chance alone.

First come, first served would reward the fastest connection and the most patient bot;
who has come before the opening has the same chance whenever that was. The lot of a
ticket is SHA-256 of a secret seed and the ticket's id. The seed's own hash is published
when the room is announced and the seed once the lots are drawn, so anybody can draw
them again and see that nobody chose (commit and reveal).
"""

import hashlib
from collections.abc import Iterable
from uuid import UUID


def commitment(seed: bytes) -> bytes:
    """What is published before the draw: SHA-256 of the seed, 32 bytes."""
    return hashlib.sha256(seed).digest()


def lot(seed: bytes, ticket_id: UUID) -> bytes:
    """The lot of one ticket: SHA-256 of the seed and the 16 bytes of its id."""
    return hashlib.sha256(seed + ticket_id.bytes).digest()


def drawn(seed: bytes, ticket_ids: Iterable[UUID]) -> list[UUID]:
    """All tickets in the order in which they are let in: the lowest lot first."""
    return sorted(ticket_ids, key=lambda one: (lot(seed, one), one))
