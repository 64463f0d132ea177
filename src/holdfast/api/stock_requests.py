"""Who wants to hear when something can be bought again."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Response

from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.me import own_id
from holdfast.api.shapes import Email, email_address
from holdfast.api.shop import Shop
from holdfast.domain import inventory
from holdfast.domain.identity import Caller, Member
from holdfast.domain.inventory import StockRequest
from holdfast.kernel.page import DEFAULT_LIMIT, Page
from holdfast.workflows import stock_notices as workflows


class BackInStockWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to tell; without it, at the address of the account that is signed in."""

    email: Email | None = None


class StockRequestView(msgspec.Struct, frozen=True):
    """Somebody waits for a SKU."""

    id: UUID
    sku: str
    title: str
    account_id: UUID | None
    created_at: datetime

    @classmethod
    def of(cls, request: StockRequest) -> "StockRequestView":
        return cls(
            *(request.id, request.sku, request.title, request.account_id),
            request.created_at,
        )


StockRequests = Annotated[Response[Any], Listing[StockRequestView]]


async def create(
    shop: Shop,
    caller: Caller,
    sku: str,
    data: BackInStockWanted = BackInStockWanted(),  # noqa: B008 - it is frozen
) -> None:
    """Ask to be told, once, when a SKU can be bought again.

    The answer does not say whether the address was noted before.
    """
    account_id = caller.account_id if isinstance(caller, Member) else None
    email = None
    if data.email is not None:
        email = email_address(data.email, "/email")
    await workflows.ask_for(
        shop.db, shop.vault, sku, email=email, account_id=account_id, clock=shop.clock
    )


async def browse(
    shop: Shop, sku: str, limit: Limit = DEFAULT_LIMIT, after: After | None = None
) -> StockRequests:
    """Who waits for a SKU, without their addresses."""
    page = await inventory.requests(
        shop.db, shop.vault, sku=sku, after=after, limit=limit
    )
    return _listed(page, f"/v1/inventory/{quote(sku, safe='')}/back-in-stock", limit)


async def remove(shop: Shop, request_id: UUID) -> None:
    """Forget a request; nobody is told of it."""
    await workflows.remove(shop.db, request_id)


async def browse_own(
    shop: Shop, caller: Caller, limit: Limit = DEFAULT_LIMIT, after: After | None = None
) -> StockRequests:
    """What you wait for."""
    page = await inventory.requests(
        shop.db, shop.vault, account_id=own_id(caller), after=after, limit=limit
    )
    return _listed(page, "/v1/me/back-in-stock", limit)


async def remove_own(shop: Shop, caller: Caller, request_id: UUID) -> None:
    """Wait for it no longer."""
    await workflows.remove(shop.db, request_id, account_id=own_id(caller))


def _listed(page: Page[StockRequest], path: str, limit: int) -> Response[Any]:
    shown = Page([StockRequestView.of(request) for request in page.items], page.next)
    return listing(shown, path, limit=limit)
