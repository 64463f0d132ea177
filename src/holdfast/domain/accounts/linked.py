"""Identities elsewhere that open an account here.

Who somebody is elsewhere is kept as a keyed hash: enough to know them again.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction
from holdfast.platform.vault import Vault

_SQL = sql.load("holdfast.domain.accounts")
_LINK_IDENTITY = _SQL["link_identity"]
_ACCOUNT_OF_IDENTITY = _SQL["account_of_identity"]
_LINKED_IDENTITIES_OF = _SQL["linked_identities_of"]
_UNLINK_IDENTITY = _SQL["unlink_identity"]


@dataclass(frozen=True, slots=True)
class LinkedIdentity:
    """A site with which an account can be signed in to."""

    issuer: str
    linked_at: datetime


async def link_identity(
    tx: Transaction,
    vault: Vault,
    *,
    issuer: str,
    subject: str,
    account_id: UUID,
    at: datetime,
) -> tuple[UUID, bool]:
    """Let an identity open an account, unless it opens one already.

    Returns the account that it opens, and whether that is new.
    """
    index = _index(vault, issuer, subject)
    row = await tx.fetchrow(_LINK_IDENTITY, issuer, index, account_id, at)
    if row is None:
        raise AssertionError("an upsert returns its row")
    return row["account_id"], row["is_new"]


async def account_of_identity(
    connection: Connection, vault: Vault, *, issuer: str, subject: str
) -> UUID | None:
    """The account that an identity opens, whatever its status."""
    index = _index(vault, issuer, subject)
    found: UUID | None = await connection.fetchval(_ACCOUNT_OF_IDENTITY, issuer, index)
    return found


async def linked_identities_of(
    connection: Connection, account_id: UUID
) -> list[LinkedIdentity]:
    """What opens an account from elsewhere."""
    rows = await connection.fetch(_LINKED_IDENTITIES_OF, account_id)
    return [LinkedIdentity(row["issuer"], row["linked_at"]) for row in rows]


async def unlink_identity(tx: Transaction, account_id: UUID, issuer: str) -> bool:
    """Let an issuer's word open an account no longer; whether it did."""
    return bool(await tx.fetch(_UNLINK_IDENTITY, account_id, issuer))


def _index(vault: Vault, issuer: str, subject: str) -> bytes:
    return vault.index(f"{issuer}\n{subject}", purpose="subject")
