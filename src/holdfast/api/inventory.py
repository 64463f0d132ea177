"""Stock levels and their ledger, for operators."""

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Response
from msgspec import UNSET, UnsetType

from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.shop import Shop
from holdfast.domain import inventory
from holdfast.domain.identity import Caller
from holdfast.domain.inventory import MAIN, Kind, Level, Movement, MovementFilter
from holdfast.kernel.moments import nearest
from holdfast.kernel.page import DEFAULT_LIMIT, Page
from holdfast.workflows import stock as workflows

_PATH = "/v1/inventory"

Units = Annotated[int, msgspec.Meta(ge=0, le=inventory.MAX_LEVEL)]
LocationCode = Annotated[
    str, msgspec.Meta(min_length=1, max_length=63, description="Code of a location.")
]
SkuFilter = Annotated[
    str, msgspec.Meta(min_length=1, max_length=255, description="Exactly this SKU.")
]
ActorFilter = Annotated[
    str,
    msgspec.Meta(
        max_length=255, description="Who did it, such as `key:` and the id of a key."
    ),
]


class LevelWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many units there are, and why the number changes."""

    on_hand: Units
    reason: Annotated[str, msgspec.Meta(max_length=255)] = ""


class LevelChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a level besides its number; what is absent stays."""

    safety_stock: Units | UnsetType = UNSET
    backorder_limit: Units | UnsetType = UNSET
    low_stock_threshold: Units | UnsetType | None = UNSET


class LevelAt(msgspec.Struct, frozen=True):
    """What is there at one location."""

    sku: str
    variant_id: UUID
    location: str
    on_hand: int
    reserved: int
    available: int
    safety_stock: int
    backorder_limit: int
    low_stock_threshold: int | None
    updated_at: datetime

    @classmethod
    def of(cls, level: Level) -> "LevelAt":
        return cls(
            level.sku,
            level.variant_id,
            level.location,
            level.on_hand,
            level.reserved,
            level.available,
            level.safety_stock,
            level.backorder_limit,
            level.low_stock_threshold,
            level.updated_at,
        )


class LevelView(msgspec.Struct, frozen=True):
    """What is there, what is promised to buyers, what can still be sold.

    The numbers at the top are those of the main location.
    """

    sku: str
    variant_id: UUID
    on_hand: int
    reserved: int
    available: int
    updated_at: datetime
    total_available: int
    locations: list[LevelAt]

    @classmethod
    def of(cls, levels: list[Level]) -> "LevelView":
        main = next((n for n in levels if n.location_id == MAIN), levels[0])
        return cls(
            main.sku,
            main.variant_id,
            main.on_hand,
            main.reserved,
            main.available,
            main.updated_at,
            sum(level.available for level in levels),
            [LevelAt.of(level) for level in levels],
        )


Levels = Annotated[Response[Any], Listing[LevelAt]]
Movements = Annotated[Response[Any], Listing[Movement]]


async def browse(
    *,
    shop: Shop,
    sku: SkuFilter | None = None,
    location: LocationCode | None = None,
    low: bool = False,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
) -> Levels:
    """List levels, by SKU; `low=true` for those at or below their threshold."""
    page = await inventory.levels(
        shop.db,
        sku=sku,
        location_id=await _location_id(shop, location),
        low=low,
        after=after,
        limit=limit,
    )
    shown = Page([LevelAt.of(level) for level in page.items], page.next)
    said = "true" if low else None
    return listing(shown, _PATH, sku=sku, location=location, low=said, limit=limit)


async def show(shop: Shop, sku: str) -> LevelView:
    """The stock of a SKU: at the main location, and at each."""
    return LevelView.of(await inventory.levels_of(shop.db, sku))


async def change(shop: Shop, caller: Caller, sku: str, data: LevelWanted) -> LevelView:
    """Say how many units are on hand at the main location.

    The difference goes into the ledger.
    """
    await workflows.set_level(
        shop.db,
        sku,
        data.on_hand,
        reason=data.reason,
        actor=caller.actor,
        clock=shop.clock,
    )
    return LevelView.of(await inventory.levels_of(shop.db, sku))


async def change_settings(
    shop: Shop, sku: str, location: str, data: LevelChanges
) -> LevelAt:
    """Say what a location keeps back, may promise beyond what it has, and calls few."""
    changes = {
        field: value
        for field in data.__struct_fields__
        if (value := getattr(data, field)) is not UNSET
    }
    level = await workflows.change_settings(
        shop.db, sku, location, changes, clock=shop.clock
    )
    return LevelAt.of(level)


async def movements(
    *,
    shop: Shop,
    sku: str,
    location: LocationCode | None = None,
    kind: Kind | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    order_id: UUID | None = None,
    actor: ActorFilter | None = None,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
) -> Movements:
    """Every change of a SKU's stock, newest first."""
    (variant_id,) = (await inventory.variants_of(shop.db, [sku])).values()
    only = MovementFilter(
        variant_id=variant_id,
        location_id=await _location_id(shop, location),
        kind=kind,
        since=_aware(since),
        until=_aware(until),
        order_id=order_id,
        actor=actor,
    )
    page = await inventory.movements(shop.db, only=only, after=after, limit=limit)
    path = f"{_PATH}/{quote(sku, safe='')}/movements"
    return listing(page, path, **_asked(only), location=location, limit=limit)


async def ledger(
    *,
    shop: Shop,
    sku: SkuFilter | None = None,
    location: LocationCode | None = None,
    kind: Kind | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    order_id: UUID | None = None,
    actor: ActorFilter | None = None,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
) -> Movements:
    """Every change of any stock, newest first."""
    variant_id = None
    if sku is not None:
        variant_id = (await inventory.variants_of(shop.db, [sku]))[sku]
    only = MovementFilter(
        variant_id=variant_id,
        location_id=await _location_id(shop, location),
        kind=kind,
        since=_aware(since),
        until=_aware(until),
        order_id=order_id,
        actor=actor,
    )
    page = await inventory.movements(shop.db, only=only, after=after, limit=limit)
    return listing(
        page,
        "/v1/stock-movements",
        sku=sku,
        **_asked(only),
        location=location,
        limit=limit,
    )


def _asked(only: MovementFilter) -> dict[str, object]:
    return {
        "kind": only.kind,
        "since": only.since and only.since.isoformat(),
        "until": only.until and only.until.isoformat(),
        "order_id": only.order_id,
        "actor": only.actor,
    }


def _aware(at: datetime | None) -> datetime | None:
    """A time without an offset is one of UTC."""
    if at is None:
        return None
    return nearest(at.replace(tzinfo=UTC) if at.tzinfo is None else at)


async def _location_id(shop: Shop, code: str | None) -> UUID | None:
    if code is None:
        return None
    return (await inventory.find_location(shop.db, code)).id
