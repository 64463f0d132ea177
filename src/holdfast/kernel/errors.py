"""The kinds of thing that can be wrong with a request.

A module subclasses a kind. The class name says what happened and becomes the
problem type (``OutOfStock`` -> ``/problems/out-of-stock``), the first line of
the docstring is the title a client reads, the dataclass fields are the details.
No HTTP here: one table at the edge gives each kind its status (RFC 9457).

    DomainError
    ├── Malformed         cannot be read at all
    ├── Invalid           can be read, and breaks a rule
    ├── Unauthenticated   nobody we know
    ├── PaymentRequired   the money did not come
    ├── Forbidden         somebody we know, who may not
    ├── NotFound          not there, or not theirs
    ├── Conflict          the state of things forbids it
    ├── Outdated          said of a state that is no more
    ├── Unconditional     does not say of which state
    ├── Gone              was there once
    ├── TooMany           asked more often than anybody may
    ├── Unavailable       we cannot just now; ask again
    └── OutcomeUnknown    we asked another and got no answer
"""

from dataclasses import dataclass, fields
from typing import Any

MOST_FAULTS = 100
"""How many faults of one request are named: who mends these hears of the others then.

A body of a megabyte can have hundreds of thousands.
"""


@dataclass(eq=False)
class DomainError(Exception):
    """The request could not be carried out."""

    # ``eq=False`` keeps instances hashable, and they are not frozen because
    # Python itself sets ``__traceback__`` on a raised exception.

    @property
    def details(self) -> dict[str, Any]:
        """What a client may know beyond the title, by field name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __str__(self) -> str:
        title = (type(self).__doc__ or type(self).__name__).partition("\n")[0]
        return f"{title} {self.details}" if self.details else title


class Malformed(DomainError):
    """The request cannot be read."""


class Invalid(DomainError):
    """The request breaks a rule."""


class Unauthenticated(DomainError):
    """The request carries no valid credentials."""


class PaymentRequired(DomainError):
    """The payment did not succeed."""


class Forbidden(DomainError):
    """The caller may not do this."""


class NotFound(DomainError):
    """There is no such thing."""


class Conflict(DomainError):
    """The current state does not allow this."""


class Outdated(DomainError):
    """The thing was changed since it was read."""


class Unconditional(DomainError):
    """The request does not say which state of the thing it is about."""


class Gone(DomainError):
    """The thing existed and is no more."""


class TooMany(DomainError):
    """The same was asked too often."""


class Unavailable(DomainError):
    """The service cannot do this at the moment."""


class OutcomeUnknown(DomainError):
    """Nobody answered in time, so the outcome is not known."""
