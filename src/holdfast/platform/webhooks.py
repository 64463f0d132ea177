"""Messages from outside that prove who sent them (Standard Webhooks 1.0).

The sender signs id, timestamp and body with a secret that both know. A message is
believed when one of its signatures is right under one of the secrets, of which
there may be two while the secret is being changed, and when it is not older or
newer than five minutes. A copy sent again within that time is believed too: whoever
acts on a message must know its id from the first time.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

from holdfast.kernel.errors import Unauthenticated

TOLERANCE = timedelta(minutes=5)

_PREFIX = "whsec_"
# The standard's bounds for a secret.
_MIN_BYTES, _MAX_BYTES = 24, 64
_MAX_ID = 255
# Enough for every secret that is being changed; a header of thousands is an attack.
_MAX_SIGNATURES = 10

Doubt: TypeAlias = Literal["headers", "signature", "timestamp"]
"""What is wrong: headers missing or unreadable, signed by nobody we know, or sent at
another time than now."""


@dataclass(eq=False)
class WebhookNotVerified(Unauthenticated):
    """The message does not prove who sent it."""

    reason: Doubt


@dataclass(frozen=True, slots=True)
class Verified:
    """A message that was signed by one who knows the secret."""

    id: str
    sent_at: datetime


def verify(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    now: datetime,
) -> Verified:
    """Check a message against the secrets; ``WebhookNotVerified``.

    *headers* are looked up by their lower-case names. Without a secret nothing is
    believed.
    """
    id_ = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "")
    readable = 0 < len(id_) <= _MAX_ID and id_.isascii() and id_.isprintable()
    # Twelve digits last until the year 33658.
    dated = timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12  # noqa: PLR2004 - as said
    if not (readable and dated and given):
        raise WebhookNotVerified("headers")
    signed = f"{id_}.{timestamp}.".encode() + body
    if not _is_signed(signed, given, secrets):
        raise WebhookNotVerified("signature")
    # Only now: a stranger learns nothing of our clock.
    if abs(int(timestamp) - now.timestamp()) > TOLERANCE.total_seconds():
        raise WebhookNotVerified("timestamp")
    return Verified(id_, datetime.fromtimestamp(int(timestamp), UTC))


def key_of(secret: str) -> bytes:
    """The bytes of a secret as it is written, ``whsec_`` and base64; ``ValueError``."""
    if not secret.startswith(_PREFIX):
        raise ValueError(f"a webhook secret begins with {_PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        # From None: the fault would quote the secret.
        raise ValueError("a webhook secret ends in base64") from None
    if not _MIN_BYTES <= len(key) <= _MAX_BYTES:
        raise ValueError(f"a webhook secret has {_MIN_BYTES} to {_MAX_BYTES} bytes")
    return key


def signature(secret: str, id_: str, timestamp: int, body: bytes) -> str:
    """What the header ``webhook-signature`` says of a message."""
    signed = f"{id_}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(_digest(key_of(secret), signed)).decode()


def _is_signed(signed: bytes, given: str, secrets: Sequence[str]) -> bool:
    expected = [_digest(key_of(secret), signed) for secret in secrets]
    # Other versions than v1 are keys of another kind, which we do not have.
    offered = [
        part.removeprefix("v1,")
        for part in given.split(" ")[:_MAX_SIGNATURES]
        if part.startswith("v1,")
    ]
    right = False
    for text in offered:
        try:
            digest = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            continue
        for known in expected:
            right |= hmac.compare_digest(digest, known)
    return right


def _digest(key: bytes, signed: bytes) -> bytes:
    return hmac.new(key, signed, hashlib.sha256).digest()
