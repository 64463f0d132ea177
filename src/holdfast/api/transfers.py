"""Transfers: units on their way from one location to another."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response

from holdfast.api.inventory import LocationCode
from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.shapes import Sku
from holdfast.api.shop import Shop
from holdfast.api.stock_adjustments import MAX_LINES, Reference
from holdfast.domain import inventory
from holdfast.domain.identity import Caller
from holdfast.domain.inventory import Transfer, TransferStatus
from holdfast.kernel.page import DEFAULT_LIMIT
from holdfast.workflows import stock_transfers as workflows

_PATH = "/v1/transfers"


class TransferUnits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many of a SKU."""

    sku: Sku
    quantity: Annotated[int, msgspec.Meta(ge=1, le=inventory.MAX_LEVEL)]


TransferUnitsList = Annotated[
    list[TransferUnits], msgspec.Meta(min_length=1, max_length=MAX_LINES)
]


class NewTransfer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes from where to where."""

    source: LocationCode
    destination: LocationCode
    lines: TransferUnitsList
    reference: Reference = ""


class UnitsReceived(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What arrived; without lines, all that was missing."""

    lines: TransferUnitsList | None = None


Transfers = Annotated[Response[Any], Listing[Transfer]]


async def browse(
    *,
    shop: Shop,
    status: TransferStatus | None = None,
    location: LocationCode | None = None,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
) -> Transfers:
    """List transfers, newest first."""
    place = None
    if location is not None:
        place = (await inventory.find_location(shop.db, location)).id
    page = await inventory.transfers(
        shop.db, status=status, location_id=place, after=after, limit=limit
    )
    return listing(page, _PATH, status=status, location=location, limit=limit)


async def show(shop: Shop, transfer_id: UUID) -> Transfer:
    """A transfer, and how much of it has arrived."""
    return await inventory.find_transfer(shop.db, transfer_id)


async def create(shop: Shop, caller: Caller, data: NewTransfer) -> Transfer:
    """Plan a transfer. Nothing moves until it is dispatched."""
    return await _transfers(shop).create(
        data.source,
        data.destination,
        _units(data.lines),
        reference=data.reference,
        actor=caller.actor,
    )


async def dispatch(shop: Shop, caller: Caller, transfer_id: UUID) -> Transfer:
    """The units leave their location; they are on no shelf until they arrive."""
    return await _transfers(shop).dispatch(transfer_id, actor=caller.actor)


async def receive(
    shop: Shop,
    caller: Caller,
    transfer_id: UUID,
    data: UnitsReceived = UnitsReceived(),  # noqa: B008 - it is frozen
) -> Transfer:
    """Units arrive: those of the lines, or all that are missing."""
    lines = None if data.lines is None else _units(data.lines)
    return await _transfers(shop).receive(transfer_id, lines, actor=caller.actor)


async def cancel(shop: Shop, caller: Caller, transfer_id: UUID) -> Transfer:
    """Nothing more arrives: what is under way is back where it came from."""
    return await _transfers(shop).cancel(transfer_id, actor=caller.actor)


def _transfers(shop: Shop) -> workflows.Transfers:
    return workflows.Transfers(shop.db, shop.clock)


def _units(lines: list[TransferUnits]) -> list[workflows.Units]:
    return [workflows.Units(line.sku, line.quantity) for line in lines]
