"""What collections are called in other languages: for operators.

Read with the tag of the collection and written against it, as those of products.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Response

from holdfast.api import editions
from holdfast.api.editions import IfMatch, IfNoneMatch
from holdfast.api.languages import another, tag_of
from holdfast.api.shop import Shop
from holdfast.domain import catalog
from holdfast.domain.identity import Caller
from holdfast.workflows import collection_translations as workflows

_ENCODER = msgspec.json.Encoder()


class CollectionTranslation(catalog.CollectionTexts, frozen=True, kw_only=True):
    """A collection in one language; what is absent is shown in the shop's own."""

    locale: str
    updated_at: datetime


class CollectionTranslations(msgspec.Struct, frozen=True):
    """A collection in every language it is translated into, by language."""

    items: list[CollectionTranslation]


OneTranslation = Annotated[Response[Any], CollectionTranslation]


async def browse(
    shop: Shop, collection: str, if_none_match: IfNoneMatch = None
) -> Annotated[Response[Any], CollectionTranslations]:
    """List the translations of a collection, 30 at the most."""
    found = await catalog.find_collection(shop.db, collection)
    listed = await catalog.collection_translations.of(shop.db, found.id)
    shown = CollectionTranslations([_one(kept) for kept in listed])
    return _answer(shown, found.version, if_none_match)


async def show(
    shop: Shop, collection: str, locale: str, if_none_match: IfNoneMatch = None
) -> OneTranslation:
    """A collection in one language, as it was translated into that."""
    found = await catalog.find_collection(shop.db, collection)
    kept = await catalog.collection_translations.find(shop.db, found.id, tag_of(locale))
    return _answer(_one(kept), found.version, if_none_match)


async def replace(
    shop: Shop,
    caller: Caller,
    collection: str,
    locale: str,
    *,
    data: catalog.CollectionTexts,
    if_match: IfMatch = None,
) -> OneTranslation:
    """Say what a collection is called in a language, in place of all that was said."""
    versions = editions.versions(if_match)
    found = await catalog.find_collection(shop.db, collection)
    kept, version = await workflows.translate(
        *(shop.db, found.id, another(shop, locale), data),
        clock=shop.clock,
        actor=caller.actor,
        versions=versions,
    )
    return _answer(_one(kept), version)


async def delete(
    shop: Shop, caller: Caller, collection: str, locale: str, if_match: IfMatch = None
) -> None:
    """Take a translation away: the collection is shown in the shop's own language."""
    versions = editions.versions(if_match)
    found = await catalog.find_collection(shop.db, collection)
    await workflows.untranslate(
        *(shop.db, found.id, tag_of(locale)),
        clock=shop.clock,
        actor=caller.actor,
        versions=versions,
    )


def _one(kept: workflows.OfCollection) -> CollectionTranslation:
    texts = msgspec.structs.asdict(kept.texts)
    return CollectionTranslation(
        **texts, locale=kept.locale, updated_at=kept.updated_at
    )


def _answer(
    shown: msgspec.Struct, version: int, if_none_match: str | None = None
) -> Response[Any]:
    body = _ENCODER.encode(shown)
    return editions.answer(body, version=version, if_none_match=if_none_match)
