"""Read what a shop and its payment provider have written down."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

import msgspec

from holdfast.cli.replay.placing import PlacedOrder
from holdfast.cli.replay.remote import CannotReplay, Items, Remote
from holdfast.cli.replay.returning import PlacedReturn
from holdfast.cli.replay.sales import CURRENCY


class Level(msgspec.Struct):
    """The stock of a SKU."""

    sku: str
    on_hand: int
    reserved: int


class Movement(msgspec.Struct):
    """One line of the ledger."""

    sku: str
    kind: str
    delta: int
    order_id: str | None


class Charge(msgspec.Struct):
    """What the provider did for a key."""

    id: str
    key: str
    status: str
    amount: int
    currency: str
    reference: str
    created_at: str
    refunded_amount: int


class _Sum(msgspec.Struct):
    count: int
    amount_by_currency: dict[str, int]


class _Summary(msgspec.Struct):
    captured: _Sum
    refunded: _Sum


@dataclass(frozen=True, slots=True)
class Shelf:
    """A stock and what its ledger says of it."""

    level: Level
    moved: int
    """All movements together."""
    sold: int
    """Units that were shipped for the orders of the replay."""
    returned: int
    """Units of these that came back."""


@dataclass
class Books:
    """Everything the comparison needs to know."""

    orders: list[PlacedOrder]
    shelves: dict[str, Shelf] = field(default_factory=dict)
    charges: list[Charge] = field(default_factory=list)
    returns: list[PlacedReturn] = field(default_factory=list)
    others: tuple[int, int] = (0, 0)
    """What the provider has captured and given back for others, in pence."""
    summary: tuple[int, int] = (0, 0)
    """What it says itself that it has captured and given back, in pence."""


_levels = msgspec.json.Decoder(Items[Level])
_movements = msgspec.json.Decoder(Items[Movement])
_charges = msgspec.json.Decoder(Items[Charge])
_summary = msgspec.json.Decoder(_Summary)


async def read_stock(books: Books, shop: Remote, codes: Collection[str]) -> None:
    """Fill in the stock of these SKUs and the sums of its ledger."""
    ours, wanted = {order.id for order in books.orders}, frozenset(codes)
    moved, sold, returned = Counter[str](), Counter[str](), Counter[str]()
    async for movement in shop.items("/v1/stock-movements", _movements):
        moved[movement.sku] += movement.delta
        if movement.order_id in ours and movement.kind == "sale":
            sold[movement.sku] -= movement.delta
        if movement.order_id in ours and movement.kind == "return":
            returned[movement.sku] += movement.delta
    async for level in shop.items("/v1/inventory", _levels):
        sku = level.sku
        if sku not in wanted:
            continue
        if (there := books.shelves.get(sku)) is not None:
            # Of another location.
            level.on_hand += there.level.on_hand
            level.reserved += there.level.reserved
        books.shelves[sku] = Shelf(level, moved[sku], sold[sku], returned[sku])


async def read_charges(books: Books, provider: Remote) -> None:
    """Fill in what the provider did for the orders of the books.

    A charge belongs to an order by its key or, so that one made under a key of its
    own is not missed, by the number it was made for.
    """
    ids = {order.id for order in books.orders}
    numbers = {order.number for order in books.orders}
    answer = await provider.get("/v1/charges?limit=1")
    if not answer.ok:
        raise CannotReplay(
            f"The payment provider does not tell its charges: {answer.said}"
        )
    # The provider may outlive the shop, and a new shop begins with the same numbers;
    # ids of orders are never used again.
    found = [c async for c in provider.items("/v1/charges", _charges)]
    first = min((c.created_at for c in found if c.key in ids), default="")
    books.charges = [
        charge
        for charge in found
        if charge.key in ids
        or (charge.reference in numbers and charge.created_at >= first > "")
    ]
    ours = {charge.id for charge in books.charges}
    rest = [c for c in found if c.id not in ours and c.currency == CURRENCY]
    books.others = (
        sum(c.amount for c in rest if c.status == "captured"),
        sum(c.refunded_amount for c in rest),
    )
    said = (await provider.get("/v1/summary")).read(_summary)
    books.summary = (
        said.captured.amount_by_currency.get(CURRENCY, 0),
        said.refunded.amount_by_currency.get(CURRENCY, 0),
    )
