"""Seals personal data, and looks people up without knowing who they are.

A sealed value is AES-256-GCM (tink), bound to its place: a value copied into another
row, or into another table, does not open there. Its first five bytes name the key. An
index is HMAC-SHA-256 under a key of its own, so that equal addresses can be found and
a copy of the database tells nothing about them.

The keys come from ``data_keys``; this file knows no database and no key service. Until
they have come the vault is locked: whoever needs it is told to ask again.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import msgspec
import tink
from tink import aead

from holdfast.kernel.errors import Unavailable

T = TypeVar("T")

PREFIX_BYTES = 5
_INDEX_BYTES = 32


class CannotOpen(Exception):
    """A sealed value is not what was sealed there, or its key is gone."""


@dataclass(eq=False)
class VaultLocked(Unavailable):
    """The keys of personal data cannot be had at the moment."""


class Vault:
    """The keys of personal data, ready for use; about 2 us a value.

    A new one is locked until ``use`` gives it keys: everything raises ``VaultLocked``.
    """

    def __init__(self) -> None:
        self.on_unknown_key: Callable[[], None] = _ignore
        self._prefixes: frozenset[bytes] = frozenset()
        self._aead: Any = _Locked(self)
        self._index_key: bytes | None = None
        self._keyset: tink.KeysetHandle | None = None

    @classmethod
    def fresh(cls) -> "Vault":
        """A vault with new keys that are kept nowhere."""
        vault = cls()
        vault.use(new_keyset(), new_index_key())
        return vault

    def use(self, keyset: "tink.KeysetHandle", index_key: bytes) -> None:
        """Go on with these keys; those before should be among them."""
        self._keyset = keyset
        self._prefixes = frozenset(map(prefix_of, key_ids(keyset)))
        self._aead = keyset.primitive(aead.Aead)
        self._index_key = index_key

    @property
    def is_open(self) -> bool:
        """Whether the keys are here."""
        return self._keyset is not None

    @property
    def keyset(self) -> "tink.KeysetHandle":
        """The keys that seal."""
        return self._keyset or self._aead.refuse()

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
        key = self._index_key or self._aead.refuse()
        return hmac.new(key, said, hashlib.sha256).digest()


class _Locked:
    """Stands where the keys will be, and wakes whoever fetches them."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def refuse(self, *_: bytes) -> NoReturn:
        self._vault.on_unknown_key()
        raise VaultLocked

    encrypt = decrypt = refuse


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
