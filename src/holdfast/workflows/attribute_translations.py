"""Saying in other languages what attributes and their choices are called.

A translation is part of its definition: it is written against that version, and raises
it. Products are not touched, which say a choice as the shop does.
"""

from typing import Any

import msgspec

from holdfast.domain import catalog
from holdfast.domain.catalog import AttributeTexts, Translation
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database


async def translate(
    db: Database,
    code: str,
    locale: str,
    texts: AttributeTexts,
    *,
    clock: Clock,
    actor: str,
    versions: catalog.Versions,
) -> tuple[Translation[AttributeTexts], int]:
    """Say what an attribute is called in a language, and no more than that.

    Returns what is kept, and the version of the definition. Raises
    ``TranslationInvalid``, ``TooManyTranslations``, ``AttributeNotFound`` or
    ``AttributeChanged``.
    """
    now = clock()
    kept = catalog.attribute_translations
    wanted = texts.cleaned()
    async with db.transaction() as tx:
        attribute = await catalog.lock_attribute(tx, code, versions=versions)
        wanted.check(attribute)
        old = await kept.get(tx, code, locale)
        if old is not None and old.texts == wanted:
            return old, attribute.version
        await kept.put(tx, code, locale, wanted, at=now)
        version = await catalog.touch_attribute(tx, code, at=now)
        new = msgspec.structs.replace(attribute, version=version)
        said = [_difference(locale, old, wanted)]
        await catalog.note_attribute(tx, new, "changed", said, actor=actor, at=now)
    return Translation(locale, wanted, now), version


async def untranslate(
    db: Database,
    code: str,
    locale: str,
    *,
    clock: Clock,
    actor: str,
    versions: catalog.Versions,
) -> None:
    """Take a translation away from an attribute.

    Raises ``TranslationNotFound``, ``AttributeNotFound`` or ``AttributeChanged``.
    """
    now = clock()
    kept = catalog.attribute_translations
    async with db.transaction() as tx:
        attribute = await catalog.lock_attribute(tx, code, versions=versions)
        old = await kept.find(tx, code, locale)
        await kept.drop(tx, code, locale)
        version = await catalog.touch_attribute(tx, code, at=now)
        new = msgspec.structs.replace(attribute, version=version)
        said = [_difference(locale, old, None)]
        await catalog.note_attribute(tx, new, "changed", said, actor=actor, at=now)


def _difference(
    locale: str, old: Translation[AttributeTexts] | None, new: AttributeTexts | None
) -> catalog.Difference:
    before: Any = None if old is None else msgspec.to_builtins(old.texts)
    after: Any = None if new is None else msgspec.to_builtins(new)
    return catalog.Difference(f"/translations/{locale}", before, after)
