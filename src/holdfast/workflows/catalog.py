"""Bringing products into the shop and changing them.

Each function is one transaction: a product goes in or changes as a whole, with
a stock level for each of its variants, or nothing happens.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from enum import Enum
from uuid import UUID

from holdfast.domain import catalog, inventory
from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Database, Transaction


async def create_product(
    db: Database, draft: catalog.Draft, *, clock: Clock
) -> catalog.Document:
    """Add a product with empty stock.

    Raises ``ProductInvalid``, ``DuplicateHandle`` or ``DuplicateSku``.
    """
    entry = catalog.Entry(new_id(), _checked(draft))
    now = clock()
    async with db.transaction() as tx:
        new = await catalog.add(tx, [entry], at=now)
        await inventory.open_levels(tx, list(new.values()), at=now)
        await catalog.project(tx, [entry.id])
        return (await catalog.read_by_id(tx, [entry.id]))[entry.id]


async def change_product(
    db: Database,
    product_id: UUID,
    edit: Callable[[catalog.Draft], catalog.Draft],
    *,
    clock: Clock,
    versions: catalog.Versions = None,
) -> catalog.Document:
    """Make of a product what *edit* makes of its draft; variants are never dropped.

    Two changes at once happen one after the other, the second only if it was written
    for what the first has made. Raises as ``create_product``, and ``ProductNotFound``
    or ``ProductChanged``.
    """
    now = clock()
    async with db.transaction() as tx:
        before = await catalog.lock_one(tx, product_id, versions=versions)
        draft = catalog.draft_of(before)
        entry = catalog.Entry(product_id, _checked(edit(draft).beside(before)))
        if entry.draft != draft:
            new = await catalog.change(tx, [entry], at=now)
            await inventory.open_levels(tx, list(new.values()), at=now)
            await catalog.project(tx, [product_id])
        return (await catalog.read_by_id(tx, [product_id]))[product_id]


async def create_category(
    db: Database, wanted: catalog.NewCategory, *, clock: Clock
) -> catalog.Category:
    """Add a category; ``CategoryInvalid`` or ``DuplicateHandle`` if it cannot be."""
    if found := wanted.faults():
        raise catalog.CategoryInvalid(found)
    async with db.transaction() as tx:
        added = await catalog.add_categories(tx, [wanted], at=clock())
    if not added:
        raise catalog.DuplicateHandle(wanted.handle)
    return added[0]


class Outcome(Enum):
    """What became of an arrival."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


async def import_products(
    db: Database,
    arrivals: Sequence[catalog.Arrival],
    *,
    clock: Clock,
    actor: str,
    overwrite_stock: bool = False,
) -> list[Outcome]:
    """Take products in by their handles in a transaction of their own (``take_in``)."""
    async with db.transaction() as tx:
        return await take_in(
            tx, arrivals, at=clock(), actor=actor, overwrite_stock=overwrite_stock
        )


async def take_in(
    tx: Transaction,
    arrivals: Sequence[catalog.Arrival],
    *,
    at: datetime,
    actor: str,
    overwrite_stock: bool = False,
) -> list[Outcome]:
    """Take products in by their handles, all of them or none.

    What came from the same source before is left alone. Stock is set for variants
    that are new, and for all if *overwrite_stock*. Raises as ``create_product``,
    and ``StockBelowReserved`` or ``StockLevelOutOfRange``.
    """
    drafts = [_checked(arrival.draft) for arrival in arrivals]
    known = await catalog.imported(tx, [draft.handle for draft in drafts])
    outcomes = [_outcome(known.get(a.draft.handle), a) for a in arrivals]
    await _add_missing_categories(tx, arrivals, outcomes, at=at)
    fresh, changed = [], []
    for arrival, draft, outcome in zip(arrivals, drafts, outcomes, strict=True):
        if outcome is Outcome.CREATED:
            fresh.append(catalog.Entry(new_id(), draft, arrival.source_hash))
        elif outcome is Outcome.UPDATED:
            product_id, _ = known[draft.handle]
            changed.append(catalog.Entry(product_id, draft, arrival.source_hash))
    new: dict[str, UUID] = {}
    if fresh:
        new |= await catalog.add(tx, fresh, at=at)
    if changed:
        new |= await _change(tx, changed, at=at)
    await inventory.open_levels(tx, list(new.values()), at=at)
    on_hand = {
        sku: units
        for arrival in arrivals
        for sku, units in arrival.on_hand.items()
        if overwrite_stock or sku in new
    }
    if on_hand:
        await inventory.set_levels(tx, on_hand, reason="import", actor=actor, at=at)
    await catalog.project(tx, [entry.id for entry in (*fresh, *changed)])
    return outcomes


async def _change(
    tx: Transaction, entries: Sequence[catalog.Entry], *, at: datetime
) -> dict[str, UUID]:
    before = await catalog.lock(tx, [entry.id for entry in entries])
    merged = [
        catalog.Entry(e.id, _checked(e.draft.beside(before[e.id])), e.source_hash)
        for e in entries
    ]
    return await catalog.change(tx, merged, at=at)


def _checked(draft: catalog.Draft) -> catalog.Draft:
    cleaned = draft.cleaned()
    if found := catalog.faults(cleaned):
        raise catalog.ProductInvalid(found)
    return cleaned


def _outcome(
    known: tuple[UUID, bytes | None] | None, arrival: catalog.Arrival
) -> Outcome:
    if known is None:
        return Outcome.CREATED
    _, source_hash = known
    return Outcome.UNCHANGED if source_hash == arrival.source_hash else Outcome.UPDATED


async def _add_missing_categories(
    tx: Transaction,
    arrivals: Iterable[catalog.Arrival],
    outcomes: Iterable[Outcome],
    *,
    at: datetime,
) -> None:
    wanted = {
        category.handle: category
        for arrival, outcome in zip(arrivals, outcomes, strict=True)
        if outcome is not Outcome.UNCHANGED
        for category in arrival.categories
    }
    if wanted:
        await catalog.add_categories(tx, list(wanted.values()), at=at)
