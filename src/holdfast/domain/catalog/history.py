"""Who changed what of the catalogue, kept for as long as there are backups of it.

A note is written in the transaction of the change and never changed. Variants are told
apart by their ids, so that a new SKU is a change and not another variant. Stock and
prices in lists have histories of their own. What was deleted has its history still.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

import msgspec

from holdfast.domain.catalog.attributes import Attribute, is_code
from holdfast.domain.catalog.drafts import Draft, VariantDraft, has_turned
from holdfast.domain.catalog.model import Category, Product
from holdfast.kernel.ids import new_id
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction

_SQL = sql.load("holdfast.domain.catalog")
_NOTE = _SQL["note_changes"]
_CHANGES_OF = _SQL["changes_of"]

_NOTE_CATEGORIES = _SQL["note_categories"]
_CATEGORY_CHANGES = _SQL["category_changes"]
_NOTE_ATTRIBUTE = _SQL["note_attribute"]
_ATTRIBUTE_CHANGES = _SQL["attribute_changes"]

Action: TypeAlias = Literal["created", "changed", "published", "unpublished", "deleted"]
Edit: TypeAlias = Literal["created", "changed", "deleted"]
_LAST = UUID(int=2**128 - 1)


class Difference(msgspec.Struct, frozen=True):
    """One field before and after; None where there was nothing, or is nothing."""

    field: str
    """A JSON pointer; of a variant ``/variants/{sku}/price``."""
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Note:
    """What happened to a product."""

    product_id: UUID
    action: Action
    changes: Sequence[Difference] = ()


class Change(msgspec.Struct, frozen=True):
    """A note as it is read."""

    id: UUID
    version: int
    """That the change made; of a deletion, the last there was."""
    action: Action
    actor: str
    changes: list[Difference]
    at: datetime


def turned(products: Iterable[Product]) -> list[Note]:
    """What a time has made of products that are about to be changed.

    Who changes them before the worker has come by writes that down as well.
    """
    return [
        Note(one.id, "published" if one.status == "active" else "unpublished")
        for one in products
        if has_turned(one)
    ]


def differences(old: Draft, new: Draft) -> list[Difference]:
    """Every field that is not what it was, variants after the rest."""
    before, after = _fields(old), _fields(new)
    found = [
        Difference(f"/{name}", before[name], after[name])
        for name in before
        if before[name] != after[name]
    ]
    return [*found, *_variants(old.variants, new.variants)]


def field_differences(old: Any, new: Any) -> list[Difference]:
    """The same of two of one dataclass, which has no variants."""
    return [
        Difference(f"/{name}", msgspec.to_builtins(was), msgspec.to_builtins(is_))
        for name in (field.name for field in fields(old))
        if (was := getattr(old, name)) != (is_ := getattr(new, name))
    ]


def _variants(
    old: Sequence[VariantDraft], new: Sequence[VariantDraft]
) -> Iterator[Difference]:
    before, after = _by_identity(old, new), _by_identity(new, old)
    for key, variant in before.items():
        if key not in after:
            yield Difference(_pointer(variant.sku), _shown(variant), None)
    for key, variant in after.items():
        here = _pointer(variant.sku)
        if key not in before:
            yield Difference(here, None, _shown(variant))
            continue
        was, is_ = _shown(before[key]), _shown(variant)
        for name in was:
            if was[name] != is_[name]:
                yield Difference(f"{here}/{name}", was[name], is_[name])


def _by_identity(
    variants: Sequence[VariantDraft], others: Sequence[VariantDraft]
) -> dict[UUID | str, VariantDraft]:
    """By id where both sides know ids, else by SKU, as files name variants."""
    ids = {variant.id for variant in others}
    return {
        variant.id if variant.id is not None and variant.id in ids else variant.sku: (
            variant
        )
        for variant in variants
    }


def _fields(draft: Draft) -> dict[str, Any]:
    return {
        field.name: msgspec.to_builtins(getattr(draft, field.name))
        for field in fields(draft)
        if field.name != "variants"
    }


def _shown(variant: VariantDraft) -> dict[str, Any]:
    shown: Mapping[str, Any] = msgspec.to_builtins(variant)
    return {name: value for name, value in shown.items() if name != "id"}


def _pointer(sku: str) -> str:
    return f"/variants/{sku.replace('~', '~0').replace('/', '~1')}"


async def note(
    tx: Transaction, notes: Sequence[Note], *, actor: str, at: datetime
) -> None:
    """Write down what happened to products, after ``project`` and before a deletion."""
    rows = [
        {
            "id": new_id(),
            "product_id": note.product_id,
            "action": note.action,
            "changes": note.changes,
        }
        for note in notes
    ]
    if rows:
        await tx.execute(_NOTE, rows, actor, at)


async def changes_of(
    connection: Connection, product_id: UUID, *, after: str | None, limit: int
) -> Page[Change]:
    """The history of a product, the latest first; of an unknown one, nothing."""
    return await page_of_changes(
        connection, _CHANGES_OF, product_id, after=after, limit=limit
    )


async def note_categories(
    tx: Transaction,
    categories: Sequence[Category],
    action: Edit,
    changes: Sequence[Difference] = (),
    *,
    actor: str,
    at: datetime,
) -> None:
    """Write down what happened to categories, which have their new versions by then."""
    told = [(new_id(), one.id, one.version) for one in categories]
    if told:
        ids = (list(column) for column in zip(*told, strict=True))
        await tx.execute(_NOTE_CATEGORIES, *ids, action, actor, changes, at)


async def category_changes(
    connection: Connection, category_id: UUID, *, after: str | None, limit: int
) -> Page[Change]:
    """The history of a category, the latest first; of an unknown one, nothing."""
    return await page_of_changes(
        connection, _CATEGORY_CHANGES, category_id, after=after, limit=limit
    )


async def note_attribute(
    tx: Transaction,
    attribute: Attribute,
    action: Edit,
    changes: Sequence[Difference] = (),
    *,
    actor: str,
    at: datetime,
) -> None:
    """Write down what happened to a definition, which has its new version by then."""
    told = (attribute.code, attribute.version, action, actor, changes, at)
    await tx.execute(_NOTE_ATTRIBUTE, new_id(), *told)


async def attribute_changes(
    connection: Connection, code: str, *, after: str | None, limit: int
) -> Page[Change]:
    """The history of a definition, the latest first; of an unknown one, nothing."""
    if not is_code(code):
        return Page([], None)
    return await page_of_changes(
        connection, _ATTRIBUTE_CHANGES, code, after=after, limit=limit
    )


async def page_of_changes(
    connection: Connection,
    statement: str,
    subject: UUID | str,
    *,
    after: str | None,
    limit: int,
) -> Page[Change]:
    """A page of a history, the latest first; nothing of what has none."""
    last = _LAST if after is None else decode_id_cursor(after)
    rows = await connection.fetch(statement, subject, last, limit + 1)
    items = [msgspec.convert(dict(row), Change) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items, encode_cursor(str(items[-1].id)) if more else None)
