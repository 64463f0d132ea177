"""The texts of products and categories in other languages than the shop's own.

A translation says some of the texts. What it leaves out, or leaves empty, is shown as
the shop wrote it; how the two are put together is in ``speaking``. It names options,
values, attributes and images as they are in the shop's own language, and is held to
what the product has when it is written. What goes later is left alone and not shown.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from holdfast.domain.catalog.attributes import Attribute, value_fault
from holdfast.domain.catalog.drafts import Draft
from holdfast.domain.catalog.errors import (
    Fault,
    TooManyTranslations,
    TranslationInvalid,
    TranslationNotFound,
    first_faults,
)
from holdfast.domain.catalog.html import sanitise
from holdfast.domain.catalog.model import Category, Image, Option, Product, is_line
from holdfast.domain.catalog.rules import MAX_ALT, html_faults, line_faults, seo_faults
from holdfast.domain.catalog.speaking import put_texts
from holdfast.kernel.negotiation import Preference
from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction

_SQL = sql.load("holdfast.domain.catalog")
_TRANSLATIONS = _SQL["translations"]
_TRANSLATION = _SQL["translation"]
_PUT_TRANSLATION = _SQL["put_translation"]
_DROP_TRANSLATION = _SQL["drop_translation"]
_CATEGORY_TRANSLATIONS = _SQL["category_translations"]
_CATEGORY_TRANSLATION = _SQL["category_translation"]
_PUT_CATEGORY_TRANSLATION = _SQL["put_category_translation"]
_DROP_CATEGORY_TRANSLATION = _SQL["drop_category_translation"]
_TOUCH_CATEGORY = _SQL["touch_category"]
_SPOKEN_CATEGORIES = _SQL["spoken_categories"]
_DEFINITIONS_OF = _SQL["definitions_of"]

MAX_TRANSLATIONS = 30
"""Of one product or category; the European Union has 24 languages."""


class OptionTexts(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True
):
    """What an option is called, and its values by what they are called in the shop."""

    name: str = ""
    values: dict[str, str] = {}


class ProductTexts(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Texts of a product in one language; what is absent or empty is the shop's own."""

    title: str = ""
    description_html: str = ""
    seo_title: str = ""
    seo_description: str = ""
    options: dict[str, OptionTexts] = {}
    """By what the options are called in the shop's own language."""
    attributes: dict[str, str] = {}
    """Those of type text, by code."""
    images: dict[str, str] = {}
    """Alternative texts, by the id of the image."""

    def cleaned(self) -> "ProductTexts":
        """The same without what is empty, its HTML made harmless."""
        options = {
            name: OptionTexts(said.name, _filled(said.values))
            for name, said in self.options.items()
        }
        return msgspec.structs.replace(
            self,
            description_html=sanitise(self.description_html),
            options={n: said for n, said in options.items() if said != OptionTexts()},
            attributes=_filled(self.attributes),
            images=_filled(self.images),
        )

    def named(self, images: Sequence[Image]) -> "ProductTexts":
        """The same as it is kept, where a file names images by their places."""
        ids = {str(place): str(image.id) for place, image in enumerate(images, 1)}
        return msgspec.structs.replace(
            self, images={ids[place]: text for place, text in self.images.items()}
        )

    def check(self, product: Product, known: Mapping[str, Attribute]) -> None:
        """Hold the texts to a product; *known* are the definitions of its attributes.

        ``TranslationInvalid`` names everything that is wrong.
        """
        if found := first_faults(self.faults(product, known)):
            raise TranslationInvalid(found)

    def faults(
        self, product: Product | Draft, known: Mapping[str, Attribute]
    ) -> Iterator[Fault]:
        """Everything that is wrong with them for a product."""
        images = {str(image.id) for image in product.images}
        yield from self.own_faults(product.options, images)
        yield from _attribute_faults(self.attributes, product, known)

    def own_faults(
        self, options: Sequence[Option], images: Container[str]
    ) -> Iterator[Fault]:
        """The same but for attributes; *images* are the names of those there are."""
        yield from line_faults(self.title, "/title", least=0)
        yield from html_faults(self.description_html)
        yield from seo_faults(self.seo_title, self.seo_description)
        yield from _option_faults(self.options, options)
        yield from _image_faults(self.images, images)
        if self == ProductTexts():
            yield _NOTHING


class CategoryTexts(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Texts of a category in one language; what is absent or empty is the shop's."""

    name: str = ""
    description_html: str = ""
    seo_title: str = ""
    seo_description: str = ""

    def cleaned(self) -> "CategoryTexts":
        """The same with its HTML made harmless."""
        html = sanitise(self.description_html)
        return msgspec.structs.replace(self, description_html=html)

    def check(self) -> None:
        """``TranslationInvalid`` names everything that is wrong."""
        found = [
            *line_faults(self.name, "/name", least=0),
            *html_faults(self.description_html),
            *seo_faults(self.seo_title, self.seo_description),
        ]
        if self == CategoryTexts():
            found.append(_NOTHING)
        if found:
            raise TranslationInvalid(found)


T = TypeVar("T", bound=msgspec.Struct)
_NOTHING = Fault("", "must translate something")
_CATEGORY_TEXTS = CategoryTexts.__struct_fields__


@dataclass(frozen=True, slots=True)
class Translation(Generic[T]):
    """Texts as they are kept."""

    locale: str
    texts: T
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Translations(Generic[T]):
    """The translations of one kind of thing; whoever writes has locked the thing.

    A thing is named by its id, an attribute by its code.
    """

    _type: type[T]
    _every: str
    _one: str
    _put: str
    _drop: str

    async def of(
        self, connection: Connection, thing: UUID | str
    ) -> list[Translation[T]]:
        """Those of one thing, by language."""
        rows = await connection.fetch(self._every, thing)
        return [self._read(row) for row in rows]

    async def get(
        self, connection: Connection, thing: UUID | str, locale: str
    ) -> Translation[T] | None:
        """One of them, if it is there."""
        row = await connection.fetchrow(self._one, thing, locale)
        return None if row is None else self._read(row)

    async def find(
        self, connection: Connection, thing: UUID | str, locale: str
    ) -> Translation[T]:
        """One of them, or ``TranslationNotFound``."""
        found = await self.get(connection, thing, locale)
        if found is None:
            raise TranslationNotFound
        return found

    async def put(
        self, tx: Transaction, thing: UUID | str, locale: str, texts: T, *, at: datetime
    ) -> None:
        """Add or replace one; ``TooManyTranslations`` if there is no room for it."""
        args = (thing, locale, texts, at, MAX_TRANSLATIONS)
        if await tx.fetchval(self._put, *args) is None:
            raise TooManyTranslations(MAX_TRANSLATIONS)

    async def drop(self, tx: Transaction, thing: UUID | str, locale: str) -> None:
        """Remove one."""
        await tx.execute(self._drop, thing, locale)

    def _read(self, row: Any) -> Translation[T]:
        texts = msgspec.convert(row["fields"], self._type)
        return Translation(row["language"], texts, row["updated_at"])


product_translations = Translations(
    ProductTexts, _TRANSLATIONS, _TRANSLATION, _PUT_TRANSLATION, _DROP_TRANSLATION
)
category_translations = Translations(
    CategoryTexts,
    _CATEGORY_TRANSLATIONS,
    _CATEGORY_TRANSLATION,
    _PUT_CATEGORY_TRANSLATION,
    _DROP_CATEGORY_TRANSLATION,
)


async def hold_texts(
    tx: Transaction, texts: ProductTexts, product: Product
) -> ProductTexts:
    """The texts as they are kept of a locked product, or ``TranslationInvalid``.

    Nobody makes something else of the attributes they name until the transaction ends.
    """
    cleaned = texts.cleaned()
    known: dict[str, Attribute] = {}
    if codes := cleaned.attributes.keys() & product.attributes.keys():
        rows = await tx.fetch(_DEFINITIONS_OF, sorted(codes))
        known = {row["code"]: msgspec.convert(dict(row), Attribute) for row in rows}
    cleaned.check(product, known)
    return cleaned


async def touch_category(tx: Transaction, category_id: UUID, *, at: datetime) -> int:
    """Say that a locked category was changed, where its row does not.

    Returns the version it then has.
    """
    version: int = await tx.fetchval(_TOUCH_CATEGORY, category_id, at)
    return version


async def categories_in(
    connection: Connection, categories: Sequence[Category], wanted: Preference
) -> tuple[list[Category], tuple[str, ...]]:
    """Categories as somebody wants to read them; one statement, or none.

    Also returns the languages that they are in then.
    """
    if not wanted.tags or not categories:
        return list(categories), (wanted.own,)
    ids = [category.id for category in categories]
    rows = await connection.fetch(_SPOKEN_CATEGORIES, ids, wanted.tags)
    spoken = {row["category_id"]: row["spoken"] for row in rows}
    shown = []
    languages: dict[str, None] = {}
    for category in categories:
        texts: dict[str, Any] = {n: getattr(category, n) for n in _CATEGORY_TEXTS}
        languages.update(put_texts(texts, spoken.get(category.id, {}), wanted))
        shown.append(msgspec.structs.replace(category, **texts))
    return shown, tuple(languages)


def _filled(texts: Mapping[str, str]) -> dict[str, str]:
    return {key: text for key, text in texts.items() if text}


def _option_faults(
    said: Mapping[str, OptionTexts], options: Sequence[Option]
) -> Iterator[Fault]:
    by_name = {option.name: option for option in options}
    for name, texts in said.items():
        here = f"/options/{_escaped(name)}"
        if (option := by_name.get(name)) is None:
            yield Fault(here, "is not an option of the product")
            continue
        yield from line_faults(texts.name, f"{here}/name", least=0)
        own = frozenset(option.values)
        for value, text in texts.values.items():
            there = f"{here}/values/{_escaped(value)}"
            if value in own:
                yield from line_faults(text, there)
            else:
                yield Fault(there, "is not a value of the option")
        shown = [texts.values.get(value, value) for value in option.values]
        if len(set(shown)) < len(shown):
            yield Fault(f"{here}/values", "must be told apart")
    names = [said[o.name].name or o.name for o in options if o.name in said]
    names += [option.name for option in options if option.name not in said]
    if len(set(names)) < len(names):
        yield Fault("/options", "must be told apart")


def _attribute_faults(
    said: Mapping[str, str], product: Product | Draft, known: Mapping[str, Attribute]
) -> Iterator[Fault]:
    for code, text in said.items():
        here = f"/attributes/{_escaped(code)}"
        attribute = known.get(code)
        if attribute is None or code not in product.attributes:
            yield Fault(here, "is not an attribute of the product")
        elif attribute.type != "text":
            yield Fault(here, f"is of type {attribute.type}, and has no words")
        elif (wrong := value_fault(attribute, text)) is not None:
            yield Fault(here, wrong)


def _image_faults(said: Mapping[str, str], there: Container[str]) -> Iterator[Fault]:
    for image_id, text in said.items():
        here = f"/images/{_escaped(image_id)}"
        if image_id not in there:
            yield Fault(here, "is not an image of the product")
        elif len(text) > MAX_ALT or not is_line(text):
            yield Fault(here, f"must be one line of at most {MAX_ALT} characters")


def _escaped(step: str) -> str:
    """A step of a JSON pointer (RFC 6901)."""
    return step.replace("~", "~0").replace("/", "~1")
