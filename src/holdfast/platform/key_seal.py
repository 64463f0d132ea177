"""Seals an answer under the idempotency key itself.

Some answers open something: a new API key, the tokens of a session. Nobody but who
asked may have them again, not even with the database and the vault in hand, so they
are sealed under a key derived from the client's own (HKDF, RFC 5869; then AES-256-GCM),
of which only a hash is kept. That takes a key that cannot be guessed.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12
_KEY_BYTES = 32
_PURPOSE = b"holdfast idempotency answer\x00"


class WrongKey(Exception):
    """An answer was not sealed under this key, or for this place."""


def seal(key: str, plain: bytes, *, place: str) -> bytes:
    """Seal *plain* so that only who has *key* can open it, and only at *place*."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + _aead(key, place).encrypt(nonce, plain, None)


def unseal(key: str, sealed: bytes, *, place: str) -> bytes:
    """What was sealed; ``WrongKey``."""
    nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return _aead(key, place).decrypt(nonce, rest, None)
    except (InvalidTag, ValueError):
        # Never the key or the place: the place holds the hash of it.
        raise WrongKey from None


def _aead(key: str, place: str) -> AESGCM:
    derive = HKDF(SHA256(), _KEY_BYTES, salt=None, info=_PURPOSE + place.encode())
    return AESGCM(derive.derive(key.encode()))
