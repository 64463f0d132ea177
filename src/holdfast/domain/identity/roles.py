"""Roles in the database, and which account has which."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from holdfast.domain.identity.errors import (
    AccountMayMore,
    AccountOfStaff,
    LastAdmin,
    RoleBuiltIn,
    RoleInUse,
    RoleNameTaken,
    RoleNotFound,
)
from holdfast.domain.identity.model import (
    ADMIN,
    PERSONAL_SCOPES,
    Caller,
    Member,
    Role,
    scopes_of,
)
from holdfast.kernel.ids import new_id
from holdfast.kernel.page import Page, decode_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, ConstraintViolated, Row, Transaction

_SQL = sql.load("holdfast.domain.identity")
_LIST_ROLES = _SQL["list_roles"]
_FIND_ROLE = _SQL["find_role"]
_LOCK_ROLE = _SQL["lock_role"]
_ADD_ROLE = _SQL["add_role"]
_CHANGE_ROLE = _SQL["change_role"]
_REMOVE_ROLE = _SQL["remove_role"]
_COUNT_HOLDERS = _SQL["count_holders"]
_ROLES_OF = _SQL["roles_of"]
_SCOPES_OF_ACCOUNT = _SQL["scopes_of_account"]
_GRANT_ROLE = _SQL["grant_role"]
_REVOKE_ROLE = _SQL["revoke_role"]
_REVOKE_ALL_ROLES = _SQL["revoke_all_roles"]
_LEAVES_NO_ADMIN = _SQL["leaves_no_admin"]


async def list_roles(
    connection: Connection, *, after: str | None, limit: int
) -> Page[Role]:
    """A page of roles, by name."""
    last = decode_cursor(after, 1)[0] if after is not None else None
    rows = await connection.fetch(_LIST_ROLES, last, limit + 1)
    found = [_role(row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(found, encode_cursor(found[-1].name) if more else None)


async def find_role(connection: Connection, name: str) -> Role:
    """The role of this name. Raises ``RoleNotFound``."""
    return _found(await connection.fetchrow(_FIND_ROLE, name), name)


async def lock_role(tx: Transaction, name: str) -> Role:
    """The role of this name, which nobody else changes until the commit.

    Meanwhile it can be given to nobody either. Raises ``RoleNotFound``, and
    ``RoleBuiltIn``: those are changed by nobody.
    """
    role = _found(await tx.fetchrow(_LOCK_ROLE, name), name)
    if role.built_in:
        raise RoleBuiltIn(name)
    return role


async def add_role(
    tx: Transaction,
    *,
    name: str,
    title: str,
    description: str,
    scopes: Iterable[str],
    at: datetime,
) -> Role:
    """Add a role. Raises ``RoleNameTaken``."""
    granted = tuple(sorted(set(scopes)))
    role = Role(
        new_id(),
        name,
        title,
        description,
        granted,
        built_in=False,
        created_at=at,
        updated_at=at,
    )
    try:
        await tx.execute(_ADD_ROLE, role.id, name, title, description, granted, at)
    except ConstraintViolated as error:
        raise RoleNameTaken(name) from error
    return role


async def change_role(
    tx: Transaction,
    name: str,
    *,
    title: str,
    description: str,
    scopes: Iterable[str],
    at: datetime,
) -> Role:
    """Write what a locked role is from now on."""
    granted = tuple(sorted(set(scopes)))
    row = await tx.fetchrow(_CHANGE_ROLE, name, title, description, granted, at)
    return _found(row, name)


async def remove_role(tx: Transaction, name: str) -> None:
    """Delete a locked role. Raises ``RoleInUse`` if an account has it."""
    # Locked, it can be given to nobody: the count is still true at the commit.
    if accounts := await tx.fetchval(_COUNT_HOLDERS, name):
        raise RoleInUse(name, accounts)
    await tx.execute(_REMOVE_ROLE, name)


async def roles_of(connection: Connection, account_id: UUID) -> list[Role]:
    """The roles of an account, by name."""
    return [_role(row) for row in await connection.fetch(_ROLES_OF, account_id)]


async def scopes_of_account(connection: Connection, account_id: UUID) -> frozenset[str]:
    """Everything that the roles of an account allow at this moment."""
    return frozenset(await connection.fetchval(_SCOPES_OF_ACCOUNT, account_id))


async def check_over(connection: Connection, caller: Caller, account_id: UUID) -> None:
    """Raise ``AccountMayMore`` if the account may do what *caller* may not.

    For what one person does to the account of another: otherwise whoever may erase a
    customer could erase an administrator. One's own account is always in reach.
    """
    if isinstance(caller, Member) and caller.account_id == account_id:
        return
    held = await scopes_of_account(connection, account_id)
    if missing := sorted(held - PERSONAL_SCOPES - scopes_of(caller)):
        raise AccountMayMore(missing)


async def check_of_customer(connection: Connection, account_id: UUID) -> None:
    """Raise ``AccountOfStaff`` if the account may do more than any customer.

    For what would let whoever does it act in the other's name: among those who work
    for the shop, the record must say who it was.
    """
    if await scopes_of_account(connection, account_id) - PERSONAL_SCOPES:
        raise AccountOfStaff


async def grant_role(
    tx: Transaction, account_id: UUID, role_name: str, *, by: str, at: datetime
) -> bool:
    """Give an account a role; returns False if it had it. Raises ``RoleNotFound``.

    Whether there is such an account, the caller has made sure.
    """
    try:
        row = await tx.fetchrow(_GRANT_ROLE, account_id, role_name, by, at)
    except ConstraintViolated as error:
        # Deleted since the statement began.
        raise RoleNotFound(role_name) from error
    if row is None:
        raise RoleNotFound(role_name)
    return bool(row["given"])


async def revoke_role(tx: Transaction, account_id: UUID, role_name: str) -> bool:
    """Take a role from an account; returns False if it did not have it.

    Raises ``RoleNotFound``, and ``LastAdmin`` if nobody else active is an admin.
    """
    role = await find_role(tx, role_name)
    if role.name == ADMIN:
        await keep_an_admin(tx, without=account_id)
    return await tx.fetchval(_REVOKE_ROLE, account_id, role.id) is not None


async def revoke_all_roles(tx: Transaction, account_id: UUID) -> list[str]:
    """Take every role from an account; returns their names. Raises ``LastAdmin``."""
    await keep_an_admin(tx, without=account_id)
    return [row["name"] for row in await tx.fetch(_REVOKE_ALL_ROLES, account_id)]


async def keep_an_admin(tx: Transaction, *, without: UUID) -> None:
    """Raise ``LastAdmin`` if no active account but this one is an admin.

    For whoever takes the role, or disables or erases the account, in this
    transaction: of several at once, each waits for the commit of the one before.
    Nothing is raised for an account that is no admin.
    """
    # Two statements, since one would count what was there before it had to wait.
    await tx.fetchrow(_LOCK_ROLE, ADMIN)
    if await tx.fetchval(_LEAVES_NO_ADMIN, without, ADMIN):
        raise LastAdmin(without)


def _found(row: Row | None, name: str) -> Role:
    if row is None:
        raise RoleNotFound(name)
    return _role(row)


def _role(row: Row) -> Role:
    return Role(
        row["id"],
        row["name"],
        row["title"],
        row["description"],
        tuple(row["scopes"]),
        row["built_in"],
        row["created_at"],
        row["updated_at"],
    )
