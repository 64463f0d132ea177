"""What can be wrong with an account, its password, or a link in an e-mail."""

from dataclasses import dataclass
from uuid import UUID

from holdfast.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable


@dataclass(eq=False)
class AccountNotFound(NotFound):
    """There is no such account."""

    account_id: UUID


@dataclass(eq=False)
class AccountErased(Conflict):
    """The account was erased, and nothing about it can change any more."""

    account_id: UUID


@dataclass(eq=False)
class EmailTaken(Conflict):
    """Another account has this e-mail address."""

    # Only for those who proved that the address is theirs, and for operators: nobody
    # else may learn it.


@dataclass(eq=False)
class PasswordRefused(Invalid):
    """The password is too easy to guess, or cannot be used."""

    reasons: list[str]


@dataclass(eq=False)
class WrongPassword(Forbidden):
    """The current password is not right."""


@dataclass(eq=False)
class LinkNotValid(Invalid):
    """The link was used, has expired, or is not one of ours."""


@dataclass(eq=False)
class SignInBusy(Unavailable):
    """Too many people are signing in at the moment."""

    retry_after_seconds: float


@dataclass(eq=False)
class ProviderNotFound(NotFound):
    """There is no such site to sign in with."""


@dataclass(eq=False)
class ProviderUnavailable(Unavailable):
    """The site you sign in with does not answer as it should."""

    provider: str


@dataclass(eq=False)
class OutsideSignInRefused(Forbidden):
    """The other site did not sign you in, or not for this browser."""

    reason: str


@dataclass(eq=False)
class EmailNotVerified(Forbidden):
    """The other site has not checked that the e-mail address is yours."""


@dataclass(eq=False)
class AccountDisabled(Forbidden):
    """This account has been disabled."""


@dataclass(eq=False)
class LinkedIdentityNotFound(NotFound):
    """Your account is not connected to this site."""

    issuer: str
