"""Where webhooks go, and how the receiver knows that they are ours.

https://github.com/standard-webhooks/standard-webhooks, symmetric signatures.
"""

import base64
import binascii
import hmac
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

_PREFIX = "whsec_"
_KEY_BYTES = range(24, 65)
"""What the specification asks of a secret."""


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    url: Annotated[str, msgspec.Meta(pattern=r"^https?://[!-~]+\Z", max_length=2048)]
    secret: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if not parts.hostname or parts.username is not None:
            raise ValueError("url must name a host, and no user")
        if parts.port == 0:
            raise ValueError("url must name a port that there is")
        if len(self.key) not in _KEY_BYTES:
            raise ValueError("secret must be whsec_ and 24 to 64 bytes in base64")

    def __repr__(self) -> str:
        return f"Target({self.url!r})"

    @property
    def key(self) -> bytes:
        """Empty if the secret is none."""
        if not self.secret.startswith(_PREFIX):
            return b""
        try:
            return base64.b64decode(self.secret.removeprefix(_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            return b""


def sign(key: bytes, *, event_id: str, timestamp: int, body: bytes) -> str:
    signed = f"{event_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
