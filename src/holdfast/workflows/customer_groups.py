"""Groups of customers are made, named otherwise, filled and ended.

Whoever joins a group pays its prices from the next request on; carts that are open have
them too, because a cart is priced when it is read.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from holdfast.domain import pricing
from holdfast.domain.pricing import CustomerGroup, GroupMember
from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import new_id
from holdfast.kernel.versions import Versions
from holdfast.platform.db import Database, Transaction


@dataclass(frozen=True, slots=True)
class CustomerGroups:
    """An operator who keeps groups, and what it takes."""

    db: Database
    clock: Clock
    actor: str

    async def add(self, code: str, name: str) -> CustomerGroup:
        """Make a group; ``DuplicateCustomerGroup``."""
        now = self.clock()
        group = CustomerGroup(new_id(), code, name, now, now)
        async with self.db.statement() as tx:
            await pricing.add_group(tx, group)
        return group

    async def change(
        self,
        group_id: UUID,
        edit: Callable[[CustomerGroup], CustomerGroup],
        *,
        versions: Versions = None,
    ) -> CustomerGroup:
        """Name a group otherwise.

        ``CustomerGroupNotFound``, ``CustomerGroupChanged`` or
        ``DuplicateCustomerGroup``.
        """
        async with self.db.transaction() as tx:
            await pricing.lock_group(tx, group_id, versions=versions)
            before = await pricing.find_group(tx, group_id)
            after = edit(before)
            if after == before:
                return before
            now = self.clock()
            await pricing.change_group(
                tx, group_id, code=after.code, name=after.name, at=now
            )
        return replace(after, updated_at=now, version=before.version + 1)

    async def remove(self, group_id: UUID, *, versions: Versions = None) -> None:
        """End a group.

        ``CustomerGroupNotFound``, ``CustomerGroupChanged`` or ``CustomerGroupInUse``.
        """
        async with self.db.transaction() as tx:
            await pricing.lock_group(tx, group_id, versions=versions)
            await pricing.remove_group(tx, group_id)

    async def add_member(
        self, group_id: UUID, account_id: UUID, *, versions: Versions = None
    ) -> GroupMember:
        """Put an account into a group, once.

        ``GroupMemberNotFound`` or ``CustomerGroupChanged``.
        """
        async with self.db.transaction() as tx:
            await _check(tx, group_id, versions)
            return await pricing.add_member(
                tx, group_id, account_id, by=self.actor, at=self.clock()
            )

    async def remove_member(
        self, group_id: UUID, account_id: UUID, *, versions: Versions = None
    ) -> None:
        """Take an account out of a group.

        ``GroupMemberNotFound`` or ``CustomerGroupChanged``.
        """
        async with self.db.transaction() as tx:
            await _check(tx, group_id, versions)
            await pricing.remove_member(tx, group_id, account_id)


async def _check(tx: Transaction, group_id: UUID, versions: Versions) -> None:
    """See that a group has one of these versions, before its members change."""
    if versions is None:
        return
    try:
        await pricing.lock_group(tx, group_id, versions=versions)
    except pricing.CustomerGroupNotFound:
        raise pricing.GroupMemberNotFound from None
