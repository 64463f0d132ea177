"""What can be wrong with API keys, scopes and roles."""

from dataclasses import dataclass
from uuid import UUID

from holdfast.kernel.errors import Conflict, Forbidden, Invalid, NotFound


@dataclass(eq=False)
class ApiKeyNotFound(NotFound):
    """There is no such API key."""

    key_id: UUID


@dataclass(eq=False)
class UnknownScopes(Invalid):
    """Nobody can be given scopes that do not exist."""

    unknown: list[str]
    known: list[str]


@dataclass(eq=False)
class ScopeNotHeld(Forbidden):
    """Scopes can only be given by somebody who holds them."""

    missing: list[str]


@dataclass(eq=False)
class AccountMayMore(Forbidden):
    """The account may do more than you, so this is for somebody else to do."""

    missing: list[str]


@dataclass(eq=False)
class AccountOfStaff(Forbidden):
    """The account is of somebody who works for the shop, and theirs to change."""


@dataclass(eq=False)
class RoleNotFound(NotFound):
    """There is no such role."""

    name: str


@dataclass(eq=False)
class RoleNameTaken(Conflict):
    """There is a role of this name already."""

    name: str


@dataclass(eq=False)
class RoleBuiltIn(Conflict):
    """Roles that come with the product cannot be changed or deleted."""

    name: str


@dataclass(eq=False)
class RoleInUse(Conflict):
    """A role that accounts have cannot be deleted."""

    name: str
    accounts: int


@dataclass(eq=False)
class RoleInvalid(Invalid):
    """The role breaks a rule."""

    field: str
    reason: str


@dataclass(eq=False)
class LastAdmin(Conflict):
    """The last administrator cannot be taken away."""

    account_id: UUID
