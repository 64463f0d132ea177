"""A waiting room to look at: a page without script that asks again by itself.

It shows what a storefront makes of the API: a place in line, how long that may take,
and the ticket to buy with once it is one's turn. The ticket is kept in a cookie.
"""

from math import ceil
from typing import Any
from uuid import UUID

from litestar import Request, Response

from holdfast.api.hosted.visit import TICKET, Visit
from holdfast.api.shop import Shop
from holdfast.domain import drops
from holdfast.domain.identity import Origin
from holdfast.platform.proxies import site_of
from holdfast.workflows.drops import Standing


async def show(
    shop: Shop, request: Request[Any, Any, Any], origin: Origin, drop_id: UUID
) -> Response[Any]:
    """A drop, and how far whoever waits for it here is."""
    visit = Visit(shop, request, origin)
    drop = await drops.find(shop.db, drop_id)
    said, ticket = None, visit.cookie(TICKET)
    if ticket is not None and drop.ended_at is None:
        try:
            said = await shop.waiting_room.look(drop_id, ticket)
        except drops.TicketNotValid:
            # Of another drop: one is waited for at a time.
            visit.forget(TICKET)
        else:
            visit.keep(TICKET, said.ticket)
    again = {} if said is None else {"Refresh": str(_again(said))}
    return await visit.page("drop.html", headers=again, drop=drop, said=said)


async def join(
    shop: Shop, request: Request[Any, Any, Any], origin: Origin, drop_id: UUID
) -> Response[Any]:
    """Take a ticket."""
    visit = Visit(shop, request, origin)
    await visit.form()
    session = await visit.session()
    account_id = None if session is None else session.account_id
    said = await shop.waiting_room.join(drop_id, account_id, site_of(origin.address))
    visit.keep(TICKET, said.ticket)
    return visit.redirect(f"/drops/{drop_id}")


def _again(said: Standing) -> int:
    return max(1, ceil(said.again_in_seconds))
