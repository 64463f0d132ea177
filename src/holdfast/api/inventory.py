"""Stock levels and their ledger, for operators."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Response

from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.shop import Shop
from holdfast.domain import inventory
from holdfast.domain.identity import Caller
from holdfast.domain.inventory import Level, Movement
from holdfast.kernel.page import DEFAULT_LIMIT
from holdfast.workflows import stock as workflows


class LevelWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many units there are, and why the number changes."""

    on_hand: Annotated[int, msgspec.Meta(ge=0, le=inventory.MAX_LEVEL)]
    reason: Annotated[str, msgspec.Meta(max_length=255)] = ""


class LevelView(msgspec.Struct, frozen=True):
    """What is there, what is promised to buyers, what can still be sold."""

    sku: str
    variant_id: UUID
    on_hand: int
    reserved: int
    available: int
    updated_at: datetime

    @classmethod
    def of(cls, level: Level) -> "LevelView":
        return cls(
            level.sku,
            level.variant_id,
            level.on_hand,
            level.reserved,
            level.available,
            level.updated_at,
        )


Movements = Annotated[Response[Any], Listing[Movement]]


async def show(shop: Shop, sku: str) -> LevelView:
    """The stock of a SKU."""
    return LevelView.of(await inventory.find(shop.db, sku))


async def change(shop: Shop, caller: Caller, sku: str, data: LevelWanted) -> LevelView:
    """Say how many units are on hand; the difference goes into the ledger."""
    level = await workflows.set_level(
        shop.db,
        sku,
        data.on_hand,
        reason=data.reason,
        actor=caller.actor,
        clock=shop.clock,
    )
    return LevelView.of(level)


async def movements(
    shop: Shop, sku: str, limit: Limit = DEFAULT_LIMIT, after: After | None = None
) -> Movements:
    """Every change of a SKU's stock, newest first."""
    level = await inventory.find(shop.db, sku)
    page = await inventory.movements(
        shop.db, level.variant_id, after=after, limit=limit
    )
    return listing(page, f"/v1/inventory/{quote(sku, safe='')}/movements", limit=limit)
