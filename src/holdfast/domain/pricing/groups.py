"""Groups of customers, and who is in them: whom a price list can be for."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from holdfast.domain.pricing.errors import (
    CustomerGroupChanged,
    CustomerGroupInUse,
    CustomerGroupNotFound,
    DuplicateCustomerGroup,
    GroupMemberNotFound,
)
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.kernel.versions import Versions, are_of
from holdfast.platform import sql
from holdfast.platform.db import Connection, ConstraintViolated, Transaction

_SQL = sql.load("holdfast.domain.pricing")
_ADD_GROUP = _SQL["add_group"]
_GROUPS = _SQL["groups"]
_LOCK_GROUP = _SQL["lock_group"]
_CHANGE_GROUP = _SQL["change_group"]
_REMOVE_GROUP = _SQL["remove_group"]
_ADD_MEMBER = _SQL["add_member"]
_REMOVE_MEMBER = _SQL["remove_member"]
_LEAVE_GROUPS = _SQL["leave_groups"]
_MEMBERS = _SQL["members"]
_GROUPS_OF = _SQL["groups_of"]


@dataclass(frozen=True, slots=True)
class CustomerGroup:
    """Customers who are treated alike: wholesale, a club, the staff."""

    id: UUID
    code: str
    name: str
    created_at: datetime
    updated_at: datetime
    version: int = 1
    """Raised by every change, of its members too."""
    members: int = 0


@dataclass(frozen=True, slots=True)
class GroupMember:
    """An account in a group."""

    account_id: UUID
    added_at: datetime


async def add_group(tx: Transaction, group: CustomerGroup) -> None:
    """Make a group; ``DuplicateCustomerGroup``."""
    try:
        await tx.execute(_ADD_GROUP, group.id, group.code, group.name, group.created_at)
    except ConstraintViolated as error:
        raise DuplicateCustomerGroup(group.code) from error


async def groups(
    connection: Connection, *, after: str | None, limit: int
) -> Page[CustomerGroup]:
    """Groups in the order they were made."""
    last = None if after is None else decode_id_cursor(after)
    rows = await connection.fetch(_GROUPS, None, last, limit + 1)
    items = [CustomerGroup(*row) for row in rows[:limit]]
    return Page(items, encode_cursor(str(items[-1].id)) if rows[limit:] else None)


async def find_group(connection: Connection, group_id: UUID) -> CustomerGroup:
    """One group; ``CustomerGroupNotFound``."""
    row = await connection.fetchrow(_GROUPS, group_id, None, 1)
    if row is None:
        raise CustomerGroupNotFound
    return CustomerGroup(*row)


async def lock_group(tx: Transaction, group_id: UUID, *, versions: Versions) -> None:
    """Let nobody else change a group or its members, if it has one of these versions.

    Raises ``CustomerGroupNotFound``, or ``CustomerGroupChanged`` with the one it has.
    """
    version = await tx.fetchval(_LOCK_GROUP, group_id)
    if version is None:
        raise CustomerGroupNotFound
    if not are_of(version, versions):
        raise CustomerGroupChanged(version)


async def change_group(
    tx: Transaction, group_id: UUID, *, code: str, name: str, at: datetime
) -> None:
    """Name a locked group otherwise; ``DuplicateCustomerGroup``."""
    try:
        await tx.execute(_CHANGE_GROUP, group_id, code, name, at)
    except ConstraintViolated as error:
        raise DuplicateCustomerGroup(code) from error


async def remove_group(tx: Transaction, group_id: UUID) -> None:
    """End a locked group; ``CustomerGroupInUse``."""
    try:
        await tx.execute(_REMOVE_GROUP, group_id)
    except ConstraintViolated as error:
        raise CustomerGroupInUse from error


async def add_member(
    tx: Transaction, group_id: UUID, account_id: UUID, *, by: str, at: datetime
) -> GroupMember:
    """Put an account into a group, again or not; ``GroupMemberNotFound``."""
    row = await tx.fetchrow(_ADD_MEMBER, group_id, account_id, by, at)
    if row is None:
        raise GroupMemberNotFound
    return GroupMember(*row)


async def remove_member(tx: Transaction, group_id: UUID, account_id: UUID) -> None:
    """Take an account out of a group; ``GroupMemberNotFound``."""
    if await tx.fetchval(_REMOVE_MEMBER, group_id, account_id) is None:
        raise GroupMemberNotFound


async def leave_groups(tx: Transaction, account_id: UUID) -> None:
    """Take an account out of all groups."""
    await tx.execute(_LEAVE_GROUPS, account_id)


async def members(
    connection: Connection, group_id: UUID, *, after: str | None, limit: int
) -> Page[GroupMember]:
    """Accounts of a group, by their ids."""
    last = None if after is None else decode_id_cursor(after)
    rows = await connection.fetch(_MEMBERS, group_id, last, limit + 1)
    items = [GroupMember(*row) for row in rows[:limit]]
    more = rows[limit:]
    return Page(items, encode_cursor(str(items[-1].account_id)) if more else None)


async def groups_of(connection: Connection, account_id: UUID) -> list[CustomerGroup]:
    """The groups that an account is in; their members are not counted."""
    rows = await connection.fetch(_GROUPS_OF, account_id)
    return [CustomerGroup(*row) for row in rows]
