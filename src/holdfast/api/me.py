"""What somebody who signed in sees and says of themselves."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from holdfast.api.listing import After, Limit, listing
from holdfast.api.orders import Orders, OrderView
from holdfast.api.problems import MissingScope
from holdfast.api.shapes import CurrencyCode, Text
from holdfast.api.shop import Shop
from holdfast.domain import accounts, customers, identity, oauth, ordering
from holdfast.domain.accounts import Account
from holdfast.domain.customers import Consent, Customer
from holdfast.domain.identity import Caller, Member
from holdfast.kernel.page import DEFAULT_LIMIT, Page
from holdfast.workflows.customers import Customers, ProfileChange

_ORDERS = "/v1/me/orders"

Phone = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=64,
        description="Kept as E.164; without + it is a number of the customer's "
        "country: that of the locale, or of the default shipping address.",
        examples=["+442079460018"],
    ),
]
Locale = Annotated[
    str, msgspec.Meta(max_length=35, description="BCP 47", examples=["en-GB"])
]
TimeZone = Annotated[
    str, msgspec.Meta(max_length=64, description="IANA", examples=["Europe/London"])
]


class MarketingChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether you agree to marketing, and where you were asked."""

    granted: bool
    source: Literal["account_page", "checkout"] = "account_page"


class ProfileChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; null clears, what is absent stays."""

    given_name: Text | UnsetType | None = UNSET
    family_name: Text | UnsetType | None = UNSET
    phone: Phone | UnsetType | None = UNSET
    locale: Locale | UnsetType | None = UNSET
    currency: CurrencyCode | UnsetType | None = UNSET
    time_zone: TimeZone | UnsetType | None = UNSET

    def wanted(self, *, marketing: bool | UnsetType) -> ProfileChange:
        return ProfileChange(
            given_name=self.given_name,
            family_name=self.family_name,
            phone=self.phone,
            locale=self.locale,
            currency=self.currency,
            time_zone=self.time_zone,
            marketing=marketing,
        )


class OwnChanges(ProfileChanges, frozen=True, forbid_unknown_fields=True):
    """What to change of yourself; null clears, what is absent stays."""

    marketing: MarketingChoice | UnsetType = UNSET


class ProfileView(msgspec.Struct, frozen=True, kw_only=True):
    """Who somebody is and how they like it."""

    email: str | None
    email_verified: bool
    status: accounts.Status
    given_name: str | None
    family_name: str | None
    phone: str | None
    locale: str | None
    currency: str | None
    time_zone: str | None
    # What was said last; null if nothing ever was.
    marketing: Consent | None
    created_at: datetime
    updated_at: datetime


class MeView(ProfileView, frozen=True, kw_only=True):
    """You: account, profile and preferences."""

    account_id: UUID
    has_password: bool
    second_factor: bool
    roles: list[str]


def profile_of(
    account: Account, customer: Customer | None, consent: Consent | None
) -> dict[str, Any]:
    """The fields of a ``ProfileView``; an account may have no profile yet."""
    updated_at = account.updated_at
    if customer is not None:
        updated_at = max(updated_at, customer.updated_at)
    return {
        "email": account.email,
        "email_verified": account.email_verified_at is not None,
        "status": account.status,
        **{
            name: getattr(customer, name, None)
            for name in (
                "given_name",
                "family_name",
                "phone",
                "locale",
                "currency",
                "time_zone",
            )
        },
        "marketing": consent,
        "created_at": account.created_at,
        "updated_at": updated_at,
    }


def own_id(caller: Caller) -> UUID:
    """Whose account it is; only people have one, whatever scopes others hold."""
    if not isinstance(caller, Member):
        raise MissingScope("account:read")
    return caller.account_id


async def show(shop: Shop, caller: Caller) -> MeView:
    """You: account, profile, preferences and roles."""
    account_id = own_id(caller)
    account = await accounts.find(shop.db, shop.vault, account_id)
    profiles = await customers.find_many(shop.db, shop.vault, [account_id])
    agreed = await customers.agreed(shop.db, [account_id])
    roles = await identity.roles_of(shop.db, account_id)
    return MeView(
        account_id=account_id,
        has_password=account.has_password,
        second_factor=account.second_factor,
        roles=[role.name for role in roles],
        **profile_of(account, profiles.get(account_id), agreed.get(account_id)),
    )


async def change(shop: Shop, caller: Caller, data: OwnChanges) -> MeView:
    """Change your profile and preferences.

    What you say about marketing is kept with its time and source.
    """
    account_id, marketing = own_id(caller), data.marketing
    granted: bool | UnsetType = UNSET
    source = "account_page"
    if isinstance(marketing, MarketingChoice):
        granted = marketing.granted
        source = await _source(shop, caller, marketing.source)
    doing = Customers(shop.db, shop.vault, shop.clock)
    await doing.change(account_id, data.wanted(marketing=granted), source=source)
    return await show(shop, caller)


async def orders(
    shop: Shop, caller: Caller, limit: Limit = DEFAULT_LIMIT, after: After | None = None
) -> Orders:
    """Your orders, newest first."""
    found = await ordering.of_account(
        shop.db, shop.vault, own_id(caller), after=after, limit=limit
    )
    shown = [OrderView.of(order.for_buyer()) for order in found.items]
    page = Page(shown, found.next)
    return listing(page, _ORDERS, limit=limit)


async def _source(shop: Shop, caller: Caller, said: str) -> str:
    """Where a consent was said: only the shop's own pages are believed."""
    if isinstance(caller, Member):
        client = await oauth.find_client(shop.db, caller.client_id)
        if not client.first_party:
            return f"api:{client.id}"
    return said
