"""Stock: what is there, what is promised, and the ledger of every change.

Promises: a unit is promised to one order at a time; what is promised never
exceeds what is there (the database refuses it); a level is the sum of its
ledger. An order's lines are reserved all or none; they stay reserved until the
goods leave, which writes the sale.
"""

from holdfast.domain.inventory.errors import (
    LocationNotFound,
    NotEnoughOnHand,
    NotReserved,
    OutOfStock,
    ReservationExpired,
    ReservationNotFound,
    ReservationsBusy,
    StockBelowReserved,
    StockLevelOutOfRange,
    UnknownStock,
)
from holdfast.domain.inventory.hold_requests import MAX_CONNECTIONS, Holding
from holdfast.domain.inventory.holds import Held, hold
from holdfast.domain.inventory.metrics import HoldMetrics
from holdfast.domain.inventory.model import (
    MAIN,
    MAX_LEVEL,
    Level,
    Location,
    Move,
    Movement,
    Reserved,
    Shortage,
    Wanted,
    hold_id,
)
from holdfast.domain.inventory.reservations import (
    EXPIRE_AT_ONCE,
    expire,
    holders_among,
    release,
    release_part,
    reserve,
    reserved_for,
    ship,
)
from holdfast.domain.inventory.store import (
    drift,
    find,
    find_location,
    move,
    movements,
    open_levels,
    set_levels,
    take_back,
    unship,
)

__all__ = [
    "EXPIRE_AT_ONCE",
    "MAIN",
    "MAX_CONNECTIONS",
    "MAX_LEVEL",
    "Held",
    "HoldMetrics",
    "Holding",
    "Level",
    "Location",
    "LocationNotFound",
    "Move",
    "Movement",
    "NotEnoughOnHand",
    "NotReserved",
    "OutOfStock",
    "ReservationExpired",
    "ReservationNotFound",
    "ReservationsBusy",
    "Reserved",
    "Shortage",
    "StockBelowReserved",
    "StockLevelOutOfRange",
    "UnknownStock",
    "Wanted",
    "drift",
    "expire",
    "find",
    "find_location",
    "hold",
    "hold_id",
    "holders_among",
    "move",
    "movements",
    "open_levels",
    "release",
    "release_part",
    "reserve",
    "reserved_for",
    "set_levels",
    "ship",
    "take_back",
    "unship",
]
