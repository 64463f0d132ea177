"""What wraps the keys of personal data: a key service, a file, or the environment.

``HOLDFAST_DATA_KEY`` says which. A key service never hands its key out; a file or the
environment is for development and tests. Everything that can be wrong here stops a
process at its start with one sentence, ``WrappingKeyWrong``, and never shows a key.
"""

import base64
import binascii
import os
import re
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import tink
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tink import aead

from holdfast.platform.settings import BadSettings

_KEY_BYTES, _NONCE_BYTES = 32, 12
# A thread waits for it, which cannot be interrupted: shorter than the policies' limit.
_CONNECT_SECONDS, _ANSWER_SECONDS = 2.0, 4.0
# Also what is named by an alias, and the partitions of China and of governments.
_AWS_KEY = re.compile(
    r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):[^:/]+:(key|alias)/.+"
)
_GOOGLE_KEY = re.compile(
    "projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+"
)


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
            self._aead: Wrapper = _aead_of(where)
        except WrappingKeyWrong:
            raise
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


def _aead_of(where: str) -> Wrapper:
    if where.startswith("aws-kms://"):
        return _AwsKey(where)
    if where.startswith("gcp-kms://"):
        return _GoogleKey(where)
    return _VaultKey(where)


class _AwsKey:
    """Has AWS KMS wrap, in the form in which tink's client would.

    Not by tink's client: that one says of whatever AWS refuses, a role that may not or
    too many questions at once, what it says of a wrong key.
    """

    def __init__(self, where: str) -> None:
        import boto3  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra
        from botocore.config import (  # type: ignore[import-untyped]  # noqa: PLC0415
            Config,
        )

        found = _AWS_KEY.fullmatch(where.removeprefix("aws-kms://"))
        if found is None:
            raise WrappingKeyWrong(
                "HOLDFAST_DATA_KEY must be aws-kms://arn:aws:kms:<region>:<account>:"
                "key/<id>."
            )
        # boto's own four retries are switched off: the policies around it have theirs.
        config = Config(
            region_name=found["region"],
            retries={"total_max_attempts": 1},
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_ANSWER_SECONDS,
        )
        self._name = found[0]
        self._client: Any = boto3.client("kms", config=config)
        # What it says of a value that this key did not wrap, or not for this.
        self._refused = (
            self._client.exceptions.InvalidCiphertextException,
            self._client.exceptions.IncorrectKeyException,
        )

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        answer = self._client.encrypt(
            KeyId=self._name,
            Plaintext=plaintext,
            EncryptionContext=_context(associated_data),
        )
        return bytes(answer["CiphertextBlob"])

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        try:
            answer = self._client.decrypt(
                KeyId=self._name,
                CiphertextBlob=ciphertext,
                EncryptionContext=_context(associated_data),
            )
        except self._refused as error:
            raise tink.TinkError("another key") from error
        return bytes(answer["Plaintext"])


def _context(associated_data: bytes) -> dict[str, str]:
    # As tink writes it: keys that its client wrapped are unwrapped by this.
    return {"associatedData": associated_data.hex()} if associated_data else {}


class _GoogleKey:
    """Has Google Cloud KMS wrap.

    Not by tink's client: that one waits a minute and asks again by itself, and says of
    a service that is away what it says of a wrong key.
    """

    def __init__(self, where: str) -> None:
        from google.api_core import exceptions  # noqa: PLC0415 - an extra
        from google.cloud import kms_v1  # noqa: PLC0415 - an extra

        name = where.removeprefix("gcp-kms://")
        if not _GOOGLE_KEY.fullmatch(name):
            raise WrappingKeyWrong(
                "HOLDFAST_DATA_KEY must be gcp-kms://projects/<project>/locations/"
                "<location>/keyRings/<ring>/cryptoKeys/<key>."
            )
        self._name = name
        self._refused = exceptions.InvalidArgument
        self._client: Any = kms_v1.KeyManagementServiceClient()

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        wanted = {"plaintext": plaintext}
        answer = self._ask(self._client.encrypt, associated_data, wanted)
        return bytes(answer.ciphertext)

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        wanted = {"ciphertext": ciphertext}
        try:
            answer = self._ask(self._client.decrypt, associated_data, wanted)
        except self._refused as error:
            raise tink.TinkError("another key") from error
        return bytes(answer.plaintext)

    def _ask(
        self, method: Callable[..., Any], said: bytes, wanted: dict[str, bytes]
    ) -> Any:
        request = {"name": self._name, "additional_authenticated_data": said, **wanted}
        return method(request=request, timeout=_ANSWER_SECONDS, retry=None)


class _VaultKey:
    """Has the transit engine of HashiCorp Vault wrap.

    Not by tink's client: that one takes no associated data, which is what tells a
    keyset from an index key here, and says of a Vault that is away what it says of a
    wrong key.
    """

    def __init__(self, where: str) -> None:
        import hvac  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra

        parts = urlsplit(where)
        mount, _, name = parts.path.strip("/").rpartition("/keys/")
        if not (mount and name) or "/" in name or "@" in parts.netloc:
            raise WrappingKeyWrong(
                "HOLDFAST_DATA_KEY must be hcvault://<host>/<mount>/keys/<key>; "
                "without a host, VAULT_ADDR says where the Vault is."
            )
        # Whatever is not said here is in VAULT_ADDR, VAULT_TOKEN (or ~/.vault-token),
        # VAULT_CACERT and the like, as for Vault's own tools.
        client = hvac.Client(
            url=f"https://{parts.netloc}" if parts.netloc else None,
            timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS),
        )
        self._refused = hvac.exceptions.InvalidRequest
        self._transit: Any = client.secrets.transit
        self._key = {"name": name, "mount_point": mount}

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        answer = self._transit.encrypt_data(
            plaintext=_text(plaintext),
            associated_data=_text(associated_data),
            **self._key,
        )
        return _field(answer, "ciphertext").encode()

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        try:
            answer = self._transit.decrypt_data(
                ciphertext=ciphertext.decode("ascii"),
                associated_data=_text(associated_data),
                **self._key,
            )
        except (UnicodeError, self._refused) as error:
            raise tink.TinkError("another key") from error
        return base64.b64decode(_field(answer, "plaintext"))


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _field(answer: Any, name: str) -> str:
    # A proxy on the way may answer with anything.
    try:
        return str(answer["data"][name])
    except (KeyError, TypeError) as error:
        raise OSError("What it answers is not what a Vault says.") from error


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
