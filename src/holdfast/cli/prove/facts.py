"""What the shop and the provider have written down, as the judges are given it."""

import msgspec

PAID = frozenset({"confirmed", "completed"})


class Order(msgspec.Struct, frozen=True):
    """An order of the shop's database."""

    id: str
    number: str
    cart: str
    status: str
    total: int
    currency: str
    captured: int
    refunded: int
    lines: tuple[tuple[str, int], ...]
    """SKUs and how many of each."""

    @property
    def is_paid(self) -> bool:
        return self.status in PAID


class Charge(msgspec.Struct, frozen=True):
    """A charge of the provider's books."""

    key: str
    reference: str
    status: str
    amount: int
    currency: str
    captured_amount: int
    refunded_amount: int

    @property
    def kept(self) -> int:
        """Money that the provider has taken and not given back."""
        return self.captured_amount - self.refunded_amount


class Level(msgspec.Struct, frozen=True):
    """The stock of one SKU."""

    sku: str
    units: int
    """That the sale began with."""
    on_hand: int
    reserved: int
    available: int
    held: int
    """By holds that have not ended."""
    promised: int
    """To orders."""


class Facts(msgspec.Struct, frozen=True):
    """Everything that the shop says of itself when the dust has settled."""

    orders: list[Order]
    charges: list[Charge]
    levels: list[Level]
    """Of the SKUs of the sale."""
