"""Stock counts: what people found on the shelves."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response

from holdfast.api.inventory import LocationCode, Units
from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.shapes import Sku
from holdfast.api.shop import Shop
from holdfast.api.stock_adjustments import MAX_LINES, Reference
from holdfast.domain import inventory
from holdfast.domain.identity import Caller
from holdfast.domain.inventory import CountStatus, StockCount, StockLineRepeated
from holdfast.kernel.page import DEFAULT_LIMIT
from holdfast.workflows.stock_counts import Counts

_PATH = "/v1/stock-counts"


class NewCount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where is counted."""

    location: LocationCode = "main"
    reference: Reference = ""


class UnitsFound(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many there are of a SKU."""

    sku: Sku
    counted: Units


class CountedLines(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was found just now."""

    lines: Annotated[list[UnitsFound], msgspec.Meta(min_length=1, max_length=MAX_LINES)]


class CountedView(msgspec.Struct, frozen=True):
    """What was found of a SKU, and what the books said at that moment."""

    sku: str
    expected: int
    counted: int
    difference: int
    actor: str
    counted_at: datetime


class CountView(msgspec.Struct, frozen=True):
    """A stock count and what was found in it."""

    id: UUID
    location: str
    status: CountStatus
    reference: str
    actor: str
    opened_at: datetime
    closed_at: datetime | None
    lines: list[CountedView]


CountList = Annotated[Response[Any], Listing[StockCount]]


async def browse(
    *,
    shop: Shop,
    status: CountStatus | None = None,
    location: LocationCode | None = None,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
) -> CountList:
    """List stock counts, newest first."""
    place = None
    if location is not None:
        place = (await inventory.find_location(shop.db, location)).id
    page = await inventory.counts(
        shop.db, status=status, location_id=place, after=after, limit=limit
    )
    return listing(page, _PATH, status=status, location=location, limit=limit)


async def show(shop: Shop, count_id: UUID) -> CountView:
    """A stock count and what was found in it."""
    return await _view(shop, await inventory.find_count(shop.db, count_id))


async def create(shop: Shop, caller: Caller, data: NewCount) -> CountView:
    """Begin to count a location."""
    count = await _counts(shop).open(
        data.location, reference=data.reference, actor=caller.actor
    )
    return await _view(shop, count)


async def put_lines(
    shop: Shop, caller: Caller, count_id: UUID, data: CountedLines
) -> CountView:
    """Write down what was found. A SKU that is counted again is counted anew."""
    counted: dict[str, int] = {}
    for line in data.lines:
        if line.sku in counted:
            raise StockLineRepeated(line.sku, "")
        counted[line.sku] = line.counted
    count = await _counts(shop).put(count_id, counted, actor=caller.actor)
    return await _view(shop, count)


async def apply(shop: Shop, caller: Caller, count_id: UUID) -> CountView:
    """Put the books right by what was found; what was sold since then stays sold."""
    return await _view(shop, await _counts(shop).apply(count_id, actor=caller.actor))


async def cancel(shop: Shop, count_id: UUID) -> CountView:
    """Forget about the count; the books stay as they are."""
    return await _view(shop, await _counts(shop).cancel(count_id))


def _counts(shop: Shop) -> Counts:
    return Counts(shop.db, shop.clock)


async def _view(shop: Shop, count: StockCount) -> CountView:
    lines = await inventory.count_lines(shop.db, count.id)
    return CountView(
        *(count.id, count.location, count.status, count.reference, count.actor),
        count.opened_at,
        count.closed_at,
        [
            CountedView(
                *(line.sku, line.expected, line.counted, line.difference),
                line.actor,
                line.counted_at,
            )
            for line in lines
        ],
    )
