"""What can be done with a customer's profile, addresses and consents.

By themselves or by an operator; where a marketing consent was said is kept with it.
Each change takes the customer first, so that of several at once each sees the one
before.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from msgspec import UNSET, UnsetType

from holdfast.domain import accounts, customers, identity
from holdfast.domain.accounts import Account
from holdfast.domain.customers import Address, Customer, CustomerAddress
from holdfast.domain.identity import Origin
from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Database, Transaction
from holdfast.platform.vault import Vault

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What to change; None clears, UNSET keeps."""

    given_name: str | UnsetType | None = UNSET
    family_name: str | UnsetType | None = UNSET
    phone: str | UnsetType | None = UNSET
    locale: str | UnsetType | None = UNSET
    currency: str | UnsetType | None = UNSET
    time_zone: str | UnsetType | None = UNSET
    marketing: bool | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class AddressChange:
    """What to change; None clears, UNSET keeps."""

    name: str | UnsetType = UNSET
    line1: str | UnsetType = UNSET
    country: str | UnsetType = UNSET
    line2: str | UnsetType | None = UNSET
    city: str | UnsetType | None = UNSET
    region: str | UnsetType | None = UNSET
    postal_code: str | UnsetType | None = UNSET
    phone: str | UnsetType | None = UNSET
    default_shipping: bool | UnsetType = UNSET
    default_billing: bool | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class Customers:
    """What can be done with customers, and what it takes."""

    db: Database
    vault: Vault
    clock: Clock

    async def register(
        self,
        email: str,
        profile: ProfileChange,
        *,
        source: str,
        actor: str,
        origin: Origin,
    ) -> Account:
        """Make an account for somebody who is not here, as on the telephone.

        Without a password, and with an address that nobody has verified: its owner
        gets in by asking for a new password. Raises ``EmailTaken``,
        ``ProfileInvalid``.
        """
        account_id, now = new_id(), self.clock()
        async with self.db.transaction() as tx:
            account = await accounts.create(
                tx,
                self.vault,
                account_id=account_id,
                email=email,
                password=None,
                verified_at=None,
                at=now,
            )
            await identity.grant_role(
                tx, account_id, identity.CUSTOMER, by=actor, at=now
            )
            await customers.add(tx, self.vault, account_id, at=now)
            await self._change(tx, account_id, profile, source=source, at=now)
            await identity.record(
                tx,
                self.vault,
                "account.created",
                actor=actor,
                origin=origin,
                at=now,
                account_id=account_id,
            )
        return account

    async def change(
        self, account_id: UUID, wanted: ProfileChange, *, source: str
    ) -> Customer:
        """Change a profile; *source* is where a consent was said.

        Raises ``CustomerNotFound``, ``ProfileInvalid``.
        """
        now = self.clock()
        async with self.db.transaction() as tx:
            return await self._change(tx, account_id, wanted, source=source, at=now)

    async def _change(
        self,
        tx: Transaction,
        account_id: UUID,
        wanted: ProfileChange,
        *,
        source: str,
        at: datetime,
    ) -> Customer:
        before = await customers.lock(tx, self.vault, account_id, at=at)
        changed = replace(
            before,
            given_name=_kept(wanted.given_name, before.given_name),
            family_name=_kept(wanted.family_name, before.family_name),
            phone=_kept(wanted.phone, before.phone),
            locale=_kept(wanted.locale, before.locale),
            currency=_kept(wanted.currency, before.currency),
            time_zone=_kept(wanted.time_zone, before.time_zone),
            updated_at=at,
        )
        country = customers.country_of(changed.locale)
        if country is None and isinstance(wanted.phone, str):
            country = await self._home_of(tx, account_id)
        changed = customers.check_profile(changed, country=country)
        await customers.change(tx, self.vault, changed, at=at)
        if not isinstance(wanted.marketing, UnsetType):
            await customers.say(
                tx, account_id, granted=wanted.marketing, source=source, at=at
            )
        return changed

    async def _home_of(self, tx: Transaction, account_id: UUID) -> str | None:
        """The country that a number without one is of: where things are sent."""
        kept = await customers.addresses_of(tx, self.vault, account_id)
        return next((n.address.country for n in kept if n.default_shipping), None)

    async def add_address(
        self,
        account_id: UUID,
        address: Address,
        *,
        default_shipping: bool,
        default_billing: bool,
    ) -> CustomerAddress:
        """Keep an address.

        Raises ``CustomerAddressInvalid``, ``TooManyAddresses``, ``CustomerNotFound``.
        """
        checked, now = customers.check_address(address), self.clock()
        new = CustomerAddress(
            new_id(), account_id, checked, default_shipping, default_billing, now, now
        )
        async with self.db.transaction() as tx:
            await customers.lock(tx, self.vault, account_id, at=now)
            return await customers.add_address(tx, self.vault, new)

    async def change_address(
        self, account_id: UUID, address_id: UUID, wanted: AddressChange
    ) -> CustomerAddress:
        """Change an address of a customer; what results is checked as a whole.

        Raises ``CustomerAddressInvalid``, ``CustomerAddressNotFound``,
        ``CustomerNotFound``.
        """
        now = self.clock()
        async with self.db.transaction() as tx:
            await customers.lock(tx, self.vault, account_id, at=now)
            before = await customers.find_address(
                tx, self.vault, account_id, address_id
            )
            old = before.address
            address = Address(
                name=_kept(wanted.name, old.name),
                line1=_kept(wanted.line1, old.line1),
                country=_kept(wanted.country, old.country),
                line2=_kept(wanted.line2, old.line2),
                city=_kept(wanted.city, old.city),
                region=_kept(wanted.region, old.region),
                postal_code=_kept(wanted.postal_code, old.postal_code),
                phone=_kept(wanted.phone, old.phone),
            )
            changed = replace(
                before,
                address=customers.check_address(address),
                default_shipping=_kept(
                    wanted.default_shipping, before.default_shipping
                ),
                default_billing=_kept(wanted.default_billing, before.default_billing),
            )
            return await customers.change_address(tx, self.vault, changed, at=now)

    async def remove_address(self, account_id: UUID, address_id: UUID) -> None:
        """Forget an address of a customer; ``CustomerAddressNotFound``."""
        async with self.db.transaction() as tx:
            await customers.remove_address(tx, account_id, address_id)


def _kept(wanted: T | UnsetType, current: T) -> T:
    return current if isinstance(wanted, UnsetType) else wanted
