"""Locations: where stock is kept."""

from typing import Annotated, Any

import msgspec
from litestar import Response
from msgspec import UNSET, UnsetType

from holdfast.api.listing import Listing, listing
from holdfast.api.shapes import PostalAddress, Text
from holdfast.api.shop import Shop
from holdfast.domain import inventory
from holdfast.domain.inventory import Location
from holdfast.kernel.page import Page
from holdfast.workflows import stock_locations as workflows

_MAX_PRIORITY = 1_000_000

Code = Annotated[
    str,
    msgspec.Meta(
        pattern=inventory.LOCATION_CODE,
        description="Names it in addresses and files.",
        examples=["berlin"],
    ),
]
Turn = Annotated[
    int,
    msgspec.Meta(
        ge=0,
        le=_MAX_PRIORITY,
        description="Orders take from the location with the lowest number first.",
    ),
]


class NewLocation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place where stock is kept."""

    code: Code
    name: Text
    priority: Turn = 0
    address: PostalAddress | None = None


class LocationChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a location; what is absent stays as it is."""

    code: Code | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    priority: Turn | UnsetType = UNSET
    address: PostalAddress | UnsetType | None = UNSET
    active: bool | UnsetType = UNSET


Locations = Annotated[Response[Listing[Location]], Listing[Location]]


async def browse(shop: Shop) -> Locations:
    """List the locations, those first that orders take from first."""
    return listing(Page(await inventory.locations(shop.db), None), "/v1/locations")


async def show(shop: Shop, location: str) -> Location:
    """A location, by its code."""
    return await inventory.find_location(shop.db, location)


async def create(shop: Shop, data: NewLocation) -> Location:
    """Add a location. It is in use from now on, and empty."""
    return await workflows.create_location(
        shop.db,
        data.code,
        data.name,
        priority=data.priority,
        address=_address(data.address),
        clock=shop.clock,
    )


async def change(shop: Shop, location: str, data: LocationChanges) -> Location:
    """Change a location, or take it out of use while nothing is reserved there."""
    changes: dict[str, Any] = {
        field: value
        for field in data.__struct_fields__
        if (value := getattr(data, field)) is not UNSET
    }
    if "address" in changes:
        changes["address"] = _address(changes["address"])
    return await workflows.change_location(shop.db, location, changes, clock=shop.clock)


def _address(said: PostalAddress | None) -> dict[str, str] | None:
    if said is None:
        return None
    said.address("/address")
    shown: dict[str, str | None] = msgspec.structs.asdict(said)
    return {field: value for field, value in shown.items() if value is not None}
