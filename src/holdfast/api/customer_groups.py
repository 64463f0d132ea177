"""Groups of customers, whom price lists can be for, and who is in them."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response
from msgspec import UNSET, UnsetType

from holdfast.api import editions
from holdfast.api.editions import IfMatch, IfNoneMatch
from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.price_shapes import Code
from holdfast.api.shapes import Text
from holdfast.api.shop import Shop
from holdfast.domain import customers, pricing
from holdfast.domain.identity import Caller
from holdfast.domain.pricing import CustomerGroup
from holdfast.kernel.page import DEFAULT_LIMIT, Page
from holdfast.workflows.customer_groups import CustomerGroups

_PATH = "/v1/customer-groups"


class NewCustomerGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A group, still without anybody in it."""

    code: Code
    name: Text


class CustomerGroupChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; what is absent stays."""

    code: Code | UnsetType = UNSET
    name: Text | UnsetType = UNSET

    def of(self, before: CustomerGroup) -> CustomerGroup:
        """The group so changed."""
        given: dict[str, Any] = {
            name: value
            for name in ("code", "name")
            if (value := getattr(self, name)) is not UNSET
        }
        return replace(before, **given)


class CustomerGroupView(msgspec.Struct, frozen=True):
    """A group and how many are in it."""

    id: UUID
    code: str
    name: str
    members: int
    created_at: datetime
    updated_at: datetime
    # Raised by every change, of its members too.
    version: int

    @classmethod
    def of(cls, group: CustomerGroup) -> "CustomerGroupView":
        return cls(
            group.id,
            group.code,
            group.name,
            group.members,
            group.created_at,
            group.updated_at,
            group.version,
        )


OneGroup = Annotated[Response[Any], CustomerGroupView]


class GroupMemberView(msgspec.Struct, frozen=True):
    """An account in a group."""

    account_id: UUID
    added_at: datetime


class GroupOfCustomer(msgspec.Struct, frozen=True):
    """A group that a customer is in."""

    id: UUID
    code: str
    name: str


async def browse(
    shop: Shop,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    if_none_match: IfNoneMatch = None,
) -> Annotated[Response[Any], Listing[CustomerGroupView]]:
    """List the groups of customers."""
    found = await pricing.groups(shop.db, after=after, limit=limit)
    views = [CustomerGroupView.of(group) for group in found.items]
    listed = listing(Page(views, found.next), _PATH, limit=limit)
    return editions.of_list(listed, if_none_match)


async def create(
    shop: Shop, caller: Caller, data: NewCustomerGroup
) -> Response[CustomerGroupView]:
    """Make a group of customers."""
    made = await _groups(shop, caller).add(data.code, data.name)
    return editions.of_new(
        CustomerGroupView.of(made),
        version=made.version,
        location=f"{_PATH}/{made.id}",
    )


async def show(
    shop: Shop, group_id: UUID, if_none_match: IfNoneMatch = None
) -> OneGroup:
    """One group."""
    found = await pricing.find_group(shop.db, group_id)
    return _answer(found, if_none_match=if_none_match)


async def change(
    shop: Shop,
    caller: Caller,
    group_id: UUID,
    data: CustomerGroupChanges,
    if_match: IfMatch = None,
) -> OneGroup:
    """Name a group otherwise, if nobody changed it since it was read."""
    versions = editions.versions(if_match)
    groups = _groups(shop, caller)
    return _answer(await groups.change(group_id, data.of, versions=versions))


async def remove(
    shop: Shop, caller: Caller, group_id: UUID, if_match: IfMatch = None
) -> None:
    """End a group and let its members go; not while a price list is for it."""
    versions = editions.versions(if_match)
    await _groups(shop, caller).remove(group_id, versions=versions)


async def members(
    shop: Shop,
    group_id: UUID,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    if_none_match: IfNoneMatch = None,
) -> Annotated[Response[Any], Listing[GroupMemberView]]:
    """List the accounts of a group, by their ids; the ETag says the group's version."""
    group = await pricing.find_group(shop.db, group_id)
    found = await pricing.members(shop.db, group_id, after=after, limit=limit)
    views = [GroupMemberView(n.account_id, n.added_at) for n in found.items]
    path = f"{_PATH}/{group_id}/members"
    listed = listing(Page(views, found.next), path, limit=limit)
    return editions.of_list(listed, if_none_match, version=group.version)


async def add_member(
    shop: Shop,
    caller: Caller,
    group_id: UUID,
    account_id: UUID,
    if_match: IfMatch = None,
) -> GroupMemberView:
    """Put an account into a group; again does no harm."""
    versions = editions.versions_if_any(if_match)
    groups = _groups(shop, caller)
    added = await groups.add_member(group_id, account_id, versions=versions)
    return GroupMemberView(added.account_id, added.added_at)


async def remove_member(
    shop: Shop,
    caller: Caller,
    group_id: UUID,
    account_id: UUID,
    if_match: IfMatch = None,
) -> None:
    """Take an account out of a group; If-Match names the group's version."""
    versions = editions.versions(if_match)
    groups = _groups(shop, caller)
    await groups.remove_member(group_id, account_id, versions=versions)


async def of_customer(
    shop: Shop, account_id: UUID, if_none_match: IfNoneMatch = None
) -> Annotated[Response[Any], Listing[GroupOfCustomer]]:
    """List the groups that a customer is in."""
    await customers.find(shop.db, shop.vault, account_id)
    found = await pricing.groups_of(shop.db, account_id)
    views = [GroupOfCustomer(group.id, group.code, group.name) for group in found]
    listed = listing(Page(views, None), f"/v1/customers/{account_id}/groups")
    return editions.of_list(listed, if_none_match)


def _answer(group: CustomerGroup, *, if_none_match: str | None = None) -> Response[Any]:
    return editions.of(
        CustomerGroupView.of(group),
        version=group.version,
        if_none_match=if_none_match,
    )


def _groups(shop: Shop, caller: Caller) -> CustomerGroups:
    return CustomerGroups(shop.db, shop.clock, caller.actor)
