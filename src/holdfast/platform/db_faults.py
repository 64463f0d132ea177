"""What the database driver raises, in words of ours.

A broken constraint stays an exception with its ``constraint_name``. What is about
reaching the server becomes ``DatabaseUnavailable``, what is about others in the way
``DatabaseBusy``; after both nothing has happened. ``CommitUnclear`` is different: the
answer to a commit was lost, and with it whether there was one.
"""

from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import asyncpg
from asyncpg.exceptions import IntegrityConstraintViolationError as ConstraintViolated

from holdfast.kernel.errors import OutcomeUnknown, Unavailable

__all__ = [
    "TRANSLATED",
    "CommitUnclear",
    "ConstraintViolated",
    "DatabaseBusy",
    "DatabaseUnavailable",
    "drop",
    "is_to_be_repeated",
    "is_unclear",
]

_LOST = (
    OSError,
    # The driver lost its place in the protocol, as when the server dies between the
    # parts of an answer.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
_UNREACHABLE = (
    *_LOST,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    # Too many connections, a full disk: not ours to mend, and it may pass.
    asyncpg.InsufficientResourcesError,
)
_AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
# The server ended a transaction that took too long, and the connection with it.
_ENDED = (
    asyncpg.exceptions.IdleInTransactionSessionTimeoutError,
    asyncpg.exceptions.TransactionTimeoutError,
)
_BUSY = (
    *_AGAIN,
    *_ENDED,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    TimeoutError,
)


@dataclass(eq=False)
class DatabaseUnavailable(Unavailable):
    """The database cannot be reached at the moment."""


@dataclass(eq=False)
class DatabaseBusy(Unavailable):
    """The database is too busy to do this at the moment."""


@dataclass(eq=False)
class CommitUnclear(OutcomeUnknown, DatabaseUnavailable):
    """The database was lost as it made the change: whether it did is unknown."""


class _Translated:
    """Raises ours for the driver's errors about reaching the server.

    A class, as each statement passes it twice and a generator costs ten times more.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None or isinstance(error, ConstraintViolated):
            return
        if isinstance(error, _BUSY):
            raise DatabaseBusy from error
        if isinstance(error, _UNREACHABLE):
            raise DatabaseUnavailable from error


TRANSLATED = _Translated()


def is_unclear(error: BaseException) -> bool:
    """Whether a change that ended by *error* may have been made all the same.

    What the server says of itself is clear, and so is what was never sent to it.
    """
    if isinstance(error, _LOST):
        return True
    # A cancellation, say, while the answer was on its way.
    return not isinstance(error, Exception)


def is_to_be_repeated(busy: DatabaseBusy) -> bool:
    """Whether the server undid it for the sake of another, so that it may go now."""
    return isinstance(busy.__cause__, _AGAIN)


def drop(connection: Any) -> None:
    """End a connection that nobody else must get from the pool, whatever it is at."""
    # If the pool has noticed by itself that it is dead, there is nothing to end.
    with suppress(asyncpg.InterfaceError):
        connection.terminate()
