"""Saying of collections in other languages what the shop says in its own.

A translation is part of its collection: it is written against that version, and raises
it.
"""

from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from holdfast.domain import catalog
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database

OfCollection: TypeAlias = catalog.Translation[catalog.CollectionTexts]


async def translate(
    db: Database,
    collection_id: UUID,
    locale: str,
    texts: catalog.CollectionTexts,
    *,
    clock: Clock,
    actor: str,
    versions: catalog.Versions,
) -> tuple[OfCollection, int]:
    """Say what a collection is called in a language, and no more than that.

    Returns what is kept, and the version of the collection. Raises
    ``TranslationInvalid``, ``TooManyTranslations``, ``CollectionNotFound`` or
    ``CollectionChanged``.
    """
    now = clock()
    kept = catalog.collection_translations
    wanted = texts.cleaned()
    wanted.check()
    async with db.transaction() as tx:
        collection = await catalog.lock_collection(tx, collection_id, versions=versions)
        old = await kept.get(tx, collection_id, locale)
        if old is not None and old.texts == wanted:
            return old, collection.version
        await kept.put(tx, collection_id, locale, wanted, at=now)
        await catalog.touch_collection(tx, collection_id, at=now)
        said = _difference(locale, old, wanted)
        new = msgspec.structs.replace(collection, version=collection.version + 1)
        await catalog.note_collection(tx, new, "changed", [said], actor=actor, at=now)
    return catalog.Translation(locale, wanted, now), new.version


async def untranslate(
    db: Database,
    collection_id: UUID,
    locale: str,
    *,
    clock: Clock,
    actor: str,
    versions: catalog.Versions,
) -> None:
    """Take a translation away from a collection.

    Raises ``TranslationNotFound``, ``CollectionNotFound`` or ``CollectionChanged``.
    """
    now = clock()
    kept = catalog.collection_translations
    async with db.transaction() as tx:
        collection = await catalog.lock_collection(tx, collection_id, versions=versions)
        old = await kept.find(tx, collection_id, locale)
        await kept.drop(tx, collection_id, locale)
        await catalog.touch_collection(tx, collection_id, at=now)
        said = _difference(locale, old, None)
        new = msgspec.structs.replace(collection, version=collection.version + 1)
        await catalog.note_collection(tx, new, "changed", [said], actor=actor, at=now)


def _difference(
    locale: str, old: OfCollection | None, new: catalog.CollectionTexts | None
) -> catalog.Difference:
    before: Any = None if old is None else msgspec.to_builtins(old.texts)
    after: Any = None if new is None else msgspec.to_builtins(new)
    return catalog.Difference(f"/translations/{locale}", before, after)
