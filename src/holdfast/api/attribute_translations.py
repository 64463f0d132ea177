"""What attributes and their choices are called in other languages: for operators.

Read with the tag of the definition and written against it, as those of products.
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
from holdfast.workflows import attribute_translations as workflows

_ENCODER = msgspec.json.Encoder()


class AttributeTranslation(catalog.AttributeTexts, frozen=True, kw_only=True):
    """An attribute in one language; what is absent is shown in the shop's own."""

    locale: str
    updated_at: datetime


class AttributeTranslations(msgspec.Struct, frozen=True):
    """An attribute in every language it is translated into, by language."""

    items: list[AttributeTranslation]


OneTranslation = Annotated[Response[Any], AttributeTranslation]


async def browse(
    shop: Shop, code: str, if_none_match: IfNoneMatch = None
) -> Annotated[Response[Any], AttributeTranslations]:
    """List the translations of an attribute, 30 at the most."""
    found = await catalog.find_attribute(shop.db, code)
    listed = await catalog.attribute_translations.of(shop.db, found.code)
    shown = AttributeTranslations([_one(kept) for kept in listed])
    return _answer(shown, found.version, if_none_match)


async def show(
    shop: Shop, code: str, locale: str, if_none_match: IfNoneMatch = None
) -> OneTranslation:
    """An attribute in one language, as it was translated into that."""
    found = await catalog.find_attribute(shop.db, code)
    kept = await catalog.attribute_translations.find(shop.db, code, tag_of(locale))
    return _answer(_one(kept), found.version, if_none_match)


async def replace(
    shop: Shop,
    caller: Caller,
    code: str,
    locale: str,
    *,
    data: catalog.AttributeTexts,
    if_match: IfMatch = None,
) -> OneTranslation:
    """Say what an attribute is called in a language, in place of all that was said."""
    kept, version = await workflows.translate(
        *(shop.db, code, another(shop, locale), data),
        clock=shop.clock,
        actor=caller.actor,
        versions=editions.versions(if_match),
    )
    return _answer(_one(kept), version)


async def delete(
    shop: Shop, caller: Caller, code: str, locale: str, if_match: IfMatch = None
) -> None:
    """Take a translation away: the attribute is shown in the shop's own language."""
    await workflows.untranslate(
        *(shop.db, code, tag_of(locale)),
        clock=shop.clock,
        actor=caller.actor,
        versions=editions.versions(if_match),
    )


def _one(kept: catalog.Translation[catalog.AttributeTexts]) -> AttributeTranslation:
    texts = msgspec.structs.asdict(kept.texts)
    return AttributeTranslation(**texts, locale=kept.locale, updated_at=kept.updated_at)


def _answer(
    shown: msgspec.Struct, version: int, if_none_match: str | None = None
) -> Response[Any]:
    body = _ENCODER.encode(shown)
    return editions.answer(body, version=version, if_none_match=if_none_match)
