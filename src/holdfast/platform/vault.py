"""Seals personal data, and looks people up without knowing who they are.

A sealed value is AES-256-GCM (tink), bound to its place: a value copied into another
row, or into another table, does not open there. Its first five bytes name the key. An
index is HMAC-SHA-256 under a key of its own, so that equal addresses can be found and
a copy of the database tells nothing about them.

The keys come from ``data_keys``; this file knows no database and no key service.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import tink
from tink import aead

T = TypeVar("T")

PREFIX_BYTES = 5
_INDEX_BYTES = 32


class CannotOpen(Exception):
    """A sealed value is not what was sealed there, or its key is gone."""


class Vault:
    """The keys of personal data, ready for use; about 2 us a value."""

    def __init__(self, keyset: "tink.KeysetHandle", index_key: bytes) -> None:
        self.on_unknown_key: Callable[[], None] = _ignore
        self.use(keyset, index_key)

    @classmethod
    def fresh(cls) -> "Vault":
        """A vault with new keys that are kept nowhere."""
        return cls(new_keyset(), new_index_key())

    def use(self, keyset: "tink.KeysetHandle", index_key: bytes) -> None:
        """Go on with these keys; those before should be among them."""
        self.keyset = keyset
        self._prefixes = frozenset(map(prefix_of, key_ids(keyset)))
        self._aead = keyset.primitive(aead.Aead)
        self._index_key = index_key

    @property
    def prefix(self) -> bytes:
        """What everything begins with that is sealed from now on."""
        return prefix_of(self.keyset.keyset_info().primary_key_id)

    def seal(self, plain: bytes, *, place: str) -> bytes:
        """Seal *plain* for *place*, which is ``"<table>:<id>"``."""
        sealed: bytes = self._aead.encrypt(plain, place.encode())
        return sealed

    def open(self, sealed: bytes, *, place: str) -> bytes:
        """What was sealed for *place*; ``CannotOpen`` if it is not from there."""
        try:
            plain: bytes = self._aead.decrypt(sealed, place.encode())
        except tink.TinkError as error:
            if sealed[:PREFIX_BYTES] not in self._prefixes:
                # Perhaps another process has begun to use a new key.
                self.on_unknown_key()
            # Never the value: logs are not sealed.
            raise CannotOpen(place) from error
        return plain

    def seal_json(self, value: Any, *, place: str) -> bytes:
        """Seal a value as JSON."""
        return self.seal(msgspec.json.encode(value), place=place)

    def open_json(self, sealed: bytes, kind: type[T], *, place: str) -> T:
        """A value that was sealed as JSON."""
        return msgspec.json.decode(self.open(sealed, place=place), type=kind)

    def index(self, value: str, *, purpose: str) -> bytes:
        """A keyed hash of *value*: equal for equal values of one purpose, 32 bytes."""
        said = purpose.encode() + b"\x00" + value.encode()
        return hmac.new(self._index_key, said, hashlib.sha256).digest()


def prefix_of(key_id: int) -> bytes:
    """What values begin with that were sealed under a key."""
    return b"\x01" + key_id.to_bytes(4)


def key_ids(keyset: "tink.KeysetHandle") -> list[int]:
    """The ids of the keys of a keyset, oldest first."""
    return [int(key.key_id) for key in keyset.keyset_info().key_info]


def new_keyset() -> "tink.KeysetHandle":
    """A keyset of one new key."""
    aead.register()
    return tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)


def new_index_key() -> bytes:
    """A new key for indexes."""
    return secrets.token_bytes(_INDEX_BYTES)


def _ignore() -> None:
    """Nobody wants to know."""
