"""Stock: what is there, what is promised, and the ledger of every change.

Promises: a unit is promised to one order at a time; what is promised never
exceeds what is there (the database refuses it); a level is the sum of its
ledger. An order's lines are reserved all or none.
"""

from holdfast.domain.inventory.errors import (
    OutOfStock,
    StockBelowReserved,
    StockLevelOutOfRange,
    UnknownStock,
)
from holdfast.domain.inventory.model import MAX_LEVEL, Level, Movement, Shortage, Wanted
from holdfast.domain.inventory.store import (
    drift,
    find,
    movements,
    open_levels,
    release,
    reserve,
    sell,
    set_levels,
)

__all__ = [
    "MAX_LEVEL",
    "Level",
    "Movement",
    "OutOfStock",
    "Shortage",
    "StockBelowReserved",
    "StockLevelOutOfRange",
    "UnknownStock",
    "Wanted",
    "drift",
    "find",
    "movements",
    "open_levels",
    "release",
    "reserve",
    "sell",
    "set_levels",
]
