"""Customers in PostgreSQL: profiles and what they said about marketing.

Whoever changes anything of a customer takes them first (``lock``): what is sealed can
only be changed by reading it, so one changer at a time.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from holdfast.domain.customers.errors import CustomerNotFound
from holdfast.domain.customers.model import Consent, Customer
from holdfast.kernel.ids import new_id
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction
from holdfast.platform.vault import Vault

_SQL = sql.load("holdfast.domain.customers")
_ADD = _SQL["add"]
_FIND = _SQL["find"]
_LOCK = _SQL["lock"]
_CHANGE = _SQL["change"]
_BROWSE = _SQL["browse"]
_ERASE = _SQL["erase"]
_SAY = _SQL["say"]
_SAID = _SQL["said"]
_AGREED = _SQL["agreed"]


class _Personal(msgspec.Struct, frozen=True):
    """What is sealed of a profile."""

    given_name: str | None = None
    family_name: str | None = None
    phone: str | None = None


async def add(
    tx: Transaction,
    vault: Vault,
    account_id: UUID,
    *,
    given_name: str | None = None,
    family_name: str | None = None,
    at: datetime,
) -> Customer:
    """Keep the profile of a new account; one that it has stays as it is."""
    sealed = _seal(vault, account_id, _Personal(given_name, family_name))
    row = await tx.fetchrow(_ADD, account_id, sealed, at)
    return await find(tx, vault, account_id) if row is None else _customer(vault, row)


async def find(connection: Connection, vault: Vault, account_id: UUID) -> Customer:
    """The profile of an account, empty if it says nothing; ``CustomerNotFound``."""
    found = await find_many(connection, vault, [account_id])
    if account_id not in found:
        raise CustomerNotFound
    return found[account_id]


async def find_many(
    connection: Connection, vault: Vault, account_ids: Iterable[UUID]
) -> dict[UUID, Customer]:
    """The profiles of accounts, as far as they exist and are not erased."""
    rows = await connection.fetch(_FIND, list(account_ids))
    return {row["account_id"]: _customer(vault, row) for row in rows}


async def browse(
    connection: Connection, vault: Vault, *, after: str | None, limit: int
) -> Page[Customer]:
    """A page of customers, newest first."""
    last = None if after is None else decode_id_cursor(after)
    rows = await connection.fetch(_BROWSE, last, limit + 1)
    found = [_customer(vault, row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(found, encode_cursor(str(found[-1].account_id)) if more else None)


async def lock(
    tx: Transaction, vault: Vault, account_id: UUID, *, at: datetime
) -> Customer:
    """Take a customer for a change until *tx* ends.

    An account from before it had a profile gets an empty one. Raises
    ``CustomerNotFound`` where there is no account, or it is erased.
    """
    row = await tx.fetchrow(_LOCK, account_id, at)
    if row is None:
        raise CustomerNotFound
    return _customer(vault, row)


async def change(
    tx: Transaction, vault: Vault, customer: Customer, *, at: datetime
) -> None:
    """Write a profile; the customer must be locked."""
    personal = _Personal(customer.given_name, customer.family_name, customer.phone)
    await tx.execute(
        _CHANGE,
        customer.account_id,
        _seal(vault, customer.account_id, personal),
        customer.locale,
        customer.currency,
        customer.time_zone,
        at,
    )


async def erase(tx: Transaction, account_id: UUID) -> None:
    """Forget profile, addresses and consents; again does nothing."""
    await tx.execute(_ERASE, account_id)


async def say(
    tx: Transaction, account_id: UUID, *, granted: bool, source: str, at: datetime
) -> None:
    """Keep that a customer agrees to marketing, or no longer; must be locked.

    What they said last is not kept twice.
    """
    await tx.execute(_SAY, new_id(), account_id, granted, source, at)


async def said(connection: Connection, account_id: UUID) -> list[Consent]:
    """Everything that a customer said about marketing, latest first."""
    return [Consent(*row) for row in await connection.fetch(_SAID, account_id)]


async def agreed(
    connection: Connection, account_ids: Iterable[UUID]
) -> dict[UUID, Consent]:
    """What customers said about marketing last; of those who said anything."""
    rows = await connection.fetch(_AGREED, list(account_ids))
    return {
        row["account_id"]: Consent(row["granted"], row["source"], row["said_at"])
        for row in rows
    }


def _seal(vault: Vault, account_id: UUID, personal: _Personal) -> bytes:
    return vault.seal_json(personal, place=f"customers:{account_id}")


def _customer(vault: Vault, row: Row) -> Customer:
    account_id, sealed = row["account_id"], row["sealed"]
    personal = _Personal()
    if sealed is not None:
        personal = vault.open_json(sealed, _Personal, place=f"customers:{account_id}")
    return Customer(
        account_id,
        personal.given_name,
        personal.family_name,
        personal.phone,
        row["locale"],
        row["currency"],
        row["time_zone"],
        row["created_at"],
        row["updated_at"],
    )
