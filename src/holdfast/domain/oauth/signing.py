"""The keys that sign tokens: made here, kept in the database, the private half sealed.

ES256 (ECDSA on P-256): signing and verifying are quick, keys and signatures small, and
every client library knows it. A key is named by its thumbprint (RFC 7638). It has three
stages, all by the clock and without further writes: listed, but not signing yet;
signing, until a younger one does; listed, until the last it signed has expired.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc.jwk import ECKey

from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction
from holdfast.platform.resealing import Sealed
from holdfast.platform.vault import Vault

ALGORITHM = "ES256"
_CURVE = "P-256"

ACCESS_TOKEN_SECONDS = 600
"""How long access tokens and id tokens live."""

LEEWAY = timedelta(seconds=60)
"""How far the clocks of two machines may be apart."""
LISTED_BEFORE = timedelta(minutes=10)
"""How long a key is listed before it signs: twice as long as the list may be kept by
those who verify, so that all of them have it."""
LISTED_AFTER = timedelta(seconds=ACCESS_TOKEN_SECONDS) + LEEWAY
"""How long a key is listed after its last signature, clocks that differ included."""

_SQL = sql.load("holdfast.domain.oauth")
_LOCK_SIGNING_KEYS = _SQL["lock_signing_keys"]
_ADD_SIGNING_KEY = _SQL["add_signing_key"]
_LISTED_SIGNING_KEYS = _SQL["listed_signing_keys"]
_ALL_SIGNING_KEYS = _SQL["all_signing_keys"]
_RETIRE_SIGNING_KEYS = _SQL["retire_signing_keys"]
_FORGET_SIGNING_KEYS = _SQL["forget_signing_keys"]
_SIGNING_KEYS_TO_RESEAL = _SQL["signing_keys_to_reseal"]
_RESEAL_SIGNING_KEYS = _SQL["reseal_signing_keys"]

SEALED = (
    Sealed("signing_keys", take=_SIGNING_KEYS_TO_RESEAL, put=_RESEAL_SIGNING_KEYS),
)


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key as it is listed: what it takes to verify."""

    id: str
    public: ECKey
    created_at: datetime
    signs_from: datetime
    listed_until: datetime | None
    sealed: bytes
    """The private half, for whoever has the vault."""

    def listed(self, at: datetime) -> bool:
        """Whether what this key signed is believed."""
        return self.listed_until is None or at < self.listed_until

    def may_sign(self, at: datetime) -> bool:
        """Whether its time to sign has come and not gone."""
        return self.signs_from <= at and self.listed(at)

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half as RFC 7517 writes it."""
        said = self.public.as_dict(private=False)
        return {**said, "kid": self.id, "alg": ALGORITHM, "use": "sig"}


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """A key that can sign; never shown."""

    id: str
    private: ECKey


def new_signing_key() -> SigningKey:
    """A key that nobody else has."""
    private = ECKey.generate_key(_CURVE, private=True)
    return SigningKey(private.thumbprint(), private)


def unsealed(vault: Vault, key: ListedKey) -> SigningKey:
    """The private half of a listed key; ``CannotOpen`` if it is not this shop's."""
    said = vault.open_json(key.sealed, dict[str, str], place=_place(key.id))
    return SigningKey(key.id, ECKey.import_key(dict(said)))


def signer_among(keys: Iterable[ListedKey], at: datetime) -> ListedKey | None:
    """The youngest key that may sign."""
    able = [key for key in keys if key.may_sign(at)]
    return max(able, key=lambda key: (key.signs_from, key.id), default=None)


async def lock_signing_keys(tx: Transaction) -> None:
    """Let nobody else make or retire keys until the transaction ends."""
    await tx.execute(_LOCK_SIGNING_KEYS)


async def add_signing_key(
    tx: Transaction,
    vault: Vault,
    key: SigningKey,
    *,
    signs_from: datetime,
    at: datetime,
) -> None:
    """Store a key, listed from now on."""
    sealed = vault.seal_json(key.private.as_dict(private=True), place=_place(key.id))
    public = key.private.as_dict(private=False)
    await tx.execute(
        _ADD_SIGNING_KEY, key.id, ALGORITHM, public, sealed, at, signs_from
    )


async def listed_signing_keys(connection: Connection, at: datetime) -> list[ListedKey]:
    """The keys whose signatures are believed, youngest first."""
    return [_key(row) for row in await connection.fetch(_LISTED_SIGNING_KEYS, at)]


async def all_signing_keys(connection: Connection) -> list[ListedKey]:
    """Every key on record, youngest first."""
    return [_key(row) for row in await connection.fetch(_ALL_SIGNING_KEYS)]


async def retire_signing_keys(
    tx: Transaction, *, but: str, listed_until: datetime
) -> list[str]:
    """Take all keys *but* one off the list at that time, if not before.

    Returns the ids of those for which that is news.
    """
    rows = await tx.fetch(_RETIRE_SIGNING_KEYS, but, listed_until)
    return [row["id"] for row in rows]


async def forget_signing_keys(tx: Transaction, *, before: datetime) -> int:
    """Delete the keys that were taken off the list *before* then."""
    return len(await tx.fetch(_FORGET_SIGNING_KEYS, before))


def _place(key_id: str) -> str:
    return f"signing_keys:{key_id}"


def _key(row: Mapping[str, Any]) -> ListedKey:
    return ListedKey(
        row["id"],
        ECKey.import_key(row["public_jwk"]),
        row["created_at"],
        row["signs_from"],
        row["listed_until"],
        row["sealed"],
    )
