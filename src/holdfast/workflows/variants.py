"""Variants of a product, made, changed and deleted one at a time.

Each function is one transaction that locks the product, so that of two editors the
second is checked against what the first has made.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from holdfast.domain import catalog, inventory
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database, Transaction
from holdfast.workflows.showing import show

Edit = Callable[[catalog.VariantDraft], catalog.VariantDraft]


async def add_variant(
    db: Database,
    product_id: UUID,
    wanted: catalog.VariantDraft,
    *,
    clock: Clock,
    actor: str,
    versions: catalog.Versions = None,
) -> tuple[catalog.Document, UUID]:
    """Add a variant with empty stock; returns the product, and the variant's id.

    Raises ``ProductNotFound``, ``ProductChanged``, ``ProductInvalid`` or
    ``DuplicateSku``.
    """
    now = clock()

    async def add(tx: Transaction) -> tuple[catalog.Document, UUID]:
        product = await catalog.lock_one(tx, product_id, at=now, versions=versions)
        old = catalog.draft_of(product)
        place = len(old.variants)
        new = catalog.with_variant(old, place, wanted)
        variant_id = await catalog.add_variant(tx, product, new, place, at=now)
        await inventory.open_levels(tx, [variant_id], at=now)
        await _finish(tx, product_id, old, new, actor=actor, at=now)
        shown = await catalog.read_by_id(tx, [product_id], at=now)
        return shown[product_id], variant_id

    return await db.attempt(add)


async def change_variant(
    db: Database,
    product_id: UUID,
    variant_id: UUID,
    edit: Edit,
    *,
    clock: Clock,
    actor: str,
    versions: catalog.Versions,
) -> catalog.Document:
    """Make of a variant what *edit* makes of it.

    Raises as ``add_variant``, and ``VariantNotFound``.
    """
    now = clock()

    async def change(tx: Transaction) -> catalog.Document:
        product = await catalog.lock_one(tx, product_id, at=now, versions=versions)
        old = catalog.draft_of(product)
        place = catalog.place_of(old, variant_id)
        new = catalog.with_variant(old, place, edit(old.variants[place]))
        if new != old:
            await catalog.change_variant(tx, product, new, place, at=now)
            await _finish(tx, product_id, old, new, actor=actor, at=now)
        return (await catalog.read_by_id(tx, [product_id], at=now))[product_id]

    return await db.attempt(change)


async def delete_variant(
    db: Database,
    product_id: UUID,
    variant_id: UUID,
    *,
    clock: Clock,
    actor: str,
    versions: catalog.Versions,
) -> None:
    """Delete a variant that was never sold nor kept in stock.

    Raises ``VariantInUse`` for others, whose ledger must not end, and ``LastVariant``,
    ``VariantNotFound``, ``ProductNotFound`` or ``ProductChanged``.
    """
    now = clock()

    async def delete(tx: Transaction) -> None:
        product = await catalog.lock_one(tx, product_id, at=now, versions=versions)
        old = catalog.draft_of(product)
        place = catalog.place_of(old, variant_id)
        if len(old.variants) == 1:
            raise catalog.LastVariant
        used = await inventory.close_levels(tx, [variant_id])
        if used or not await catalog.delete_variants(tx, [variant_id]):
            raise catalog.VariantInUse(old.variants[place].sku)
        left = old.variants[:place] + old.variants[place + 1 :]
        new = replace(old, variants=left)
        await _finish(tx, product_id, old, new, actor=actor, at=now)

    await db.attempt(delete)


async def _finish(
    tx: Transaction,
    product_id: UUID,
    old: catalog.Draft,
    new: catalog.Draft,
    *,
    actor: str,
    at: datetime,
) -> None:
    """Show readers the result, and write down what was changed."""
    await catalog.touch(tx, [product_id], at=at)
    await show(tx, [product_id])
    changes = catalog.differences(old, new)
    done = catalog.Note(product_id, "changed", changes)
    await catalog.note(tx, [done], actor=actor, at=at)
