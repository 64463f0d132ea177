"""SQL as a language of its own: one ``queries.sql`` a module, loaded by name.

A statement starts with ``-- name: reserve`` and is otherwise exactly what
PostgreSQL runs, with its own ``$1`` parameters, so that it can be pasted into
psql and is recognised in ``pg_stat_statements``.
"""

import re
from collections.abc import Iterator, Mapping
from importlib import resources

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
