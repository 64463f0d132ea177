"""What can be wrong with stock."""

from dataclasses import dataclass

from holdfast.domain.inventory.model import Shortage
from holdfast.kernel.errors import Conflict, Invalid, NotFound


@dataclass(eq=False)
class OutOfStock(Conflict):
    """There is not enough stock to fill this order."""

    shortages: list[Shortage]


@dataclass(eq=False)
class StockBelowReserved(Conflict):
    """The stock cannot be set below what is promised to buyers."""

    sku: str
    reserved: int


@dataclass(eq=False)
class UnknownStock(NotFound):
    """No stock is kept under this SKU."""

    sku: str


@dataclass(eq=False)
class StockLevelOutOfRange(Invalid):
    """A stock level must be a whole number from 0 to 1,000,000,000,000."""

    sku: str
