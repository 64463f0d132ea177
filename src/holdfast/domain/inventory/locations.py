"""Locations in PostgreSQL: where stock is, and whose turn it is to give."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from holdfast.domain.inventory.errors import (
    LocationCodeTaken,
    LocationInUse,
    LocationNotFound,
    MainLocation,
)
from holdfast.domain.inventory.model import MAIN, Location
from holdfast.platform import sql
from holdfast.platform.db import Connection, ConstraintViolated, Transaction

_SQL = sql.load("holdfast.domain.inventory")
_LOCATIONS = _SQL["locations"]
_FIND_LOCATION = _SQL["find_location"]
_LOCK_LOCATION = _SQL["lock_location"]
_ADD_LOCATION = _SQL["add_location"]
_CHANGE_LOCATION = _SQL["change_location"]
_USE_LOCATION = _SQL["use_location"]

MAX_LOCATIONS = 1000
LOCATION_CODE = r"^[a-z0-9][a-z0-9-]{0,62}$(?!\n)"
"""Codes are for addresses and files: small letters, digits and hyphens."""


async def locations(connection: Connection) -> list[Location]:
    """Every location, those first that orders take from first."""
    return [Location(*row) for row in await connection.fetch(_LOCATIONS)]


async def find_location(connection: Connection, code_or_id: str | UUID) -> Location:
    """A location by its id or its code; ``LocationNotFound``."""
    if isinstance(code_or_id, UUID):
        row = await connection.fetchrow(_FIND_LOCATION, code_or_id, None)
    else:
        row = await connection.fetchrow(_FIND_LOCATION, None, code_or_id)
    if row is None:
        raise LocationNotFound(str(code_or_id))
    return Location(*row)


async def lock_location(tx: Transaction, code: str) -> Location:
    """The same, locked for a change."""
    found = await find_location(tx, code)
    row = await tx.fetchrow(_LOCK_LOCATION, found.id)
    if row is None:
        raise LocationNotFound(code)
    return Location(*row)


async def add_location(
    tx: Transaction,
    location_id: UUID,
    code: str,
    name: str,
    *,
    priority: int,
    address: Mapping[str, str] | None,
    at: datetime,
) -> Location:
    """Add a location, in use from now on; ``LocationCodeTaken``."""
    try:
        row = await tx.fetchrow(
            _ADD_LOCATION, location_id, code, name, priority, address, at
        )
    except ConstraintViolated as error:
        raise _taken(error, code) from error
    assert row is not None  # noqa: S101 - or it would have been refused
    return Location(*row)


async def change_location(
    tx: Transaction, location: Location, *, at: datetime
) -> Location:
    """Write what a location is called, where it is and when its turn comes."""
    try:
        row = await tx.fetchrow(
            _CHANGE_LOCATION,
            location.id,
            location.code,
            location.name,
            location.priority,
            location.address,
            at,
        )
    except ConstraintViolated as error:
        raise _taken(error, location.code) from error
    assert row is not None  # noqa: S101 - it is locked
    return Location(*row)


async def use_location(
    tx: Transaction, location: Location, *, active: bool, at: datetime
) -> None:
    """Open a location for orders, or close it.

    Nothing is sold from one that is closed. Raises ``LocationInUse`` while something
    is reserved there, and ``MainLocation`` for the one that every shop has.
    """
    if location.id == MAIN and not active:
        raise MainLocation
    reserved = await tx.fetchval(_USE_LOCATION, location.id, active, at)
    if reserved and not active:
        raise LocationInUse(location.code, reserved)


def _taken(error: ConstraintViolated, code: str) -> Exception:
    if error.constraint_name == "locations_code_unique":
        return LocationCodeTaken(code)
    return error
