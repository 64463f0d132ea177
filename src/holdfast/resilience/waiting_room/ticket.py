"""What a visitor holds: a place in one line, signed, so that nobody can make their own.

A ticket says all that is needed to answer whoever holds it: which room, which place,
and, once they were let in, until when. Checking one takes an HMAC-SHA256 (RFC 2104)
and no look anywhere, so that a hundred thousand who ask how far they are cost as little
as that. 128 bits of the MAC are kept (RFC 2104 5 allows half), in constant time
compared.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass
from uuid import UUID

_PREFIX = "hfw_"
_VERSION = 1
# Version, room, ticket, place (0: not drawn yet), let in until (0: not let in).
_BODY = struct.Struct(">B16s16sQQ")
_MAC_BYTES = 16
_CHARS = 4 * -(-(_BODY.size + _MAC_BYTES) // 3)


class TicketForged(Exception):
    """The text is no ticket that this key has signed."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A place in the line of one room."""

    room: UUID
    id: UUID
    position: int | None = None
    """From 1; None before the lots are drawn."""
    admitted_until: int | None = None
    """Seconds since the epoch; None for who still waits."""


def sign(ticket: Ticket, key: bytes) -> str:
    """The ticket as text for a header: ``hfw_`` and base64url, 91 characters in all."""
    body = _BODY.pack(
        _VERSION,
        ticket.room.bytes,
        ticket.id.bytes,
        ticket.position or 0,
        ticket.admitted_until or 0,
    )
    packed = base64.urlsafe_b64encode(body + _mac(body, key))
    return _PREFIX + packed.rstrip(b"=").decode()


def read(text: str, key: bytes) -> Ticket:
    """The ticket that ``sign`` made of *text* with *key*; ``TicketForged``."""
    body, mac = _unpacked(text)
    if not hmac.compare_digest(_mac(body, key), mac):
        raise TicketForged
    version, room, id_, position, until = _BODY.unpack(body)
    if version != _VERSION:
        raise TicketForged
    return Ticket(UUID(bytes=room), UUID(bytes=id_), position or None, until or None)


def room_of(text: str) -> UUID:
    """The room that *text* claims to be for, to find its key; ``TicketForged``."""
    body, _ = _unpacked(text)
    return UUID(bytes=body[1:17])


def _unpacked(text: str) -> tuple[bytes, bytes]:
    packed = text.removeprefix(_PREFIX)
    if packed == text or len(packed) > _CHARS or not packed.isascii():
        raise TicketForged
    try:
        padded = packed.encode() + b"=" * (-len(packed) % 4)
        whole = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise TicketForged from None
    if len(whole) != _BODY.size + _MAC_BYTES:
        raise TicketForged
    return whole[: _BODY.size], whole[_BODY.size :]


def _mac(body: bytes, key: bytes) -> bytes:
    return hmac.digest(key, body, hashlib.sha256)[:_MAC_BYTES]
