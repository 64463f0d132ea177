"""Attributes of products: defined, changed and taken away."""

from collections.abc import Callable
from uuid import UUID

from holdfast.domain import catalog
from holdfast.kernel.clock import Clock
from holdfast.platform import outbox
from holdfast.platform.db import Database
from holdfast.workflows.showing import show

CHANGED = "catalog.attribute.changed"
SHOWN_AT_ONCE = 100
_NIL = UUID(int=0)


async def define(
    db: Database,
    wanted: catalog.AttributeDraft,
    *,
    clock: Clock,
    actor: str = "system",
) -> catalog.Attribute:
    """Add an attribute; ``AttributeInvalid`` or ``DuplicateAttribute``."""
    _check(wanted)
    now = clock()
    async with db.transaction() as tx:
        made = await catalog.add_attribute(tx, wanted, at=now)
        await catalog.note_attribute(tx, made, "created", actor=actor, at=now)
    return made


async def change(
    db: Database,
    code: str,
    edit: Callable[[catalog.AttributeDraft], catalog.AttributeDraft],
    *,
    clock: Clock,
    actor: str,
    versions: catalog.Versions,
) -> catalog.Attribute:
    """Make of an attribute what *edit* makes of it.

    The worker shows the products anew that have a value of it, where searches are
    concerned. Raises ``AttributeInvalid``, ``AttributeInUse`` for choices that products
    have, ``AttributeNotFound`` or ``AttributeChanged``.
    """
    now = clock()
    async with db.transaction() as tx:
        old = await catalog.lock_attribute(tx, code, versions=versions)
        before = catalog.draft_of_attribute(old)
        wanted = edit(before)
        if wanted == before:
            return old
        _check(wanted)
        changed = await catalog.change_attribute(tx, old, wanted, at=now)
        found = catalog.field_differences(before, wanted)
        await catalog.note_attribute(tx, changed, "changed", found, actor=actor, at=now)
        if old.filterable != changed.filterable:
            await outbox.publish(tx, [outbox.event(CHANGED, code=code)], at=now)
    return changed


async def take_away(
    db: Database, code: str, *, clock: Clock, actor: str, versions: catalog.Versions
) -> None:
    """Delete an attribute of which no product has a value.

    Raises ``AttributeInUse``, ``AttributeNotFound`` or ``AttributeChanged``.
    """
    async with db.transaction() as tx:
        old = await catalog.lock_attribute(tx, code, versions=versions)
        await catalog.delete_attribute(tx, code)
        await catalog.note_attribute(tx, old, "deleted", actor=actor, at=clock())


async def show_products(db: Database, code: str) -> int:
    """Write products with a value of an attribute anew; returns how many.

    In small transactions; doing it twice is harmless.
    """
    done, last = 0, _NIL
    while True:
        async with db.transaction() as tx:
            ids = await catalog.products_with(tx, code, after=last, limit=SHOWN_AT_ONCE)
            await show(tx, ids)
        done += len(ids)
        if len(ids) < SHOWN_AT_ONCE:
            return done
        last = ids[-1]


def _check(wanted: catalog.AttributeDraft) -> None:
    if found := list(wanted.faults()):
        raise catalog.AttributeInvalid(found)
