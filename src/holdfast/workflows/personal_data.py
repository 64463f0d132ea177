"""Show a person everything that is held about them, and erase it.

Erasing is one transaction: all of it happens, or none. Orders stay with their lines
and totals, since the books need them; whose they were is gone. So do the id of the
account and the security events about it, without addresses.

``HELD`` and ``IMPERSONAL`` between them name every table: a test walks the schema, so
that a new table cannot be forgotten here.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from holdfast.domain import (
    accounts,
    customers,
    identity,
    inventory,
    notifications,
    oauth,
    ordering,
    pricing,
)
from holdfast.domain.accounts import Account
from holdfast.domain.identity import Origin, SecurityEvent
from holdfast.domain.inventory import StockRequest
from holdfast.domain.notifications import Email
from holdfast.domain.ordering import Order, OrderStatus, Trace
from holdfast.kernel import tokens
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import Conflict
from holdfast.kernel.page import MAX_LIMIT, Page
from holdfast.platform import idempotency
from holdfast.platform.db import Connection, Database, Transaction
from holdfast.platform.vault import Vault
from holdfast.workflows.prices import priced

T = TypeVar("T")

FORMAT = "holdfast-personal-data/1"
_LATE = timedelta(days=1)

HELD: Mapping[str, tuple[str, str]] = {
    # table: the section of the export, what erasing does with it
    "accounts": ("account", "emptied; the row stays, as erased"),
    "account_requests": ("account", "deleted"),
    "account_roles": ("account", "deleted"),
    "authorization_codes": ("oauth_consents", "deleted; they live for a minute"),
    "cart_lines": ("open_carts", "kept: they say what, not who"),
    "carts": ("open_carts", "emptied of the person"),
    "customer_addresses": ("addresses", "deleted"),
    "customer_group_members": ("customer_groups", "deleted"),
    "customers": ("profile", "deleted"),
    "emails": ("emails", "emptied"),
    "familiar_places": ("account", "deleted"),
    "idempotency_keys": ("orders", "deleted; answers repeat what orders say"),
    "linked_identities": ("linked_identities", "deleted"),
    "marketing_consents": ("marketing_consents", "deleted"),
    "oauth_consents": ("oauth_consents", "deleted"),
    "order_events": ("orders", "kept: they say what happened by whose id, not who"),
    "order_lines": ("orders", "kept: the books need them"),
    "order_notes": ("orders", "deleted"),
    "orders": ("orders", "kept with their totals, emptied of the person"),
    "recovery_codes": ("account", "deleted"),
    "refresh_tokens": (
        "sessions",
        "kept as hashes until they expire; they open nothing",
    ),
    "returns": ("orders", "kept, emptied of what was said about them"),
    "second_factors": ("account", "deleted"),
    "security_events": ("security_events", "kept without address and user agent"),
    "sessions": ("sessions", "ended, without address and user agent"),
    "stock_requests": ("back_in_stock", "deleted"),
}
"""Every table that says something of a person."""

IMPERSONAL: Mapping[str, str] = {
    # table: why neither export nor erasing looks at it
    "api_keys": "belong to the shop; named by operators for what they are for",
    "attribute_changes": "what became of attributes, by the id of who did it",
    "attribute_definitions": "the catalogue",
    "base_price_changes": "the catalogue",
    "categories": "the catalogue",
    "category_changes": "what became of categories, by the id of who did it",
    "category_translations": "the catalogue",
    "charge_closings": "money, by the id of an order",
    "collection_changes": "what became of collections, by the id of who did it",
    "collection_products": "the catalogue",
    "collection_translations": "the catalogue",
    "collections": "the catalogue",
    "controls": "limits and levels, set by the id of a key or an account",
    "customer_groups": "what customers can be, not who is",
    "data_keys": "keys, each wrapped by another",
    "discrepancies": "money, by the id of an order",
    "drop_admissions": "how far lines have come",
    "drop_capacity": "what processes can serve",
    "drop_purchases": "numbers, by the ids of orders and tickets",
    "drop_tickets": "places in line, by keyed hashes; dropped a week after its end",
    "drop_variants": "the catalogue",
    "drops": "what is sold when",
    "exchange_lines": "what is wanted instead, by the id of a return",
    "import_chunks": "files of the catalogue; gone when their job has ended",
    "import_faults": "what was wrong with rows of the catalogue",
    "import_handles": "products that a file has named",
    "import_jobs": "the shop's own work, by the id of a key or an account",
    "locations": "the shop's own places",
    "media_assets": "the catalogue; who uploaded them, by id",
    "oauth_clients": "programs, not people",
    "outbox": "ids of what happened, never of whom to; a test reads them",
    "payment_actions": "where a payment is approved, by the id of an order",
    "pgqueuer": "jobs hold what the outbox holds",
    "pgqueuer_log": "what became of jobs",
    "pgqueuer_schedules": "the queue's own timers",
    "pgqueuer_statistics": "the queue's own counts",
    "price_list_changes": "the catalogue",
    "price_list_groups": "the catalogue",
    "price_lists": "the catalogue; who made them, by id",
    "prices": "the catalogue; who set them, by id",
    "prices_known": "the catalogue",
    "prices_on_record": "the catalogue",
    "product_categories": "the catalogue",
    "product_changes": "what became of products, by the id of a key or an account",
    "product_images": "the catalogue",
    "product_index": "the catalogue",
    "product_translations": "the catalogue",
    "products": "the catalogue",
    "provider_events": "ids of what the payment provider told",
    "refunds": "money, by the id of an order; who asked for it is an operator",
    "related_products": "the catalogue",
    "reservations": "stock, by the id of an order or of a hold",
    "return_lines": "what came back, by the id of an order",
    "return_refunds": "money, by the id of a return",
    "revoked_tokens": "random ids, gone when the tokens expire",
    "roles": "what may be done, not by whom",
    "schema_migrations": "the schema",
    "search_synonyms": "words of the catalogue",
    "search_words": "words of the catalogue",
    "shipment_events": "where parcels are, by the id of an order",
    "shipment_lines": "what was sent, by the id of an order",
    "shipments": "what was sent, by the id of an order",
    "sign_in_failures": "keyed hashes that name nobody, forgotten within a day",
    "signing_keys": "keys of the shop",
    "stock": "the inventory",
    "stock_alerts": "the inventory",
    "stock_count_lines": "the inventory; who counted, by id",
    "stock_counts": "the inventory; who counted, by id",
    "stock_movements": "stock, by the id of an order",
    "timers": "the worker's turns",
    "transfer_lines": "the inventory",
    "transfers": "the inventory; who sent them, by id",
    "variants": "the catalogue",
}
"""Every other table."""


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
            return await self._collect(tx, account, account.email, now)

    async def _attach(self, tx: Transaction, account: Account) -> None:
        """Let orders be theirs that they made as a guest after they signed up."""
        if account.email is not None and account.email_verified_at is not None:
            index = accounts.email_index(self.vault, account.email)
            await ordering.attach(tx, email_index=index, account_id=account.id)

    async def _collect(
        self, tx: Connection, account: Account, email: str, now: datetime
    ) -> dict[str, Any]:
        index = accounts.email_index(self.vault, email)
        held = asdict(
            await accounts.held_of(tx, self.vault, account.id, email_index=index)
        )
        sessions = held.pop("sessions")
        profiles = await customers.find_many(tx, self.vault, [account.id])
        profile = profiles.get(account.id)
        roles = await identity.roles_of(tx, account.id)
        return {
            "format": FORMAT,
            "exported_at": now,
            "account": {**asdict(account), **held, "roles": [r.name for r in roles]},
            "profile": None if profile is None else asdict(profile),
            "addresses": await customers.addresses_of(tx, self.vault, account.id),
            "marketing_consents": await customers.said(tx, account.id),
            "orders": await self._orders(tx, account.id),
            "customer_groups": await pricing.groups_of(tx, account.id),
            "open_carts": await self._carts(tx, account.id),
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
            for order in await _all(page)
        ]

    async def _carts(self, tx: Connection, account_id: UUID) -> list[dict[str, Any]]:
        return [
            _shown(
                priced(await ordering.find_cart(tx, self.vault, cart_id), self.clock())
            )
            for cart_id in await ordering.open_carts_of(tx, account_id)
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
        await inventory.forget_person(tx, account.id, sorted(indexes))
        await idempotency.forget_answers_to(
            tx, f"account:{account.id}", [account.id, *(n.order_id for n in trail)]
        )
        await ordering.forget_person(tx, account.id)


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
        forgotten += await ordering.forget_person(tx, account_id)
    return forgotten


async def _settled(tx: Transaction, account_id: UUID) -> list[Trace]:
    """The orders of an account; ``OrdersNotSettled`` if a payment may still come."""
    trail = await ordering.trail(tx, account_id)
    if pending := [n.order_id for n in trail if n.status is OrderStatus.PENDING]:
        raise OrdersNotSettled(sorted(pending))
    return trail


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
