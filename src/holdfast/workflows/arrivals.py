"""What products from a file bring with them: the shelves they stand on, further prices.

Shelves are made where there are none, under those that the file says are above them;
one that is there stays where it is, because a file of products is no plan of the shop.
Prices are set beside those that are there, as an operator would set them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from holdfast.domain import catalog
from holdfast.domain.catalog import Arrival, NewCategory
from holdfast.domain.pricing import Period
from holdfast.platform.db import Transaction
from holdfast.workflows.prices import PriceWanted, put_prices


async def put_up_shelves(
    tx: Transaction, arrivals: Iterable[Arrival], *, by: str, at: datetime
) -> None:
    """Make the categories that are missing, those above before those below.

    Raises ``CategoryInvalid`` where the tree would be too deep.
    """
    wanted: dict[str, NewCategory] = {}
    parents: dict[str, str] = {}
    for arrival in arrivals:
        for shelf in arrival.categories:
            # As it was said first: so the parent of each comes before it.
            if shelf.handle not in wanted:
                wanted[shelf.handle] = shelf
                if (parent := arrival.parents.get(shelf.handle)) is not None:
                    parents[shelf.handle] = parent
    if not wanted:
        return
    # Looked at without a lock: who moves categories has the tree first, and then a row.
    missing = await _missing(tx, wanted)
    if any(shelf.handle in parents for shelf in missing):
        await catalog.lock_tree(tx)
        missing = await _missing(tx, wanted)
    # In one statement, which goes by their handles: so two files wait in one order.
    tops = [shelf for shelf in missing if shelf.handle not in parents]
    made = await catalog.add_categories(tx, tops, at=at) if tops else []
    below = [shelf for shelf in missing if shelf.handle in parents]
    known = await catalog.shelves(tx, list(wanted)) if below else {}
    for shelf in below:
        parent_id = known[parents[shelf.handle]]
        await catalog.check_place(tx, parent_id)
        new = replace(shelf, parent_id=parent_id)
        (added,) = await catalog.add_categories(tx, [new], at=at)
        known[added.handle] = added.id
        made.append(added)
    await catalog.note_categories(tx, made, "created", actor=by, at=at)


async def _missing(
    tx: Transaction, wanted: Mapping[str, NewCategory]
) -> list[NewCategory]:
    known = await catalog.shelves(tx, list(wanted))
    return [shelf for shelf in wanted.values() if shelf.handle not in known]


async def set_prices(
    tx: Transaction, arrivals: Iterable[Arrival], *, by: str, at: datetime
) -> frozenset[str]:
    """Set the further prices of variants that are in; ``PricesInvalid``.

    Those whose time was over before the file came are left out: nobody would be asked
    them. Returns the SKUs of which prices are others than before.
    """
    wanted = [
        PriceWanted(
            sku,
            price.price,
            price.compare_at_price,
            price.min_quantity,
            Period(price.starts_at, price.ends_at),
        )
        for arrival in arrivals
        for sku, prices in arrival.prices.items()
        for price in prices
        if not price.is_over(at)
    ]
    return await put_prices(tx, wanted, by=by, at=at) if wanted else frozenset()
