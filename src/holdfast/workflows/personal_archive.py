"""All that is held of a person, put together to be shown to them.

Secrets are not in it, nor links that open the account, nor other people.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
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
    payments,
    pricing,
    shipping,
)
from holdfast.domain.accounts import Account
from holdfast.domain.identity import SecurityEvent
from holdfast.domain.inventory import StockRequest
from holdfast.domain.notifications import Email
from holdfast.domain.ordering import CartStatus, Order
from holdfast.domain.shipping import Shipment
from holdfast.kernel import tokens
from holdfast.kernel.page import MAX_LIMIT, Page
from holdfast.platform.db import Connection
from holdfast.platform.vault import Vault
from holdfast.workflows.prices import priced

T = TypeVar("T")

FORMAT = "holdfast-personal-data/1"


@dataclass(frozen=True, slots=True)
class Archive:
    """What puts an export together, at one moment."""

    vault: Vault
    now: datetime

    async def collect(
        self, tx: Connection, account: Account, email: str
    ) -> dict[str, Any]:
        """Everything held of somebody who has this address, by sections."""
        index = accounts.email_index(self.vault, email)
        held = asdict(
            await accounts.held_of(tx, self.vault, account.id, email_index=index)
        )
        sessions = held.pop("sessions")
        profiles = await customers.find_many(tx, self.vault, [account.id])
        profile = profiles.get(account.id)
        roles = await identity.roles_of(tx, account.id)
        # What others wrote the address on, once it is proved to be theirs.
        proved = None if account.email_verified_at is None else index
        carts = await self._carts(tx, account.id, proved)
        return {
            "format": FORMAT,
            "exported_at": self.now,
            "account": {**asdict(account), **held, "roles": [r.name for r in roles]},
            "profile": None if profile is None else asdict(profile),
            "addresses": await customers.addresses_of(tx, self.vault, account.id),
            "marketing_consents": await customers.said(tx, account.id),
            "orders": await self._orders(tx, account.id),
            "customer_groups": await pricing.groups_of(tx, account.id),
            "open_carts": [n for n in carts if n["status"] == CartStatus.OPEN],
            "past_carts": [n for n in carts if n["status"] != CartStatus.OPEN],
            "drop_tickets": await drops.tickets_held(
                tx, drops.account_holder(self.vault, account.id)
            ),
            "emails": await self._emails(tx, account.id, index),
            "back_in_stock": await self._awaited(tx, account.id, index),
            "sessions": sessions,
            "linked_identities": await accounts.linked_identities_of(tx, account.id),
            "oauth_consents": await oauth.consents_of(tx, account.id),
            "security_events": await self._events(tx, account.id),
        }

    async def _emails(
        self, tx: Connection, account_id: UUID, index: bytes
    ) -> list[Email]:
        found = await notifications.of_recipient(
            tx, self.vault, index, account_id=account_id
        )
        # The archive is given to others than read the mailbox: an operator, or a
        # program with the scope. A link to a new password would make it theirs.
        return [replace(mail, body=tokens.without_tokens(mail.body)) for mail in found]

    async def _awaited(
        self, tx: Connection, account_id: UUID, index: bytes
    ) -> list[StockRequest]:
        return await inventory.requests_of_person(tx, self.vault, account_id, [index])

    async def _orders(self, tx: Connection, account_id: UUID) -> list[dict[str, Any]]:
        async def page(after: str | None) -> Page[Order]:
            return await ordering.of_account(
                tx, self.vault, account_id, after=after, limit=MAX_LIMIT
            )

        notes = await ordering.notes_of_account(tx, self.vault, account_id)
        returns = await ordering.returns_of_account(tx, self.vault, account_id)
        return [
            _shown(order)
            | {"notes": [asdict(note) for note in notes if note.order_id == order.id]}
            | {"returns": [asdict(n) for n in returns if n.order_id == order.id]}
            | await self._course(tx, order.id)
            for order in await _all(page)
        ]

    async def _course(self, tx: Connection, order_id: UUID) -> dict[str, Any]:
        """What became of an order: its record, its money, its parcels."""

        async def page(after: str | None) -> Page[Shipment]:
            return await shipping.browse(
                tx, after=after, limit=MAX_LIMIT, order_id=order_id
            )

        return {
            "events": await ordering.events_of(tx, order_id),
            "refunds": await payments.refunds_of(tx, order_id),
            "payment_action": await payments.find_action(tx, order_id),
            "shipments": await _all(page),
        }

    async def _carts(
        self, tx: Connection, account_id: UUID, index: bytes | None
    ) -> list[dict[str, Any]]:
        return [
            _shown(priced(await ordering.find_cart(tx, self.vault, cart_id), self.now))
            for cart_id in await ordering.carts_of(tx, account_id, email_index=index)
        ]

    async def _events(self, tx: Connection, account_id: UUID) -> list[dict[str, Any]]:
        """What happened to the account, and what its owner did elsewhere."""
        own = f"account:{account_id}"

        async def about(after: str | None) -> Page[SecurityEvent]:
            return await identity.events(
                tx, self.vault, after=after, limit=MAX_LIMIT, account_id=account_id
            )

        async def by(after: str | None) -> Page[SecurityEvent]:
            return await identity.events(
                tx, self.vault, after=after, limit=MAX_LIMIT, actor=own
            )

        found = {event.id: event for event in await _all(about) + await _all(by)}
        return [_without_others(found[id_], own) for id_ in sorted(found, reverse=True)]


async def _all(page: Callable[[str | None], Awaitable[Page[T]]]) -> list[T]:
    found = await page(None)
    items = found.items
    while found.next is not None:
        found = await page(found.next)
        items += found.items
    return items


def _shown(record: Any) -> dict[str, Any]:
    """A cart or order without what opens it."""
    shown = asdict(record)
    del shown["token_hash"]
    for line in shown["lines"]:
        line.pop("listed", None)
    return shown


def _without_others(event: SecurityEvent, own: str) -> dict[str, Any]:
    """An event without the addresses of operators: those are not this person's."""
    shown = asdict(event)
    if event.actor not in (own, "anonymous"):
        shown["address"] = shown["user_agent"] = None
    return shown
