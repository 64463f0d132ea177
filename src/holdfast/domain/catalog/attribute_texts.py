"""What attributes are called in other languages than the shop's own, and their choices.

A choice is what products say and what is filtered by, in any language the same; what it
is called stands beside it. As elsewhere, what a translation leaves out is as the shop
says it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from holdfast.domain.catalog.attributes import Attribute
from holdfast.domain.catalog.errors import (
    Fault,
    TranslationInvalid,
    first_faults,
)
from holdfast.domain.catalog.rules import line_faults
from holdfast.domain.catalog.translations import Translations
from holdfast.kernel.negotiation import Preference
from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction

_SQL = sql.load("holdfast.domain.catalog")
_EVERY = _SQL["attribute_translations"]
_ONE = _SQL["attribute_translation"]
_PUT = _SQL["put_attribute_translation"]
_DROP = _SQL["drop_attribute_translation"]
_SPOKEN = _SQL["spoken_attributes"]
_TOUCH = _SQL["touch_definition"]


class AttributeTexts(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True
):
    """What an attribute is called in one language; what is absent is the shop's own."""

    name: str = ""
    choices: dict[str, str] = {}
    """What its choices are called, by what they are in the shop."""

    def cleaned(self) -> "AttributeTexts":
        """The same without what is empty."""
        filled = {own: text for own, text in self.choices.items() if text}
        return AttributeTexts(self.name, filled)

    def check(self, attribute: Attribute) -> None:
        """``TranslationInvalid`` names everything that does not fit the definition."""
        if found := first_faults(self._faults(attribute)):
            raise TranslationInvalid(found)

    def _faults(self, attribute: Attribute) -> Iterator[Fault]:
        yield from line_faults(self.name, "/name", least=0)
        own = frozenset(attribute.choices)
        for choice, text in self.choices.items():
            here = f"/choices/{choice.replace('~', '~0').replace('/', '~1')}"
            if choice in own:
                yield from line_faults(text, here)
            else:
                yield Fault(here, "is not a choice of the attribute")
        shown = [self.choices.get(choice, choice) for choice in attribute.choices]
        if len(set(shown)) < len(shown):
            yield Fault("/choices", "must be told apart")
        if self == AttributeTexts():
            yield Fault("", "must translate something")


attribute_translations = Translations(AttributeTexts, _EVERY, _ONE, _PUT, _DROP)


async def touch_attribute(tx: Transaction, code: str, *, at: datetime) -> int:
    """Say that a locked definition was changed; returns the version it then has."""
    version: int = await tx.fetchval(_TOUCH, code, at)
    return version


async def attributes_in(
    connection: Connection, attributes: Sequence[Attribute], wanted: Preference | None
) -> tuple[list[Attribute], tuple[str, ...]]:
    """Definitions as somebody wants to read them; one statement, or none.

    Also returns the languages that they are in then, none for the shop's own.
    """
    if wanted is None or not wanted.tags or not attributes:
        return list(attributes), ()
    codes = [attribute.code for attribute in attributes]
    rows = await connection.fetch(_SPOKEN, codes, wanted.tags)
    spoken: dict[str, dict[str, Any]] = {row["code"]: row["spoken"] for row in rows}
    shown = []
    languages: dict[str, None] = {}
    for attribute in attributes:
        there = spoken.get(attribute.code, {})
        name, names = "", dict[str, str]()
        chosen = wanted.choose(there)
        for tag in reversed(chosen):
            name = there[tag].get("name", name)
            names |= there[tag].get("choices", {})
        # A definition may have changed since: what is no choice any more is not shown.
        names = {own: names[own] for own in attribute.choices if own in names}
        languages.update(dict.fromkeys(chosen))
        if not name or len(names) < len(attribute.choices):
            languages[wanted.own] = None
        shown.append(
            msgspec.structs.replace(
                attribute, name=name or attribute.name, choice_names=names
            )
        )
    return shown, tuple(languages)
