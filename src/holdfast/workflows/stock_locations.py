"""Locations: where stock is, in what order orders take from them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from holdfast.domain import inventory
from holdfast.domain.inventory import Location, TooManyLocations
from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Database


async def create_location(
    db: Database,
    code: str,
    name: str,
    *,
    priority: int,
    address: Mapping[str, str] | None,
    clock: Clock,
) -> Location:
    """Add a location; ``LocationCodeTaken``, or ``TooManyLocations``."""
    async with db.transaction() as tx:
        if len(await inventory.locations(tx)) >= inventory.MAX_LOCATIONS:
            raise TooManyLocations(inventory.MAX_LOCATIONS)
        return await inventory.add_location(
            tx,
            new_id(),
            code,
            name,
            priority=priority,
            address=address,
            at=clock(),
        )


async def change_location(
    db: Database, code: str, changes: Mapping[str, Any], *, clock: Clock
) -> Location:
    """Change fields of a location, ``active`` among them; the others stay.

    Raises ``LocationNotFound``, ``LocationCodeTaken``, ``MainLocation``, and
    ``LocationInUse`` when one that has something reserved is to be closed.
    """
    now = clock()
    async with db.transaction() as tx:
        location = await inventory.lock_location(tx, code)
        wanted = replace(location, **changes)
        if wanted.active != location.active:
            await inventory.use_location(tx, location, active=wanted.active, at=now)
        return await inventory.change_location(tx, wanted, at=now)
