"""What can be wrong with an e-mail."""

from dataclasses import dataclass

from holdfast.kernel.errors import Invalid, NotFound, Unavailable


@dataclass(eq=False)
class EmailNotFound(NotFound):
    """There is no such e-mail in the mailbox."""


@dataclass(eq=False)
class MailServerUnavailable(Unavailable):
    """The mail server does not take mail at the moment."""

    reason: str


@dataclass(eq=False)
class MailRefused(Invalid):
    """The mail server refuses this e-mail for good."""

    reason: str
