"""SQL as a language of its own: one ``queries.sql`` a module, loaded by name.

A statement starts with ``-- name: reserve`` and is otherwise exactly what
PostgreSQL runs, with its own ``$1`` parameters, so that it can be pasted into
psql and is recognised in ``pg_stat_statements``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any
from uuid import UUID

import msgspec

_HEADER = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


class Statements(Mapping[str, str]):
    """The named statements of one module; a missing name fails at import."""

    def __init__(self, package: str) -> None:
        text = (resources.files(package) / "queries.sql").read_text("utf-8")
        _, *parts = _HEADER.split(text)
        names, bodies = parts[::2], parts[1::2]
        if len(set(names)) != len(names):
            raise ValueError(f"{package}: two statements share a name")
        self.package = package
        self._by_name = dict(zip(names, map(str.strip, bodies), strict=True))

    def __getitem__(self, name: str) -> str:
        try:
            return self._by_name[name]
        except KeyError:
            raise LookupError(f"{self.package} has no statement {name!r}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)


def load(package: str) -> Statements:
    """Read ``queries.sql`` of *package*."""
    return Statements(package)


@dataclass(frozen=True, slots=True)
class Step:
    """A statement with its arguments, to be run as a part of another."""

    statement: str
    args: tuple[Any, ...]

    def then(self, following: "Step") -> "Step":
        """Both as one, for which *following* says where this one goes (``joined``)."""
        statement = joined(self.statement, following.statement)
        return Step(statement, (*self.args, *following.args))


_PARTS = re.compile(r"WITH (?P<parts>.+)\n(?P<result>SELECT [^\n]+);\Z", re.DOTALL)
_FIRST = re.compile(r"/\* first \*/.*?/\* first \*/", re.DOTALL)
_PARAMETER = re.compile(r"\$(\d+)")


@cache
def joined(first: str, then: str) -> str:
    """Two statements of two modules as one, so that they are one commit by themselves.

    *first* is ``WITH ... SELECT``, the last on a line of its own; its parameters come
    first. *then* begins with a part in which ``/* first */ ... /* first */`` stands for
    what that selects. What comes of it may be the first of a third.
    """
    found = _PARTS.search(first)
    if found is None or not _FIRST.search(then):
        raise ValueError("the statements do not say where to join them")
    count = max((int(n) for n in _PARAMETER.findall(found["parts"])), default=0)
    shifted = _PARAMETER.sub(lambda n: f"${int(n[1]) + count}", then)
    comment, rest = _FIRST.sub(lambda _: found["result"], shifted).split("WITH ", 1)
    return f"{comment}WITH {found['parts']}, {rest}"


_COMMENT = re.compile(r"^--[^\n]*\n", re.MULTILINE)


def inlined(statement: str, *args: Any) -> str:
    """A statement with its arguments written into it.

    For what goes to the server together with another statement, in one message: such
    a message takes no parameters. Nothing of a text is written as it is, only its bytes
    as hexadecimal digits, so there is nothing to escape and nothing that could escape.
    """
    literals = [_literal(arg) for arg in args]
    return _PARAMETER.sub(lambda n: literals[int(n[1]) - 1], _bare(statement))


@cache
def _bare(statement: str) -> str:
    return _COMMENT.sub("", statement)


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'::bytea"
    if isinstance(value, UUID | datetime):
        kind = "uuid" if isinstance(value, UUID) else "timestamptz"
        return f"'{value}'::{kind}"
    if isinstance(value, str):
        return f"convert_from({_literal(value.encode())}, 'UTF8')"
    # As the driver encodes what goes into a jsonb column.
    return f"{_literal(msgspec.json.encode(value).decode())}::jsonb"
