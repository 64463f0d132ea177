"""Bringing products into the shop and changing them.

Each function is one transaction: a product goes in or changes as a whole, with
a stock level for each of its variants, or nothing happens.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from uuid import UUID

from holdfast.domain import catalog, inventory
from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Database, Transaction
from holdfast.workflows.arrivals import put_up_shelves, set_prices
from holdfast.workflows.carried import Waiting, bring, resolved
from holdfast.workflows.showing import show


async def create_product(
    db: Database, draft: catalog.Draft, *, clock: Clock, actor: str = "system"
) -> catalog.Document:
    """Add a product with empty stock.

    Raises ``ProductInvalid``, ``DuplicateHandle`` or ``DuplicateSku``.
    """
    entry = catalog.Entry(new_id(), _checked(draft))
    now = clock()

    async def add(tx: Transaction) -> catalog.Document:
        await catalog.check_attributes(tx, [entry.draft.attributes])
        added = await catalog.add(tx, [entry], at=now)
        await inventory.open_levels(tx, list(added.variants.values()), at=now)
        await _show_added(tx, [entry], added)
        created = catalog.Note(entry.id, "created")
        await catalog.note(tx, [created], actor=actor, at=now)
        return (await catalog.read_by_id(tx, [entry.id], at=now))[entry.id]

    return await db.attempt(add)


async def change_product(
    db: Database,
    product_id: UUID,
    edit: Callable[[catalog.Draft], catalog.Draft],
    *,
    clock: Clock,
    versions: catalog.Versions = None,
    actor: str = "system",
) -> catalog.Document:
    """Make of a product what *edit* makes of its draft; variants are never dropped.

    Two changes at once happen one after the other, the second only if it was written
    for what the first has made. Raises as ``create_product``, and ``ProductNotFound``
    or ``ProductChanged``.
    """
    now = clock()

    async def change(tx: Transaction) -> catalog.Document:
        before = await catalog.lock_one(tx, product_id, at=now, versions=versions)
        draft = catalog.draft_of(before)
        entry = catalog.Entry(product_id, _checked(edit(draft).beside(before)))
        if entry.draft != draft:
            await catalog.check_attributes(tx, [entry.draft.attributes])
            new = await catalog.change(tx, [entry], at=now)
            await inventory.open_levels(tx, list(new.values()), at=now)
            await show(tx, [product_id])
            await catalog.note(tx, catalog.turned([before]), actor=_TIMER, at=now)
            done = _changed(product_id, draft, entry.draft)
            await catalog.note(tx, [done], actor=actor, at=now)
        return (await catalog.read_by_id(tx, [product_id], at=now))[product_id]

    return await db.attempt(change)


async def delete_product(
    db: Database,
    product_id: UUID,
    *,
    clock: Clock,
    actor: str,
    versions: catalog.Versions,
) -> None:
    """Delete a product that was never sold nor kept in stock.

    Raises ``ProductInUse`` for others, which can be archived; ``ProductReferenced``
    while attributes of other products refer to it; ``ProductNotFound`` or
    ``ProductChanged``.
    """
    now = clock()

    async def delete(tx: Transaction) -> None:
        product = await catalog.lock_to_delete(
            tx, product_id, at=now, versions=versions
        )
        await catalog.check_references(tx, product_id)
        used = await inventory.close_levels(tx, [v.id for v in product.variants])
        if used:
            raise catalog.ProductInUse(
                [v.sku for v in product.variants if v.id in used]
            )
        deleted = catalog.Note(product_id, "deleted")
        await catalog.note(tx, [deleted], actor=actor, at=now)
        await catalog.delete_product(tx, product)

    await db.attempt(delete)


TURN_AT_ONCE = 100
_TIMER = "system"


async def turn_due(db: Database, *, clock: Clock) -> int:
    """Write down up to ``TURN_AT_ONCE`` products that went on or off sale by now.

    Returns how many.
    """
    now = clock()
    async with db.transaction() as tx:
        due = await catalog.turn_due(tx, at=now, limit=TURN_AT_ONCE)
        await show(tx, list(due))
        notes = [
            catalog.Note(id_, "published" if status == "active" else "unpublished")
            for id_, status in due.items()
        ]
        await catalog.note(tx, notes, actor=_TIMER, at=now)
    return len(due)


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
    now = clock()
    return await db.attempt(
        lambda tx: take_in(
            tx, arrivals, at=now, actor=actor, overwrite_stock=overwrite_stock
        )
    )


async def take_in(
    tx: Transaction,
    arrivals: Sequence[catalog.Arrival],
    *,
    at: datetime,
    actor: str,
    overwrite_stock: bool = False,
    waiting: Waiting | None = None,
) -> list[Outcome]:
    """Take products in by their handles, all of them or none.

    What came from the same source before is left alone, and so is what the source does
    not say otherwise. Stock is set for variants that are new, and for all if
    *overwrite_stock*, at the main location. Links to products that are not there are
    *waiting* then, and without that at fault. Raises as ``create_product``,
    and ``StockBelowReserved`` or ``StockLevelOutOfRange``.
    """
    hashes = [arrival.source_hash for arrival in arrivals]
    arrivals = await resolved(tx, arrivals, waiting)
    drafts = [a.draft if a.is_checked else _checked(a.draft) for a in arrivals]
    known = await catalog.imported(tx, [draft.handle for draft in drafts])
    outcomes = [
        _outcome(known.get(draft.handle), source_hash)
        for draft, source_hash in zip(drafts, hashes, strict=True)
    ]
    news = [
        arrival
        for arrival, outcome in zip(arrivals, outcomes, strict=True)
        if outcome is not Outcome.UNCHANGED
    ]
    found = {
        draft.handle: known[draft.handle][0]
        for draft, outcome in zip(drafts, outcomes, strict=True)
        if outcome is Outcome.UPDATED
    }
    # Before anything is added: what somebody deletes or renames meanwhile is new.
    come = _Come(await catalog.lock_called(tx, found, at=at))
    for place, (arrival, draft) in enumerate(zip(arrivals, drafts, strict=True)):
        if outcomes[place] is not Outcome.UNCHANGED:
            outcomes[place] = come.sort(place, arrival, draft, hashes[place])
    brought = [arrival for _, arrival in come.brought]
    await put_up_shelves(tx, brought, by=actor, at=at)
    await catalog.check_attributes(tx, [draft.attributes for draft in drafts])
    new, added = await _put(tx, come, at=at)
    on_hand = {
        sku: units
        for arrival in arrivals
        for sku, units in arrival.on_hand.items()
        if overwrite_stock or sku in new
    }
    await _put_stock(tx, on_hand, new, actor=actor, at=at)
    priced = await set_prices(tx, news, by=actor, at=at)
    said = await bring(tx, come.brought, waiting, at=at)
    for place, entry in come.same.items():
        skus = (variant.sku for variant in entry.draft.variants)
        if priced.isdisjoint(skus) and entry.id not in said:
            outcomes[place] = Outcome.UNCHANGED
    touched = [entry.id for entry in come.same.values() if entry.id in said]
    if touched:
        await catalog.touch(tx, touched, at=at)
    also = [*(entry.id for entry in come.changed), *touched]
    await _show_added(tx, come.fresh, added, also=also)
    turned = catalog.turned(come.held[e.draft.handle] for e in come.changed)
    await catalog.note(tx, turned, actor=_TIMER, at=at)
    await catalog.note(tx, come.notes(said), actor=actor, at=at)
    return outcomes


@dataclass(slots=True)
class _Come:
    """Products from a file, sorted by what becomes of them."""

    held: Mapping[str, catalog.Product]
    """Those that are there, locked, by handle."""
    fresh: list[catalog.Entry] = field(default_factory=list)
    changed: list[catalog.Entry] = field(default_factory=list)
    same: dict[int, catalog.Entry] = field(default_factory=dict)
    """By their places among the arrivals: their drafts say nothing new."""
    brought: list[tuple[catalog.Entry, catalog.Arrival]] = field(default_factory=list)

    def sort(
        self,
        place: int,
        arrival: catalog.Arrival,
        draft: catalog.Draft,
        source_hash: bytes,
    ) -> Outcome:
        """Say what becomes of one, as far as its draft goes."""
        before = self.held.get(draft.handle)
        if before is None:
            entry = catalog.Entry(new_id(), arrival.pictured(draft), source_hash)
            self.fresh.append(entry)
            self.brought.append((entry, arrival))
            return Outcome.CREATED
        come = catalog.over(arrival, before)
        merged = come.pictured(_checked(come.draft))
        entry = catalog.Entry(before.id, merged, source_hash)
        if merged == catalog.draft_of(before):
            self.same[place] = entry
        else:
            self.changed.append(entry)
        self.brought.append((entry, come))
        return Outcome.UPDATED

    def notes(
        self, said: Mapping[UUID, Sequence[catalog.Difference]]
    ) -> list[catalog.Note]:
        """What is written down of them; *said* is what was changed besides."""
        notes = [catalog.Note(entry.id, "created") for entry in self.fresh]
        for entry in self.changed:
            old = catalog.draft_of(self.held[entry.draft.handle])
            found = [*catalog.differences(old, entry.draft), *said.get(entry.id, ())]
            notes.append(catalog.Note(entry.id, "changed", found))
        return notes + [
            catalog.Note(entry.id, "changed", said[entry.id])
            for entry in self.same.values()
            if entry.id in said
        ]


async def _put(
    tx: Transaction, come: _Come, *, at: datetime
) -> tuple[dict[str, UUID], catalog.Added]:
    """Write products; returns the id of each new variant by SKU."""
    added = catalog.Added({}, [])
    if come.fresh:
        added = await catalog.add(tx, come.fresh, at=at)
    new = dict(added.variants)
    if come.changed:
        new |= await catalog.change(tx, come.changed, at=at)
    if come.same:
        await catalog.remember_sources(tx, list(come.same.values()))
    return new, added


async def _show_added(
    tx: Transaction,
    entries: Sequence[catalog.Entry],
    added: catalog.Added,
    *,
    also: Sequence[UUID] = (),
) -> None:
    """Show what was added, and what else was changed."""
    untold = {*added.untold}
    told = [entry.id for entry in entries if entry.id not in untold]
    await show(tx, [*added.untold, *also], told=told)


async def _put_stock(
    tx: Transaction,
    on_hand: Mapping[str, int],
    new: Mapping[str, UUID],
    *,
    actor: str,
    at: datetime,
) -> None:
    """Set levels, and open those of *new* variants."""
    known = {sku: units for sku, units in on_hand.items() if sku not in new}
    moves, empty = [], []
    for sku, variant_id in new.items():
        units = on_hand.get(sku, 0)
        if not 0 <= units <= inventory.MAX_LEVEL:
            raise inventory.StockLevelOutOfRange(sku)
        if units:
            # The ledger opens what is new. To look at what nobody else can see would
            # cost a tenth of an import.
            where = (variant_id, inventory.MAIN)
            moves.append(inventory.Move(*where, units, "adjustment", "import"))
        else:
            empty.append(variant_id)
    if empty:
        await inventory.open_levels(tx, empty, at=at)
    if moves:
        await inventory.move(tx, moves, actor=actor, at=at)
    if known:
        await inventory.set_levels(tx, known, reason="import", actor=actor, at=at)


def _changed(product_id: UUID, old: catalog.Draft, new: catalog.Draft) -> catalog.Note:
    return catalog.Note(product_id, "changed", catalog.differences(old, new))


def _checked(draft: catalog.Draft) -> catalog.Draft:
    cleaned = draft.cleaned()
    if found := catalog.faults(cleaned):
        raise catalog.ProductInvalid(found)
    return cleaned


def _outcome(known: tuple[UUID, bytes | None] | None, source_hash: bytes) -> Outcome:
    if known is None:
        return Outcome.CREATED
    return Outcome.UNCHANGED if known[1] == source_hash else Outcome.UPDATED
