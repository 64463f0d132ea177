"""Where the keys of personal data are kept: in the database, wrapped.

The key that wraps them is not in the database. ``HOLDFAST_DATA_KEY`` says where it
is: a key service (which never hands it out), a file, or the environment itself. The
first process of a new shop makes the keys; a shop whose wrapping key is lost is
refused rather than given new ones, since what was sealed would be gone.
"""

import asyncio
import base64
import binascii
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import tink
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tink import aead, proto_keyset_format

from holdfast.kernel.clock import Clock
from holdfast.platform import sql
from holdfast.platform.db import Database
from holdfast.platform.settings import BadSettings
from holdfast.platform.vault import Vault, new_index_key, new_keyset

_SQL = sql.load("holdfast.platform")
_DATA_KEYS = _SQL["data_keys"]
_ADD_DATA_KEY = _SQL["add_data_key"]

_PERSONAL, _INDEX = "personal", "index"
_KEY_BYTES, _NONCE_BYTES = 32, 12


class WrappingKeyWrong(BadSettings):
    """The wrapping key is missing, or is not the one that this shop was begun with."""


class Wrapper(Protocol):
    """What wraps and unwraps keys; tink's ``Aead`` is one."""

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes: ...

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes: ...


async def open_vault(db: Database, where: str, *, clock: Clock) -> Vault:
    """The vault of a shop; its keys are made if the shop has none.

    *where* is ``HOLDFAST_DATA_KEY``. Raises ``WrappingKeyWrong``.
    """
    wrapped = {row["name"]: row["wrapped"] for row in await db.fetch(_DATA_KEYS)}
    # A key service is asked over HTTP by its own client, which blocks.
    wrapper = await asyncio.to_thread(wrapper_of, where, create=not wrapped)
    if not wrapped:
        made = await asyncio.to_thread(_new_keys, wrapper)
        async with db.transaction() as tx:
            for name, value in made.items():
                # Another process may have been first: then its keys are the keys.
                await tx.execute(_ADD_DATA_KEY, name, value, shown(where), clock())
        wrapped = {row["name"]: row["wrapped"] for row in await db.fetch(_DATA_KEYS)}
    return Vault(*await asyncio.to_thread(_unwrap, wrapper, wrapped))


def wrapper_of(where: str, *, create: bool = False) -> Wrapper:
    """What ``HOLDFAST_DATA_KEY`` names; a missing file is made if *create*."""
    scheme, _, rest = where.partition(":")
    if scheme == "base64":
        return _LocalKey(_decoded(rest))
    if scheme == "file":
        return _LocalKey(_read(Path(rest), create=create))
    return _service(where)


def shown(where: str) -> str:
    """The same without any secret."""
    return "base64:..." if where.startswith("base64:") else where


class _LocalKey:
    """Wraps with AES-256-GCM and a key that this process holds."""

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, plaintext, associated_data)

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        nonce, rest = ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:]
        return self._aead.decrypt(nonce, rest, associated_data)


def _decoded(text: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _KEY_BYTES:
        raise WrappingKeyWrong(
            "HOLDFAST_DATA_KEY must hold 32 bytes in base64, as "
            "`head -c 32 /dev/urandom | base64` prints them."
        )
    return key


def _read(path: Path, *, create: bool) -> bytes:
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
        key = base64.b64encode(secrets.token_bytes(_KEY_BYTES))
        # Another process may have been first: then its key is the key.
        with suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(key)
    try:
        return _decoded(path.read_text("ascii"))
    except (OSError, UnicodeError) as error:
        raise WrappingKeyWrong(
            f"The key of personal data cannot be read from {path}: without it this "
            "shop's personal data stays sealed. Put the file back."
        ) from error


def _service(where: str) -> Wrapper:
    """The key service that *where* names, by tink's clients."""
    aead.register()
    try:
        if where.startswith("aws-kms://"):
            from tink.integration import awskms as service  # noqa: PLC0415

            client = service.AwsKmsClient(where, None)
        elif where.startswith("gcp-kms://"):
            from tink.integration import gcpkms as service  # noqa: PLC0415

            client = service.GcpKmsClient(where, None)
        else:
            from tink.integration import hcvault as service  # noqa: PLC0415

            client = service.HcVaultClient(where, None)
    except ImportError as error:
        extra = where.partition("://")[0].replace("-", "")
        raise WrappingKeyWrong(
            f"HOLDFAST_DATA_KEY needs the extra holdfast[{extra}], which is not "
            "installed."
        ) from error
    wrapper: Wrapper = client.get_aead(where)
    return wrapper


def _new_keys(wrapper: Wrapper) -> dict[str, bytes]:
    return {
        _PERSONAL: wrap(new_keyset(), wrapper),
        _INDEX: wrapper.encrypt(new_index_key(), _INDEX.encode()),
    }


def wrap(keyset: "tink.KeysetHandle", wrapper: Wrapper) -> bytes:
    """A keyset as it is kept."""
    kept: bytes = proto_keyset_format.serialize_encrypted(
        keyset, wrapper, _PERSONAL.encode()
    )
    return kept


def _unwrap(
    wrapper: Wrapper, wrapped: dict[str, bytes]
) -> tuple["tink.KeysetHandle", bytes]:
    aead.register()
    try:
        keyset = proto_keyset_format.parse_encrypted(
            wrapped[_PERSONAL], wrapper, _PERSONAL.encode()
        )
        return keyset, wrapper.decrypt(wrapped[_INDEX], _INDEX.encode())
    except (tink.TinkError, InvalidTag) as error:
        raise WrappingKeyWrong(
            "HOLDFAST_DATA_KEY is not the key that this shop's personal data was "
            "sealed under."
        ) from error
