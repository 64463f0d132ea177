"""Saying of products and categories in other languages what the shop says in its own.

A translation is part of what it is of: it is written against that thing's version, and
raises it. What a product says in any language is found by the very next search.
"""

from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from holdfast.domain import catalog
from holdfast.kernel.clock import Clock
from holdfast.platform import outbox
from holdfast.platform.db import Database, Transaction
from holdfast.workflows.categories import RENAMED
from holdfast.workflows.showing import show

OfProduct: TypeAlias = catalog.Translation[catalog.ProductTexts]
OfCategory: TypeAlias = catalog.Translation[catalog.CategoryTexts]


async def translate_product(
    db: Database,
    product_id: UUID,
    locale: str,
    texts: catalog.ProductTexts,
    *,
    clock: Clock,
    actor: str,
    versions: catalog.Versions,
) -> tuple[OfProduct, int]:
    """Say what a product is called in a language, and no more than that.

    Returns what is kept, and the version of the product. Raises ``TranslationInvalid``,
    ``TooManyTranslations``, ``ProductNotFound`` or ``ProductChanged``.
    """
    now = clock()
    kept = catalog.product_translations
    async with db.transaction() as tx:
        product = await catalog.lock_one(tx, product_id, at=now, versions=versions)
        wanted = await catalog.hold_texts(tx, texts, product)
        old = await kept.get(tx, product_id, locale)
        if old is not None and old.texts == wanted:
            return old, product.version
        await kept.put(tx, product_id, locale, wanted, at=now)
        said = _difference(locale, old, wanted)
        await catalog.touch(tx, [product_id], at=now)
        await show(tx, [product_id])
        noted = catalog.Note(product_id, "changed", [said])
        await catalog.note(tx, [noted], actor=actor, at=now)
    return catalog.Translation(locale, wanted, now), product.version + 1


async def untranslate_product(
    db: Database,
    product_id: UUID,
    locale: str,
    *,
    clock: Clock,
    actor: str,
    versions: catalog.Versions,
) -> None:
    """Take a translation away from a product.

    Raises ``TranslationNotFound``, ``ProductNotFound`` or ``ProductChanged``.
    """
    now = clock()
    kept = catalog.product_translations
    async with db.transaction() as tx:
        await catalog.lock_one(tx, product_id, at=now, versions=versions)
        old = await kept.find(tx, product_id, locale)
        await kept.drop(tx, product_id, locale)
        await catalog.touch(tx, [product_id], at=now)
        await show(tx, [product_id])
        noted = catalog.Note(product_id, "changed", [_difference(locale, old, None)])
        await catalog.note(tx, [noted], actor=actor, at=now)


async def translate_category(
    db: Database,
    category_id: UUID,
    locale: str,
    texts: catalog.CategoryTexts,
    *,
    clock: Clock,
    actor: str,
    versions: catalog.Versions,
) -> tuple[OfCategory, int]:
    """Say what a category is called in a language; returns and raises alike.

    Its products are found by its name in every language: the worker sees to it.
    """
    now = clock()
    kept = catalog.category_translations
    wanted = texts.cleaned()
    wanted.check()
    async with db.transaction() as tx:
        await catalog.lock_tree(tx)
        category = await catalog.lock_category(tx, category_id, versions=versions)
        old = await kept.get(tx, category_id, locale)
        if old is not None and old.texts == wanted:
            return old, category.version
        await kept.put(tx, category_id, locale, wanted, at=now)
        version = await catalog.touch_category(tx, category_id, at=now)
        new = msgspec.structs.replace(category, version=version)
        said = _difference(locale, old, wanted)
        await catalog.note_categories(tx, [new], "changed", [said], actor=actor, at=now)
        if wanted.name != (old.texts.name if old is not None else ""):
            await _renamed(tx, category_id, clock)
    return catalog.Translation(locale, wanted, now), version


async def untranslate_category(
    db: Database,
    category_id: UUID,
    locale: str,
    *,
    clock: Clock,
    actor: str,
    versions: catalog.Versions,
) -> None:
    """Take a translation away from a category; raises as for a product."""
    now = clock()
    kept = catalog.category_translations
    async with db.transaction() as tx:
        await catalog.lock_tree(tx)
        category = await catalog.lock_category(tx, category_id, versions=versions)
        old = await kept.find(tx, category_id, locale)
        await kept.drop(tx, category_id, locale)
        version = await catalog.touch_category(tx, category_id, at=now)
        new = msgspec.structs.replace(category, version=version)
        said = _difference(locale, old, None)
        await catalog.note_categories(tx, [new], "changed", [said], actor=actor, at=now)
        if old.texts.name:
            await _renamed(tx, category_id, clock)


async def _renamed(tx: Transaction, category_id: UUID, clock: Clock) -> None:
    renamed = outbox.event(RENAMED, category_id=str(category_id))
    await outbox.publish(tx, [renamed], at=clock())


def _difference(
    locale: str,
    old: OfProduct | OfCategory | None,
    new: catalog.ProductTexts | catalog.CategoryTexts | None,
) -> catalog.Difference:
    before: Any = None if old is None else msgspec.to_builtins(old.texts)
    after: Any = None if new is None else msgspec.to_builtins(new)
    return catalog.Difference(f"/translations/{locale}", before, after)
