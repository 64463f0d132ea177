"""What a file brings of products that their drafts do not say, and takes along again.

Translations, the products they are related to, and those to which their attributes
refer. In a file other products are named by their handles, and images by their places,
because ids are those of one shop. Many products at once, in a statement each.

Whoever writes has locked the products.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from holdfast.domain.catalog.attributes import AttributeType
from holdfast.domain.catalog.model import Option, Product
from holdfast.domain.catalog.translations import OptionTexts, ProductTexts
from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction

_SQL = sql.load("holdfast.domain.catalog")
_TEXTS_OF = _SQL["texts_of"]
_PUT_TEXTS = _SQL["put_texts"]
_RELATED_TO = _SQL["related_to"]
_RELATED_IDS_TO = _SQL["related_ids_to"]
_UNRELATE = _SQL["unrelate"]
_RELATE = _SQL["relate"]
_KINDS_OF = _SQL["kinds_of"]
_HANDLES_OF = _SQL["handles_of"]
_NAMED = _SQL["named"]

Texts = Mapping[str, ProductTexts]
"""Of one product, by language."""


def written(texts: ProductTexts, product: Product) -> ProductTexts:
    """A translation as a file has it: images by place, nothing that is gone since.

    What two things would be called alike is left out, as readers are not shown it.
    """
    options = {
        option.name: _fitting(texts.options[option.name], option)
        for option in product.options
        if option.name in texts.options
    }
    names = [
        (options[one.name].name if one.name in options else "") or one.name
        for one in product.options
    ]
    if len(set(names)) < len(names):
        options = {name: OptionTexts("", one.values) for name, one in options.items()}
    return msgspec.structs.replace(
        texts,
        options={name: one for name, one in options.items() if one != OptionTexts()},
        attributes={
            code: text
            for code, text in texts.attributes.items()
            if isinstance(product.attributes.get(code), str)
        },
        images={
            str(place): texts.images[str(image.id)]
            for place, image in enumerate(product.images, 1)
            if str(image.id) in texts.images
        },
    )


def _fitting(texts: OptionTexts, option: Option) -> OptionTexts:
    values = {own: texts.values[own] for own in option.values if own in texts.values}
    shown = [values.get(own, own) for own in option.values]
    return OptionTexts(texts.name, values if len(set(shown)) == len(shown) else {})


async def texts_of(
    connection: Connection, ids: Sequence[UUID]
) -> dict[UUID, dict[str, ProductTexts]]:
    """The translations of products; those without are absent."""
    told: dict[UUID, dict[str, ProductTexts]] = {}
    for row in await connection.fetch(_TEXTS_OF, ids):
        texts = msgspec.convert(row["fields"], ProductTexts)
        told.setdefault(row["product_id"], {})[row["language"]] = texts
    return told


async def put_texts(
    tx: Transaction, wanted: Sequence[tuple[UUID, str, ProductTexts]], *, at: datetime
) -> None:
    """Add or replace translations."""
    rows: list[dict[str, Any]] = [
        {"product_id": id_, "language": locale, "fields": texts}
        for id_, locale, texts in wanted
    ]
    await tx.execute(_PUT_TEXTS, rows, at)


async def related_to(
    connection: Connection, ids: Sequence[UUID]
) -> dict[UUID, Sequence[str]]:
    """Handles of what products are related to, in order; those alone are absent."""
    rows = await connection.fetch(_RELATED_TO, ids)
    return {row["product_id"]: row["handles"] for row in rows}


async def related_ids_to(
    tx: Transaction, ids: Sequence[UUID]
) -> dict[UUID, Sequence[UUID]]:
    """The same by ids."""
    rows = await tx.fetch(_RELATED_IDS_TO, ids)
    return {row["product_id"]: row["ids"] for row in rows}


async def relate_all(tx: Transaction, wanted: Mapping[UUID, Sequence[UUID]]) -> None:
    """Relate products to these, which stay, and to no others."""
    await tx.execute(_UNRELATE, list(wanted))
    rows = [
        (id_, other, place)
        for id_, others in wanted.items()
        for place, other in enumerate(others, 1)
    ]
    if rows:
        await tx.execute(_RELATE, *zip(*rows, strict=True))


async def kinds_of(
    connection: Connection, codes: Sequence[str]
) -> dict[str, AttributeType]:
    """The types of attributes; those that are not defined are absent."""
    rows = await connection.fetch(_KINDS_OF, codes)
    return {row["code"]: row["type"] for row in rows}


async def references_among(
    connection: Connection, codes: Sequence[str]
) -> frozenset[str]:
    """Which of some attributes refer to products."""
    kinds = await kinds_of(connection, codes)
    return frozenset(code for code, kind in kinds.items() if kind == "reference")


async def handles_of(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Handles of products."""
    rows = await connection.fetch(_HANDLES_OF, ids)
    return {row["id"]: row["handle"] for row in rows}


async def hold_called(tx: Transaction, handles: Sequence[str]) -> dict[str, UUID]:
    """Ids of products by handle, which nobody deletes until the end."""
    rows = await tx.fetch(_NAMED, [], handles)
    return {row["handle"]: row["id"] for row in rows}
