"""Accounts in the database."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from holdfast.domain.accounts.errors import AccountErased, AccountNotFound, EmailTaken
from holdfast.domain.accounts.model import Account, Password, Status
from holdfast.kernel.email import canonical
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, ConstraintViolated, Row, Transaction
from holdfast.platform.vault import Vault

_SQL = sql.load("holdfast.domain.accounts")
_ADD_ACCOUNT = _SQL["add_account"]
_BROWSE_ACCOUNTS = _SQL["browse_accounts"]
_ERASE_ACCOUNT = _SQL["erase_account"]
_FIND_ACCOUNT = _SQL["find_account"]
_FIND_ACCOUNTS = _SQL["find_accounts"]
_FIND_ACCOUNT_BY_EMAIL = _SQL["find_account_by_email"]
_HOLD_ACCOUNT = _SQL["hold_account"]
_PASSWORD_OF = _SQL["password_of"]
_SET_EMAIL = _SQL["set_email"]
_SET_PASSWORD = _SQL["set_password"]
_SET_STATUS = _SQL["set_status"]
_VERIFY_EMAIL = _SQL["verify_email"]
_EMAIL_UNIQUE = "accounts_email_unique"


async def create(
    tx: Transaction,
    vault: Vault,
    *,
    account_id: UUID,
    email: str,
    password: str | None,
    verified_at: datetime | None,
    at: datetime,
) -> Account:
    """Store an account; *password* is a hash. Raises ``EmailTaken``.

    The transaction can go on after that. Of two at once for one address, the second
    waits for the first.
    """
    phc = None if password is None else _seal_password(vault, account_id, password)
    row = await tx.fetchrow(
        _ADD_ACCOUNT,
        account_id,
        _seal_email(vault, account_id, email),
        email_index(vault, email),
        phc,
        verified_at,
        at,
    )
    if row is None:
        raise EmailTaken
    return _account(row, vault)


async def find(connection: Connection, vault: Vault, account_id: UUID) -> Account:
    """An account by its id, erased ones included; ``AccountNotFound``."""
    row = await connection.fetchrow(_FIND_ACCOUNT, account_id)
    if row is None:
        raise AccountNotFound(account_id)
    return _account(row, vault)


async def find_many(
    connection: Connection, vault: Vault, account_ids: Iterable[UUID]
) -> dict[UUID, Account]:
    """Those of the accounts that there are, erased ones included."""
    rows = await connection.fetch(_FIND_ACCOUNTS, list(account_ids))
    return {row["id"]: _account(row, vault) for row in rows}


async def find_by_email(
    connection: Connection, vault: Vault, email: str
) -> Account | None:
    """The account with this address, disabled ones included."""
    row = await connection.fetchrow(_FIND_ACCOUNT_BY_EMAIL, email_index(vault, email))
    return None if row is None else _account(row, vault)


async def password_of(
    connection: Connection, vault: Vault, account_id: UUID
) -> str | None:
    """The hash of an account's password, or None if it has none or does not exist."""
    return (await find_password(connection, vault, account_id)).phc


async def find_password(
    connection: Connection, vault: Vault, account_id: UUID
) -> Password:
    """The password of an account as it is now; none if the account does not exist."""
    row = await connection.fetchrow(_PASSWORD_OF, account_id)
    if row is None or row["password"] is None:
        return Password()
    phc = vault.open(row["password"], place=_password_place(account_id)).decode()
    return Password(phc, row["password_changed_at"])


async def hold(
    tx: Transaction,
    account_id: UUID,
    *,
    by_password: bool = True,
    password_changed_at: datetime | None = None,
) -> bool:
    """Keep an account as it is until the commit; whether it is as it was known.

    A password is checked before a transaction and for a long time. What is written
    because it was right comes after this: false if the account was closed since or,
    for a proof *by_password*, if that or the address was changed.
    """
    row = await tx.fetchval(
        _HOLD_ACCOUNT, account_id, not by_password, password_changed_at
    )
    return row is not None


async def browse(
    connection: Connection,
    vault: Vault,
    *,
    after: str | None,
    limit: int,
    email: str | None = None,
    status: Status | None = None,
) -> Page[Account]:
    """A page of accounts, newest first; *email* is the whole address."""
    last = decode_id_cursor(after) if after is not None else None
    index = None if email is None else email_index(vault, email)
    rows = await connection.fetch(_BROWSE_ACCOUNTS, last, limit + 1, index, status)
    found = [_account(row, vault) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(found, encode_cursor(str(found[-1].id)) if more else None)


async def set_password(
    tx: Transaction, vault: Vault, account_id: UUID, phc: str, at: datetime
) -> None:
    """Give an account another password, by its hash."""
    sealed = _seal_password(vault, account_id, phc)
    await _demand_changed(
        tx, account_id, await tx.fetchrow(_SET_PASSWORD, account_id, sealed, at)
    )


async def set_email(
    tx: Transaction,
    vault: Vault,
    account_id: UUID,
    email: str,
    at: datetime,
    *,
    verified: bool = True,
) -> str:
    """Give an account another address; returns the one before.

    Raises ``EmailTaken``, after which the transaction cannot go on.
    """
    try:
        row = await tx.fetchrow(
            _SET_EMAIL,
            account_id,
            _seal_email(vault, account_id, email),
            email_index(vault, email),
            at,
            verified,
        )
    except ConstraintViolated as broken:
        if broken.constraint_name == _EMAIL_UNIQUE:
            raise EmailTaken from None
        raise
    await _demand_changed(tx, account_id, row)
    assert row is not None  # noqa: S101 - demanded
    return _open_email(vault, account_id, row["sealed"])


async def verify_email(tx: Transaction, account_id: UUID, at: datetime) -> bool:
    """Note that the address is the owner's; whether that was news."""
    return await tx.fetchrow(_VERIFY_EMAIL, account_id, at) is not None


async def disable(tx: Transaction, account_id: UUID, at: datetime) -> bool:
    """Let nobody sign in to it any more; whether that was news."""
    return await _set_status(tx, account_id, "disabled", at)


async def enable(tx: Transaction, account_id: UUID, at: datetime) -> bool:
    """Let its owner sign in again; whether that was news."""
    return await _set_status(tx, account_id, "active", at)


async def erase(tx: Transaction, account_id: UUID, at: datetime) -> bool:
    """Forget whose account it was, and every way of signing in; whether it was news.

    The row stays, so that what refers to it still does. Its sessions are to be ended
    by the caller.
    """
    if await tx.fetchrow(_ERASE_ACCOUNT, account_id, at) is not None:
        return True
    if await tx.fetchrow(_FIND_ACCOUNT, account_id) is None:
        raise AccountNotFound(account_id)
    return False


def email_index(vault: Vault, email: str) -> bytes:
    """By what an address is looked up."""
    return vault.index(canonical(email), purpose="email")


async def _set_status(
    tx: Transaction, account_id: UUID, status: Status, at: datetime
) -> bool:
    row = await tx.fetchrow(_SET_STATUS, account_id, status, at)
    await _demand_changed(tx, account_id, row)
    return row is not None and row["status"] != status


async def _demand_changed(tx: Transaction, account_id: UUID, row: Row | None) -> None:
    """Say why nothing was changed, if nothing was."""
    if row is not None:
        return
    if await tx.fetchrow(_FIND_ACCOUNT, account_id) is None:
        raise AccountNotFound(account_id)
    raise AccountErased(account_id)


def _seal_email(vault: Vault, account_id: UUID, email: str) -> bytes:
    return vault.seal_json({"email": email}, place=_place(account_id))


def _open_email(vault: Vault, account_id: UUID, sealed: bytes) -> str:
    return vault.open_json(sealed, dict[str, str], place=_place(account_id))["email"]


def _seal_password(vault: Vault, account_id: UUID, phc: str) -> bytes:
    return vault.seal(phc.encode(), place=_password_place(account_id))


def _place(account_id: UUID) -> str:
    return f"accounts:{account_id}"


def _password_place(account_id: UUID) -> str:
    return f"accounts.password:{account_id}"


def _account(row: Row, vault: Vault) -> Account:
    email = None
    if row["sealed"] is not None:
        email = _open_email(vault, row["id"], row["sealed"])
    return Account(
        row["id"],
        row["status"],
        email,
        row["email_verified_at"],
        row["has_password"],
        row["second_factor"],
        row["created_at"],
        row["updated_at"],
    )
