"""What can be said of a product besides: attributes, each with a definition.

A definition gives an attribute its type for good; a value that is not of it is refused.
Numbers are as exact as they are written (PostgreSQL keeps them as decimals), dates are
days without a time zone, a reference is the id of another product.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias
from uuid import UUID

import msgspec

from holdfast.domain.catalog.errors import (
    AttributeChanged,
    AttributeInUse,
    AttributeNotFound,
    DuplicateAttribute,
    Fault,
    ProductInvalid,
    ProductReferenced,
)
from holdfast.domain.catalog.model import Value, Versions, is_line, parse_id
from holdfast.domain.catalog.rules import line_faults
from holdfast.kernel.page import BadCursor, Page, decode_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction

_SQL = sql.load("holdfast.domain.catalog")
_DEFINITIONS_OF = _SQL["definitions_of"]
_THERE = _SQL["there"]
_REFERRING = _SQL["referring"]
_FIND_DEFINITION = _SQL["find_definition"]
_DEFINITIONS = _SQL["definitions"]
_ADD_DEFINITION = _SQL["add_definition"]
_LOCK_DEFINITION = _SQL["lock_definition"]
_CHANGE_DEFINITION = _SQL["change_definition"]
_DELETE_DEFINITION = _SQL["delete_definition"]
_USED_VALUES = _SQL["used_values"]
_PRODUCTS_WITH = _SQL["products_with"]
_IS_SAID = _SQL["is_said"]

MAX_ATTRIBUTES = 100
MAX_CHOICES = 1_000
MAX_VALUE = 1_024
MAX_NUMBER = 10**15
"""Below this a double says every whole number exactly."""
MAX_POSITION = 10**6

AttributeType: TypeAlias = Literal[
    "text", "number", "boolean", "date", "choice", "reference"
]
_CODE = re.compile(r"[a-z][a-z0-9_]{0,62}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Attribute(msgspec.Struct, frozen=True):
    """The definition of an attribute."""

    code: str
    name: str
    type: AttributeType
    choices: tuple[str, ...]
    filterable: bool
    position: int
    version: int
    created_at: datetime
    updated_at: datetime
    choice_names: dict[str, str] = {}
    """What choices are called in the language it is told in, where otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeDraft:
    """What somebody wants a definition to be."""

    code: str
    name: str
    type: AttributeType
    choices: tuple[str, ...] = ()
    filterable: bool = False
    position: int = 0

    def faults(self) -> Iterator[Fault]:
        """Every rule it breaks."""
        if not is_code(self.code):
            yield Fault(
                "/code", "must be 1 to 63 of a-z, 0-9 and _, and begin with a letter"
            )
        yield from line_faults(self.name, "/name")
        if not 0 <= self.position <= MAX_POSITION:
            yield Fault("/position", f"must be 0 to {MAX_POSITION}")
        if self.type != "choice":
            if self.choices:
                yield Fault("/choices", "are for the type choice alone")
            return
        if not 1 <= len(self.choices) <= MAX_CHOICES:
            yield Fault("/choices", f"must be 1 to {MAX_CHOICES}")
            return
        seen = set[str]()
        for index, choice in enumerate(self.choices):
            yield from line_faults(choice, f"/choices/{index}")
            if choice in seen:
                yield Fault(f"/choices/{index}", "is there twice")
            seen.add(choice)


def is_code(text: str) -> bool:
    """Whether an attribute could be called so."""
    return _CODE.fullmatch(text) is not None


def draft_of_attribute(attribute: Attribute) -> AttributeDraft:
    """What a definition would be a draft of."""
    return AttributeDraft(
        code=attribute.code,
        name=attribute.name,
        type=attribute.type,
        choices=attribute.choices,
        filterable=attribute.filterable,
        position=attribute.position,
    )


def value_fault(attribute: Attribute, value: Value) -> str | None:
    """What is wrong with a value; that a reference leads somewhere is checked later."""
    is_right, wanted = _CHECKS[attribute.type]
    return None if is_right(attribute, value) else wanted


def _is_text(_: Attribute, value: Value) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_VALUE and is_line(value)


def _is_number(_: Attribute, value: Value) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # False of what is not a number, too.
    return abs(value) <= MAX_NUMBER


def _is_boolean(_: Attribute, value: Value) -> bool:
    return isinstance(value, bool)


def _is_choice(attribute: Attribute, value: Value) -> bool:
    return value in attribute.choices


def _is_reference(_: Attribute, value: Value) -> bool:
    # As ids are told: what refers to a product is found by the text of its id.
    if not isinstance(value, str) or value != value.lower():
        return False
    return parse_id(value) is not None


def _is_day(_: Attribute, value: Value) -> bool:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


_CHECKS: Mapping[AttributeType, tuple[Callable[[Attribute, Value], bool], str]] = {
    "text": (_is_text, f"must be one line of 1 to {MAX_VALUE} characters"),
    "number": (_is_number, f"must be a number from -{MAX_NUMBER} to {MAX_NUMBER}"),
    "boolean": (_is_boolean, "must be true or false"),
    "date": (_is_day, "must be a day as 2026-12-31"),
    "choice": (_is_choice, "is not one of the choices"),
    "reference": (_is_reference, "must be the id of a product"),
}


def attribute_faults(
    known: Mapping[str, Attribute], attributes: Mapping[str, Value]
) -> Iterator[Fault]:
    """Everything that is wrong with the attributes of a product."""
    if len(attributes) > MAX_ATTRIBUTES:
        yield Fault("/attributes", f"must be at most {MAX_ATTRIBUTES}")
        return
    for code, value in attributes.items():
        here = f"/attributes/{code.replace('~', '~0').replace('/', '~1')}"
        if (definition := known.get(code)) is None:
            yield Fault(here, "is not defined")
        elif (wrong := value_fault(definition, value)) is not None:
            yield Fault(here, wrong)


async def check_attributes(
    tx: Transaction, said: Sequence[Mapping[str, Value]]
) -> None:
    """Hold the attributes of products to their definitions, which stay as they are.

    Until the transaction ends nobody takes a definition or a choice away, or deletes
    a product that is referred to. Raises
    ``ProductInvalid`` for the first product with faults.
    """
    codes = {
        code
        for attributes in said
        if len(attributes) <= MAX_ATTRIBUTES
        for code in attributes
        if is_code(code)
    }
    known: dict[str, Attribute] = {}
    if codes:
        rows = await tx.fetch(_DEFINITIONS_OF, sorted(codes))
        known = {row["code"]: _attribute(row) for row in rows}
    for attributes in said:
        if found := list(attribute_faults(known, attributes)):
            raise ProductInvalid(found)
    references = {
        UUID(str(value))
        for attributes in said
        for code, value in attributes.items()
        if known[code].type == "reference"
    }
    if not references:
        return
    there = {row["id"] for row in await tx.fetch(_THERE, sorted(references))}
    for attributes in said:
        for code, value in attributes.items():
            is_reference = known[code].type == "reference"
            if is_reference and UUID(str(value)) not in there:
                raise ProductInvalid([Fault(f"/attributes/{code}", "does not exist")])


async def check_references(tx: Transaction, product_id: UUID) -> None:
    """See that no other product refers to a locked one, which may go then.

    ``ProductReferenced`` names some that do. Whoever was about to refer to it has done
    so before the lock was given, or finds that it is gone.
    """
    if rows := await tx.fetch(_REFERRING, product_id):
        raise ProductReferenced(
            list(dict.fromkeys(row["id"] for row in rows)),
            sorted({row["code"] for row in rows}),
        )


async def definitions(
    connection: Connection, *, after: str | None, limit: int
) -> Page[Attribute]:
    """The definitions in the order a shop shows them."""
    position, last = None, None
    if after is not None:
        said, last = decode_cursor(after, 2)
        if not re.fullmatch(r"[0-9]{1,7}", said):
            raise BadCursor
        position = int(said)
    rows = await connection.fetch(_DEFINITIONS, position, last, limit + 1)
    items = [_attribute(row) for row in rows[:limit]]
    if len(rows) <= limit:
        return Page(items, None)
    return Page(items, encode_cursor(str(items[-1].position), items[-1].code))


async def find_attribute(connection: Connection, code: str) -> Attribute:
    """A definition; ``AttributeNotFound`` if there is none."""
    row = await connection.fetchrow(_FIND_DEFINITION, code) if is_code(code) else None
    if row is None:
        raise AttributeNotFound
    return _attribute(row)


async def add_attribute(
    tx: Transaction, wanted: AttributeDraft, *, at: datetime
) -> Attribute:
    """Add a definition; ``DuplicateAttribute`` if there is one of this code."""
    row = await tx.fetchrow(_ADD_DEFINITION, wanted, at)
    if row is None:
        raise DuplicateAttribute(wanted.code)
    return _attribute(row)


async def lock_attribute(
    tx: Transaction, code: str, *, versions: Versions
) -> Attribute:
    """Lock a definition that has one of these versions.

    Raises ``AttributeNotFound``, or ``AttributeChanged`` with the version it has.
    """
    row = await tx.fetchrow(_LOCK_DEFINITION, code) if is_code(code) else None
    if row is None:
        raise AttributeNotFound
    attribute = _attribute(row)
    if versions is not None and attribute.version not in versions:
        raise AttributeChanged(attribute.version)
    return attribute


async def change_attribute(
    tx: Transaction, old: Attribute, wanted: AttributeDraft, *, at: datetime
) -> Attribute:
    """Make a locked definition what is wanted; its type never changes.

    ``AttributeInUse`` if products say a choice that is no more.
    """
    gone = [choice for choice in old.choices if choice not in wanted.choices]
    if gone and (rows := await tx.fetch(_USED_VALUES, old.code, gone)):
        raise AttributeInUse([row["value"] for row in rows])
    row = await tx.fetchrow(_CHANGE_DEFINITION, wanted, at)
    assert row is not None  # noqa: S101 - it is locked
    return _attribute(row)


async def delete_attribute(tx: Transaction, code: str) -> None:
    """Delete a locked definition; ``AttributeInUse`` while products have a value.

    Whoever was about to say one has done so before the lock was given.
    """
    if await tx.fetchval(_IS_SAID, code):
        raise AttributeInUse([])
    await tx.execute(_DELETE_DEFINITION, code)


async def products_with(
    tx: Transaction, code: str, *, after: UUID, limit: int
) -> Sequence[UUID]:
    """Lock products that have a value, and return their ids in order."""
    rows = await tx.fetch(_PRODUCTS_WITH, code, after, limit)
    return [row["id"] for row in rows]


def _attribute(row: Row) -> Attribute:
    return msgspec.convert(dict(row), Attribute)
