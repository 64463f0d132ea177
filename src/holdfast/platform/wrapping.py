"""What wraps the keys of personal data: a key service, a file, or the environment.

``HOLDFAST_DATA_KEY`` says which. A key service never hands its key out; a file or the
environment is for development and tests. Everything that can be wrong here stops a
process at its start with one sentence, ``WrappingKeyWrong``, and never shows a key.
"""

import base64
import binascii
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import tink
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tink import aead

from holdfast.platform.settings import BadSettings

_KEY_BYTES, _NONCE_BYTES = 32, 12
# A thread waits for it, which cannot be interrupted: shorter than the policies' limit.
_CONNECT_SECONDS, _ANSWER_SECONDS = 2.0, 4.0


class WrappingKeyWrong(BadSettings):
    """The wrapping key is missing, or is not the one that this shop was begun with."""


class KeyServiceFailed(WrappingKeyWrong):
    """The key service did not help; the next time it may."""


class Wrapper(Protocol):
    """What wraps and unwraps keys; tink's ``Aead`` is one."""

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes: ...

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes: ...


def wrapper_of(where: str, *, create: bool = False) -> Wrapper:
    """What ``HOLDFAST_DATA_KEY`` names; a missing file is made if *create*.

    Blocks: a key service is asked over HTTP by its own client.
    """
    scheme, _, rest = where.partition(":")
    if scheme == "base64":
        return _LocalKey(_decoded(rest))
    if scheme == "file":
        return _LocalKey(_read(Path(rest), create=create))
    return _KeyService(where)


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
        try:
            return self._aead.decrypt(nonce, rest, associated_data)
        except InvalidTag as error:
            raise tink.TinkError("another key") from error


class _KeyService:
    """Has a key service wrap; whatever fails there is told in one sentence."""

    def __init__(self, where: str) -> None:
        self._where = where
        aead.register()
        try:
            self._aead: Wrapper = _client(where).get_aead(where)
        except ImportError as error:
            extra = where.partition("://")[0].replace("-", "")
            raise WrappingKeyWrong(
                f"HOLDFAST_DATA_KEY needs the extra holdfast[{extra}], which is not "
                "installed."
            ) from error
        except Exception as error:
            raise self._failed(error) from error

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        try:
            return self._aead.encrypt(plaintext, associated_data)
        except Exception as error:
            raise self._failed(error) from error

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        try:
            return self._aead.decrypt(ciphertext, associated_data)
        except tink.TinkError:
            raise
        except Exception as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> KeyServiceFailed:
        # Each service's client has errors of its own, known only where it is installed.
        said = " ".join(str(error).split()) or type(error).__name__
        return KeyServiceFailed(f"The key service {self._where} does not help: {said}")


def _client(where: str) -> "tink.KmsClient":
    if where.startswith("aws-kms://"):
        import boto3  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra
        from botocore.config import (  # type: ignore[import-untyped]  # noqa: PLC0415
            Config,
        )
        from tink.integration import awskms  # noqa: PLC0415 - an extra

        # arn:aws:kms:<region>:<account>:key/<id>; who misspells it is told by tink.
        _, _, rest = where.partition(":kms:")
        # boto's own four retries are switched off: the policies around it have theirs.
        config = Config(
            region_name=rest.partition(":")[0] or None,
            retries={"total_max_attempts": 1},
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_ANSWER_SECONDS,
        )
        return awskms.new_client(
            boto3_client=boto3.client("kms", config=config), key_uri=where
        )
    if where.startswith("gcp-kms://"):
        from tink.integration import gcpkms  # noqa: PLC0415 - an extra

        return gcpkms.GcpKmsClient(where, None)
    from tink.integration import hcvault  # noqa: PLC0415 - an extra

    return hcvault.HcVaultClient(where, None)


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
    try:
        if create and not path.exists():
            _make(path)
        return _decoded(path.read_text("ascii"))
    except (OSError, UnicodeError) as error:
        raise WrappingKeyWrong(
            f"The key of personal data cannot be read from {path}: without it this "
            "shop's personal data stays sealed. Put the file back."
        ) from error


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Under another name first: nobody may read a file that is not yet written. Only
    # its owner may read what mkstemp makes.
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(_KEY_BYTES)))
            file.flush()
            os.fsync(file.fileno())
        # Another process may have been first: then its key is the key.
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        Path(draft).unlink()
