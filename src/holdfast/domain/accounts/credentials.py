"""What a sign-in is checked against, read in the statement that counts the attempt.

The statement is the same for an address that nobody has; it then finds nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from holdfast.domain.accounts.guard import (
    Claim,
    address_place,
    candidates,
    claim_rows,
    claimed,
    counting,
    token_place,
)
from holdfast.domain.accounts.store import email_index
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction
from holdfast.platform.vault import Vault

_SQL = sql.load("holdfast.domain.accounts")
_REPLACE_HASH = _SQL["replace_hash"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """How the owner of an address signs in, as far as there is one."""

    account_id: UUID | None = None
    usable: bool = False
    """Whether the account is active, and its address was verified."""
    password: str | None = None
    """The hash."""
    sealed_password: bytes | None = None
    password_changed_at: datetime | None = None
    """Which password it is: ``hold`` tells whether it is the same later."""
    second_factor: bool = False
    place: bytes | None = None
    """The place that was shown, if the account was used from there before."""
    familiar_address: bool = False


async def begin_sign_in(
    connection: Connection,
    vault: Vault,
    email: str,
    *,
    place: str | None,
    address: str | None,
    at: datetime,
) -> tuple[Credentials, Claim]:
    """Count a sign-in at *email* from *address* and *place*, and say how to check it.

    For the attempt see ``claim_attempt``.
    """
    shown = token_place(place)
    those = candidates(vault, email, address, place=shown)
    whose = email_index(vault, email), shown, address_place(vault, address)
    rows = await claim_rows(connection, whose, those, at=at)
    known = _credentials(rows[0], vault, shown)
    wanted = counting(
        those,
        familiar_place=known.place is not None,
        familiar_address=known.familiar_address,
    )
    return known, claimed(rows, wanted, at=at)


def _credentials(row: Row, vault: Vault, shown: bytes | None) -> Credentials:
    if row["id"] is None:
        return Credentials()
    sealed = row["password"]
    return Credentials(
        account_id=row["id"],
        usable=row["usable"],
        password=None
        if sealed is None
        else vault.open(sealed, place=_place(row["id"])).decode(),
        sealed_password=sealed,
        password_changed_at=row["password_changed_at"],
        second_factor=row["second_factor"],
        place=shown if row["familiar_place"] else None,
        familiar_address=row["familiar_address"],
    )


async def replace_hash(
    tx: Transaction, vault: Vault, known: Credentials, phc: str
) -> None:
    """Keep the same password by another hash, unless it was changed meanwhile."""
    if known.account_id is not None:
        sealed = vault.seal(phc.encode(), place=_place(known.account_id))
        await tx.execute(_REPLACE_HASH, known.account_id, known.sealed_password, sealed)


def _place(account_id: UUID) -> str:
    return f"accounts.password:{account_id}"
