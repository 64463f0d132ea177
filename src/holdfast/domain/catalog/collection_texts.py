"""The texts of collections in other languages than the shop's own.

As of products and categories: what a translation leaves out is shown as the shop wrote
it. What is in a collection has translations of its own.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from holdfast.domain.catalog.collections import Collection
from holdfast.domain.catalog.errors import Fault, TranslationInvalid
from holdfast.domain.catalog.html import sanitise
from holdfast.domain.catalog.rules import html_faults, line_faults, seo_faults
from holdfast.domain.catalog.speaking import put_texts
from holdfast.domain.catalog.translations import Translations
from holdfast.kernel.negotiation import Preference
from holdfast.platform import sql
from holdfast.platform.db import Connection

_SQL = sql.load("holdfast.domain.catalog")
_EVERY = _SQL["collection_translations"]
_ONE = _SQL["collection_translation"]
_PUT = _SQL["put_collection_translation"]
_DROP = _SQL["drop_collection_translation"]
_SPOKEN = _SQL["spoken_collections"]


class CollectionTexts(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Texts of a collection in one language; what is absent or empty is the shop's."""

    title: str = ""
    description_html: str = ""
    seo_title: str = ""
    seo_description: str = ""

    def cleaned(self) -> "CollectionTexts":
        """The same with its HTML made harmless."""
        html = sanitise(self.description_html)
        return msgspec.structs.replace(self, description_html=html)

    def check(self) -> None:
        """``TranslationInvalid`` names everything that is wrong."""
        found = [
            *line_faults(self.title, "/title", least=0),
            *html_faults(self.description_html),
            *seo_faults(self.seo_title, self.seo_description),
        ]
        if self == CollectionTexts():
            found.append(Fault("", "must translate something"))
        if found:
            raise TranslationInvalid(found)


_TEXTS = CollectionTexts.__struct_fields__

collection_translations = Translations(CollectionTexts, _EVERY, _ONE, _PUT, _DROP)


async def collections_in(
    connection: Connection, collections: Sequence[Collection], wanted: Preference | None
) -> tuple[list[Collection], tuple[str, ...]]:
    """Collections as somebody wants to read them; one statement, or none.

    Also returns the languages that they are in then, none for the shop's own.
    """
    if wanted is None or not wanted.tags or not collections:
        return list(collections), ()
    ids = [collection.id for collection in collections]
    rows = await connection.fetch(_SPOKEN, ids, wanted.tags)
    spoken = {row["collection_id"]: row["spoken"] for row in rows}
    shown = []
    languages: dict[str, None] = {}
    for collection in collections:
        texts: dict[str, Any] = {name: getattr(collection, name) for name in _TEXTS}
        languages.update(put_texts(texts, spoken.get(collection.id, {}), wanted))
        shown.append(msgspec.structs.replace(collection, **texts))
    return shown, tuple(languages)
