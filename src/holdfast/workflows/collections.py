"""Collections: made, changed and taken away, and what is put into them by hand.

A rule is checked here: the search says whether it can be understood, the catalogue
whether there are the categories and attributes that it names.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from holdfast.domain import catalog, search
from holdfast.domain.catalog import Collection, CollectionDraft, Difference, Fault
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database, Transaction

_RANGES = ("number", "date")


async def create(
    db: Database, wanted: CollectionDraft, *, clock: Clock, actor: str
) -> Collection:
    """Add a collection; ``CollectionInvalid`` or ``DuplicateHandle``."""
    now = clock()
    async with db.transaction() as tx:
        draft = await _checked(tx, wanted)
        made = await catalog.add_collection(tx, draft, at=now)
        await catalog.note_collection(tx, made, "created", actor=actor, at=now)
    return made


async def change(
    db: Database,
    collection_id: UUID,
    edit: Callable[[CollectionDraft], CollectionDraft],
    *,
    clock: Clock,
    actor: str,
    versions: catalog.Versions,
) -> Collection:
    """Make of a collection what *edit* makes of its draft.

    Raises as ``create``, and ``CollectionNotFound`` or ``CollectionChanged``.
    """
    now = clock()
    async with db.transaction() as tx:
        old = await catalog.lock_collection(tx, collection_id, versions=versions)
        before = _told(old)
        draft = await _checked(tx, edit(before), before.rule)
        if draft == before:
            return old
        changed = await catalog.change_collection(tx, collection_id, draft, at=now)
        found = catalog.field_differences(before, draft)
        await catalog.note_collection(
            tx, changed, "changed", found, actor=actor, at=now
        )
    return changed


async def delete(
    db: Database,
    collection_id: UUID,
    *,
    clock: Clock,
    actor: str,
    versions: catalog.Versions,
) -> None:
    """Delete a collection, but none of its products.

    Raises ``CollectionNotFound`` or ``CollectionChanged``.
    """
    async with db.transaction() as tx:
        old = await catalog.lock_collection(tx, collection_id, versions=versions)
        await catalog.note_collection(tx, old, "deleted", actor=actor, at=clock())
        await catalog.delete_collection(tx, collection_id)


async def put_products(
    db: Database,
    collection_id: UUID,
    named: Sequence[str],
    *,
    clock: Clock,
    actor: str,
    versions: catalog.Versions,
) -> Collection:
    """Put these products into a collection, in this order, and no others.

    Raises ``CollectionInvalid``, ``CollectionByRule``, ``CollectionNotFound`` or
    ``CollectionChanged``.
    """
    if len(named) > catalog.MAX_COLLECTED:
        most = f"must be at most {catalog.MAX_COLLECTED}"
        raise catalog.CollectionInvalid([Fault("/products", most)])
    now = clock()
    async with db.transaction() as tx:
        old = await _lock(tx, collection_id, versions)
        ids = await catalog.named_products(tx, named, "/products/{}")
        before = [id_ for id_, _ in await catalog.places(tx, collection_id)]
        if ids == before:
            return old
        kept = set(ids)
        gone = [id_ for id_ in before if id_ not in kept]
        await catalog.take_out(tx, collection_id, gone)
        await catalog.put_places(tx, collection_id, catalog.spread(ids))
        told = Difference("/products", _texts(before), _texts(ids))
        return await _touch(tx, old, told, actor=actor, at=now)


async def add_product(
    db: Database,
    collection_id: UUID,
    named: str,
    position: int | None = None,
    *,
    clock: Clock,
    actor: str,
    versions: catalog.Versions,
) -> Collection:
    """Put one more product into a collection, last or at a position from 1 on.

    Raises as ``put_products``; what is in it already is at fault.
    """
    now = clock()
    async with db.transaction() as tx:
        old = await _lock(tx, collection_id, versions)
        (product_id,) = await catalog.named_products(tx, [named], "/product")
        places = await catalog.places(tx, collection_id)
        if product_id in dict(places):
            there = Fault("/product", "is in the collection already")
            raise catalog.CollectionInvalid([there])
        if len(places) >= catalog.MAX_COLLECTED:
            full = f"would be more than {catalog.MAX_COLLECTED} in the collection"
            raise catalog.CollectionInvalid([Fault("/product", full)])
        where = min(position or len(places) + 1, len(places) + 1)
        new = catalog.placed(places, product_id, where)
        await catalog.put_places(tx, collection_id, new)
        told = Difference(f"/products/{product_id}", None, where)
        return await _touch(tx, old, told, actor=actor, at=now)


async def move_product(
    db: Database,
    collection_id: UUID,
    product_id: UUID,
    position: int,
    *,
    clock: Clock,
    actor: str,
    versions: catalog.Versions,
) -> Collection:
    """Let a product of a collection stand at a position from 1 on.

    Raises ``NotInCollection``, and as ``put_products``.
    """
    now = clock()
    async with db.transaction() as tx:
        old = await _lock(tx, collection_id, versions)
        places = await catalog.places(tx, collection_id)
        was = _position(places, product_id)
        where = min(position, len(places))
        if where == was:
            return old
        new = catalog.placed(places, product_id, where)
        await catalog.put_places(tx, collection_id, new)
        told = Difference(f"/products/{product_id}", was, where)
        return await _touch(tx, old, told, actor=actor, at=now)


async def remove_product(
    db: Database,
    collection_id: UUID,
    product_id: UUID,
    *,
    clock: Clock,
    actor: str,
    versions: catalog.Versions,
) -> Collection:
    """Take a product out of a collection; raises as ``move_product``."""
    now = clock()
    async with db.transaction() as tx:
        old = await _lock(tx, collection_id, versions)
        was = _position(await catalog.places(tx, collection_id), product_id)
        await catalog.take_out(tx, collection_id, [product_id])
        told = Difference(f"/products/{product_id}", was, None)
        return await _touch(tx, old, told, actor=actor, at=now)


async def _lock(
    tx: Transaction, collection_id: UUID, versions: catalog.Versions
) -> Collection:
    """Lock a collection into which products are put by hand."""
    found = await catalog.lock_collection(tx, collection_id, versions=versions)
    if found.rule is not None:
        raise catalog.CollectionByRule
    return found


async def _touch(
    tx: Transaction, old: Collection, told: Difference, *, actor: str, at: datetime
) -> Collection:
    await catalog.touch_collection(tx, old.id, at=at)
    new = msgspec.structs.replace(old, version=old.version + 1, updated_at=at)
    await catalog.note_collection(tx, new, "changed", [told], actor=actor, at=at)
    return new


def _position(places: Sequence[tuple[UUID, int]], product_id: UUID) -> int:
    for position, (id_, _) in enumerate(places, 1):
        if id_ == product_id:
            return position
    raise catalog.NotInCollection


def _texts(ids: Sequence[UUID]) -> list[str]:
    return [str(id_) for id_ in ids]


def _told(collection: Collection) -> CollectionDraft:
    draft = catalog.draft_of_collection(collection)
    if draft.rule is None:
        return draft
    return replace(draft, rule=search.read_rule(draft.rule))


async def _checked(
    tx: Transaction, wanted: CollectionDraft, kept: search.Rule | None = None
) -> CollectionDraft:
    """The draft as it can be kept: harmless, and with the ids of its categories.

    A rule that is *kept* is as good as it was: what it names may be gone since.
    """
    draft = wanted.cleaned()
    found = list(draft.faults())
    rule: search.Rule | None = draft.rule
    if rule is not None and rule != kept:
        found += [Fault(f"/rule{pointer}", wrong) for pointer, wrong in rule.faults()]
        found += await _attribute_faults(tx, rule)
        rule, unknown = await _on_shelves(tx, rule)
        found += unknown
    if found:
        raise catalog.CollectionInvalid(found)
    return replace(draft, rule=rule)


async def _on_shelves(
    tx: Transaction, rule: search.Rule
) -> tuple[search.Rule, list[Fault]]:
    """The rule with its categories by id, and those that do not exist."""
    named = {
        name
        for condition in rule.conditions
        if isinstance(condition, search.CategoryCondition)
        for name in condition.values
    }
    if not named:
        return rule, []
    known = await catalog.shelves(tx, sorted(named))
    conditions: list[Any] = []
    unknown = []
    for number, condition in enumerate(rule.conditions):
        if isinstance(condition, search.CategoryCondition):
            here = f"/rule/conditions/{number}/values"
            unknown += [
                Fault(f"{here}/{index}", "does not exist")
                for index, name in enumerate(condition.values)
                if name not in known
            ]
            ids = dict.fromkeys(str(known.get(name)) for name in condition.values)
            changed = msgspec.structs.replace(condition, values=list(ids))
            conditions.append(changed)
        else:
            conditions.append(condition)
    return msgspec.structs.replace(rule, conditions=conditions), unknown


async def _attribute_faults(tx: Transaction, rule: search.Rule) -> list[Fault]:
    asked = (search.AttributeCondition, search.RangeCondition)
    codes = {one.code for one in rule.conditions if isinstance(one, asked)}
    if not codes:
        return []
    known = await catalog.hold_attributes(tx, sorted(codes))
    return [
        Fault(f"/rule/conditions/{number}/{name}", wrong)
        for number, condition in enumerate(rule.conditions)
        if isinstance(condition, asked)
        for name, wrong in _attribute_wrongs(condition, known)
    ]


def _attribute_wrongs(
    condition: search.AttributeCondition | search.RangeCondition,
    known: Mapping[str, catalog.Attribute],
) -> Iterator[tuple[str, str]]:
    definition = known.get(condition.code)
    if definition is None:
        yield "code", "is not defined"
        return
    said: list[tuple[str, catalog.Value | None]] = []
    if isinstance(condition, search.AttributeCondition):
        said += [(f"values/{n}", value) for n, value in enumerate(condition.values)]
    elif definition.type in _RANGES:
        said += [("least", condition.least), ("most", condition.most)]
    else:
        yield "code", "must be a number or a date"
    for name, value in said:
        if value is not None and (wrong := catalog.value_fault(definition, value)):
            yield name, wrong
