"""Read what a shop and its payment provider have written down."""

from dataclasses import dataclass, field
from urllib.parse import quote

import msgspec

from holdfast.cli.replay.placing import PlacedOrder, Tick, each
from holdfast.cli.replay.remote import CannotReplay, Items, Remote


class Level(msgspec.Struct):
    """The stock of a SKU."""

    sku: str
    on_hand: int
    reserved: int


class Movement(msgspec.Struct):
    """One line of the ledger of a SKU."""

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


@dataclass(frozen=True, slots=True)
class Shelf:
    """A stock and what its ledger says of it."""

    level: Level
    moved: int
    """All movements together."""
    sold: int
    """Units that were shipped for the orders of the replay."""


@dataclass
class Books:
    """Everything the comparison needs to know."""

    orders: list[PlacedOrder]
    shelves: dict[str, Shelf] = field(default_factory=dict)
    charges: list[Charge] = field(default_factory=list)


_level = msgspec.json.Decoder(Level)
_movements = msgspec.json.Decoder(Items[Movement])
_charges = msgspec.json.Decoder(Items[Charge])


async def read_stock(
    books: Books, shop: Remote, codes: list[str], *, concurrency: int, tick: Tick
) -> None:
    """Fill in the stock of these SKUs and the sums of its ledger."""
    ours = {order.id for order in books.orders}

    async def look(code: str) -> None:
        path = f"/v1/inventory/{quote(code, safe='')}"
        answer = await shop.get(path)
        if answer.slug == "unknown-stock":
            return
        level = answer.read(_level)
        moved = sold = 0
        async for movement in shop.items(f"{path}/movements", _movements):
            moved += movement.delta
            if movement.kind == "sale" and movement.order_id in ours:
                sold -= movement.delta
        books.shelves[code] = Shelf(level, moved, sold)

    await each(codes, look, concurrency=concurrency, tick=tick)


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
