"""Show a person everything that is held about them, and erase it.

Erasing is one transaction: all of it happens, or none. Orders stay with their lines
and totals, since the books need them; whose they were is gone. So do the id of the
account and the security events about it, without addresses.

What is held, and what becomes of it, table by table: ``personal_tables``.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from holdfast.domain import (
    accounts,
    customers,
    drops,
    identity,
    inventory,
    notifications,
    oauth,
    ordering,
    pricing,
)
from holdfast.domain.accounts import Account
from holdfast.domain.identity import Origin
from holdfast.domain.ordering import OrderStatus, Trace
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import Conflict
from holdfast.platform import idempotency
from holdfast.platform.db import Database, Transaction
from holdfast.platform.vault import Vault
from holdfast.workflows.personal_archive import Archive

_LATE = timedelta(days=1)


@dataclass(eq=False)
class OrdersNotSettled(Conflict):
    """An order waits for its payment, and its buyer cannot be erased before."""

    order_ids: list[UUID]


@dataclass(frozen=True, slots=True)
class PersonalData:
    """What can be done with all that is held of a person, and what it takes."""

    db: Database
    vault: Vault
    clock: Clock

    async def export(
        self, account_id: UUID, *, actor: str, origin: Origin
    ) -> dict[str, Any]:
        """Everything held of a person, to be written as JSON; recorded.

        Raises ``AccountNotFound``, also for somebody erased.
        """
        now = self.clock()
        async with self.db.transaction() as tx:
            account = await accounts.find(tx, self.vault, account_id)
            if account.email is None:
                raise accounts.AccountNotFound(account_id)
            await identity.record(
                tx,
                self.vault,
                "account.exported",
                actor=actor,
                origin=origin,
                at=now,
                account_id=account_id,
            )
            await self._attach(tx, account)
            return await Archive(self.vault, now).collect(tx, account, account.email)

    async def _attach(self, tx: Transaction, account: Account) -> None:
        """Let orders be theirs that they made as a guest after they signed up."""
        if account.email is not None and account.email_verified_at is not None:
            index = accounts.email_index(self.vault, account.email)
            await ordering.attach(tx, email_index=index, account_id=account.id)

    async def erase(self, account_id: UUID, *, actor: str, origin: Origin) -> bool:
        """Forget a person; returns False if they were erased before.

        Raises ``AccountNotFound``, ``LastAdmin``, or ``OrdersNotSettled`` while a
        payment may still come.
        """
        now = self.clock()
        async with self.db.transaction() as tx:
            await identity.revoke_all_roles(tx, account_id)
            try:
                # Takes the row: from here on nobody changes the address, and nobody
                # adds to the profile.
                await accounts.disable(tx, account_id, now)
            except accounts.AccountErased:
                return False
            account = await accounts.find(tx, self.vault, account_id)
            await self._attach(tx, account)
            trail = await _settled(tx, account_id)
            await customers.erase(tx, account_id)
            await pricing.leave_groups(tx, account_id)
            await oauth.forget_person(tx, account_id)
            await accounts.end_sessions(tx, account_id, reason="account_erased", at=now)
            await accounts.erase(tx, account_id, now)
            # After the requests for e-mails are gone, and after whoever was writing
            # one: this sees what they wrote.
            await self._forget_orders(tx, account, trail, now)
            await identity.record(
                tx,
                self.vault,
                "account.erased",
                actor=actor,
                origin=origin,
                at=now,
                account_id=account_id,
            )
            # After the record: of somebody who erases themselves, nothing stays.
            await identity.forget_origins(tx, account_id)
            return True

    async def _forget_orders(
        self, tx: Transaction, account: Account, trail: list[Trace], now: datetime
    ) -> None:
        # Guests' orders that were attached may have another address.
        indexes = {n.email_index for n in trail if n.email_index is not None}
        if account.email is not None:
            indexes.add(accounts.email_index(self.vault, account.email))
        await notifications.forget_person(tx, account.id, sorted(indexes), at=now)
        await drops.forget_holder(tx, drops.account_holder(self.vault, account.id))
        await inventory.forget_person(tx, account.id, sorted(indexes))
        await idempotency.forget_answers_to(
            tx, f"account:{account.id}", [account.id, *(n.order_id for n in trail)]
        )
        await ordering.forget_person(tx, account.id, sorted(indexes))


async def forget_late(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Forget what came of erased people while they were erased; returns how much.

    A checkout that was under way then, or an e-mail that was being written, is
    committed after the erasing looked. Up to *limit* people of the last day.
    """
    forgotten = 0
    for account_id in (await accounts.erased_since(tx, now - _LATE))[:limit]:
        trail = await ordering.trail(tx, account_id)
        if any(n.status is OrderStatus.PENDING for n in trail):
            # Its buyer is told what became of it; the next turn is soon.
            continue
        indexes = {n.email_index for n in trail if n.email_index is not None}
        forgotten += await notifications.forget_person(
            tx, account_id, sorted(indexes), at=now
        )
        forgotten += await inventory.forget_person(tx, account_id, sorted(indexes))
        forgotten += await ordering.forget_person(tx, account_id, sorted(indexes))
    return forgotten


async def _settled(tx: Transaction, account_id: UUID) -> list[Trace]:
    """The orders of an account; ``OrdersNotSettled`` if a payment may still come."""
    trail = await ordering.trail(tx, account_id)
    if pending := [n.order_id for n in trail if n.status is OrderStatus.PENDING]:
        raise OrdersNotSettled(sorted(pending))
    return trail
