"""Customers as operators see and change them."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response
from msgspec import UNSET, UnsetType

from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.me import ProfileChanges, ProfileView, profile_of
from holdfast.api.orders import Orders, OrderView
from holdfast.api.shapes import Email, email_address
from holdfast.api.shop import Shop
from holdfast.domain import accounts, customers, ordering
from holdfast.domain.customers import Customer
from holdfast.domain.identity import Caller, Origin, Service
from holdfast.kernel.page import DEFAULT_LIMIT, Page
from holdfast.workflows.customers import Customers

_PATH = "/v1/customers"


class NewCustomer(
    ProfileChanges, frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """Somebody to make an account for, as for an order by telephone."""

    email: Email
    marketing: bool | UnsetType = UNSET


class CustomerChanges(ProfileChanges, frozen=True, forbid_unknown_fields=True):
    """What to change; null clears, what is absent stays."""

    marketing: bool | UnsetType = UNSET


class CustomerView(ProfileView, frozen=True, kw_only=True):
    """A customer: account, profile and preferences."""

    id: UUID


MadeCustomer = Annotated[Response[Any], CustomerView]
CustomerList = Annotated[Response[Any], Listing[CustomerView]]


async def browse(
    shop: Shop,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    email: Email | None = None,
) -> CustomerList:
    """Customers, newest first; with `email`, the one with exactly this address."""
    if email is not None:
        page = await _with_email(shop, email)
    else:
        page = await customers.browse(shop.db, shop.vault, after=after, limit=limit)
    shown = Page(await _views(shop, page.items), page.next)
    return listing(shown, _PATH, limit=limit, email=email)


async def create(
    shop: Shop, caller: Caller, origin: Origin, data: NewCustomer
) -> MadeCustomer:
    """Make an account for somebody, without a password.

    Its owner gets in by asking for a new password; orders placed as a guest are
    attached once they have.
    """
    account = await _customers(shop).register(
        email_address(data.email, "/email"),
        data.wanted(marketing=data.marketing),
        source=_source(caller),
        actor=caller.actor,
        origin=origin,
    )
    view = await show(shop, account.id)
    return Response(view, headers={"Location": f"{_PATH}/{account.id}"})


async def show(shop: Shop, account_id: UUID) -> CustomerView:
    """A customer."""
    customer = await customers.find(shop.db, shop.vault, account_id)
    (view,) = await _views(shop, [customer])
    return view


async def change(
    shop: Shop, caller: Caller, account_id: UUID, data: CustomerChanges
) -> CustomerView:
    """Change a customer's profile and preferences."""
    await _customers(shop).change(
        account_id, data.wanted(marketing=data.marketing), source=_source(caller)
    )
    return await show(shop, account_id)


async def orders(
    shop: Shop,
    account_id: UUID,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
) -> Orders:
    """The orders of a customer, newest first."""
    await customers.find(shop.db, shop.vault, account_id)
    found = await ordering.of_account(
        shop.db, shop.vault, account_id, after=after, limit=limit
    )
    page = Page([OrderView.of(order) for order in found.items], found.next)
    return listing(page, f"{_PATH}/{account_id}/orders", limit=limit)


async def _with_email(shop: Shop, email: str) -> Page[Customer]:
    account = await accounts.find_by_email(shop.db, shop.vault, email)
    if account is None:
        return Page([], None)
    found = await customers.find_many(shop.db, shop.vault, [account.id])
    return Page(list(found.values()), None)


async def _views(shop: Shop, found: list[Customer]) -> list[CustomerView]:
    ids = [customer.account_id for customer in found]
    owners = await accounts.find_many(shop.db, shop.vault, ids)
    agreed = await customers.agreed(shop.db, ids)
    return [
        CustomerView(
            id=customer.account_id,
            **profile_of(
                owners[customer.account_id],
                customer,
                agreed.get(customer.account_id),
            ),
        )
        for customer in found
    ]


def _source(caller: Caller) -> str:
    """Who says that a customer agreed."""
    if isinstance(caller, Service):
        return f"api:{caller.client_id}"
    return f"operator:{caller.actor.partition(':')[2]}"


def _customers(shop: Shop) -> Customers:
    return Customers(shop.db, shop.vault, shop.clock)
