"""Attributes as cells of a CSV file, where everything is text.

Shopify calls them metafields, and its files do not say of which type they are: the
definition of the same code does. What is defined here by no such code is passed over,
as every column that nobody knows.
"""

from collections.abc import Mapping

import msgspec

from holdfast.domain.catalog.attributes import AttributeType
from holdfast.domain.catalog.model import Value

_BOOLEANS = {"true": True, "false": False}


def cell_of(value: Value) -> str:
    """A value as it is written: 12.5, true, 2026-12-31."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def typed(
    said: Mapping[str, Value], kinds: Mapping[str, AttributeType]
) -> dict[str, Value]:
    """What cells mean, by the types of definitions.

    What cannot be of its type is left as it is written, and refused as such.
    """
    return {
        code: _typed(str(cell), kinds[code])
        for code, cell in said.items()
        if kinds.get(code, "reference") != "reference"
    }


def _typed(cell: str, kind: AttributeType) -> Value:
    if kind == "boolean":
        return _BOOLEANS.get(cell.casefold(), cell)
    if kind == "number":
        try:
            return msgspec.json.decode(cell, type=int | float)
        except msgspec.DecodeError:
            return cell
    return cell


def unless_same(
    said: Mapping[str, Value], now: Mapping[str, Value]
) -> dict[str, Value]:
    """The values, or those there are *now* where cells could not tell the two apart.

    A cell has no space around its text.
    """
    same = {
        code: there
        for code, there in now.items()
        if isinstance(there, str) and said.get(code) == there.strip()
    }
    return {**said, **same}
