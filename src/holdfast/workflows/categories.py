"""The shelves of the shop: made, moved, renamed and taken down."""

from collections.abc import Callable
from uuid import UUID

from holdfast.domain import catalog
from holdfast.kernel.clock import Clock
from holdfast.platform import outbox
from holdfast.platform.db import Database
from holdfast.workflows.showing import show

RENAMED = "catalog.category.renamed"
SHOWN_AT_ONCE = 100
_NIL = UUID(int=0)


async def create_category(
    db: Database, wanted: catalog.NewCategory, *, clock: Clock, actor: str = "system"
) -> catalog.Category:
    """Add a category; ``CategoryInvalid`` or ``DuplicateHandle`` if it cannot be."""
    wanted, now = _checked(wanted), clock()
    async with db.transaction() as tx:
        if wanted.parent_id is not None:
            await catalog.lock_tree(tx)
            await catalog.check_place(tx, wanted.parent_id)
        added = await catalog.add_categories(tx, [wanted], at=now)
        await catalog.note_categories(tx, added, "created", actor=actor, at=now)
    if not added:
        raise catalog.DuplicateHandle(wanted.handle)
    return added[0]


async def change_category(
    db: Database,
    category_id: UUID,
    edit: Callable[[catalog.NewCategory], catalog.NewCategory],
    *,
    clock: Clock,
    actor: str,
    versions: catalog.Versions,
) -> catalog.Category:
    """Make of a category what *edit* makes of it; moving takes along all below it.

    Its products name it, and in its order: the worker writes them anew
    (``show_products``).
    Raises as ``create_category``, and ``CategoryNotFound`` or ``CategoryChanged``.
    """
    now = clock()
    async with db.transaction() as tx:
        await catalog.lock_tree(tx)
        old = await catalog.lock_category(tx, category_id, versions=versions)
        before = _told(old)
        wanted = _checked(edit(before))
        if wanted == before:
            return old
        if wanted.parent_id != before.parent_id:
            await catalog.check_place(tx, wanted.parent_id, category_id=category_id)
        changed = await catalog.change_category(tx, category_id, wanted, at=now)
        found = catalog.field_differences(before, wanted)
        await catalog.note_categories(
            tx, [changed], "changed", found, actor=actor, at=now
        )
        if _shown(old) != _shown(changed):
            renamed = outbox.event(RENAMED, category_id=str(category_id))
            await outbox.publish(tx, [renamed], at=now)
    return changed


async def delete_category(
    db: Database,
    category_id: UUID,
    *,
    clock: Clock,
    actor: str,
    versions: catalog.Versions,
) -> None:
    """Delete a category in which nothing stands.

    Raises ``CategoryNotEmpty``, ``CategoryNotFound`` or ``CategoryChanged``.
    """
    async with db.transaction() as tx:
        await catalog.lock_tree(tx)
        old = await catalog.lock_category(tx, category_id, versions=versions)
        await catalog.note_categories(tx, [old], "deleted", actor=actor, at=clock())
        await catalog.delete_category(tx, category_id)


async def show_products(db: Database, category_id: UUID) -> int:
    """Write the products of a renamed category anew; returns how many.

    In small transactions, so that editors of one of them wait for few others. Doing it
    twice is harmless, and so is dying in between: the task begins again.
    """
    done, last = 0, _NIL
    while True:
        async with db.transaction() as tx:
            ids = await catalog.products_in(
                tx, category_id, after=last, limit=SHOWN_AT_ONCE
            )
            await show(tx, ids)
        done += len(ids)
        if len(ids) < SHOWN_AT_ONCE:
            return done
        last = ids[-1]


def _shown(category: catalog.Category) -> tuple[str, str, int]:
    """What its products show of it: they name their categories in order."""
    return category.name, category.handle, category.position


def _checked(wanted: catalog.NewCategory) -> catalog.NewCategory:
    cleaned = wanted.cleaned()
    if found := cleaned.faults():
        raise catalog.CategoryInvalid(found)
    return cleaned


def _told(category: catalog.Category) -> catalog.NewCategory:
    return catalog.NewCategory(
        category.handle,
        category.name,
        category.position,
        parent_id=category.parent_id,
        description_html=category.description_html,
        seo_title=category.seo_title,
        seo_description=category.seo_description,
    )
