"""Invoices: for the buyer of an order, and for operators."""

from uuid import UUID

from litestar import Response

from holdfast.api.shop import Shop
from holdfast.domain import ordering
from holdfast.domain.identity import Caller
from holdfast.workflows.carts import owns


async def show(shop: Shop, caller: Caller, order_id: UUID) -> Response[bytes]:
    """The invoice of an order as PDF, once the order is confirmed."""
    order = await ordering.find(shop.db, shop.vault, order_id)
    if not owns(
        caller,
        order.token_hash,
        order.account_id,
        scope="orders:read",
        own="orders:own",
    ):
        raise ordering.OrderNotFound
    content = await shop.press.invoice(shop.db, order)
    name = f"invoice-{order.label}.pdf"
    return Response(
        content,
        media_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
