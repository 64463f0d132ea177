"""What can be wrong with an API key."""

from dataclasses import dataclass
from uuid import UUID

from holdfast.kernel.errors import Invalid, NotFound


@dataclass(eq=False)
class ApiKeyNotFound(NotFound):
    """There is no such API key."""

    key_id: UUID


@dataclass(eq=False)
class UnknownScopes(Invalid):
    """A key cannot be given scopes that do not exist."""

    unknown: list[str]
    known: list[str]
