"""PostgreSQL through asyncpg: one pool a process, short transactions, plain SQL.

``Database`` is itself a ``Connection`` for reads: each read borrows a connection
for one statement, and is repeated once when the borrowed connection turns out
to be dead, so that a database restart costs readers nothing. Writes go through
``transaction()`` and are never repeated here: after a lost connection the
outcome of a commit is unknown, and only the caller knows how to find out.

What the driver raises is translated: a broken constraint stays an exception
with its ``constraint_name``, everything about reaching the server becomes
``DatabaseUnavailable`` or ``DatabaseBusy``.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, TypeAlias

import asyncpg
import msgspec
from asyncpg.exceptions import IntegrityConstraintViolationError as ConstraintViolated

from holdfast.kernel.errors import Unavailable

__all__ = [
    "Connection",
    "ConstraintViolated",
    "Database",
    "DatabaseBusy",
    "DatabaseUnavailable",
    "Row",
    "Transaction",
]

Row: TypeAlias = Any
"""One row; columns by name or position."""

# The server ends what a caller forgot: a statement after 10 s, a wait for a lock
# after 3 s, a transaction nobody continues after 20 s. They are set once a
# connection, so they cost no round trip (`SET LOCAL` would, in each transaction).
_SESSION = {
    "application_name": "holdfast",
    "statement_timeout": "10000",
    "lock_timeout": "3000",
    "idle_in_transaction_session_timeout": "20000",
    # Every statement here is a short OLTP one: compiling it costs more than running.
    "jit": "off",
    # Each statement is planned once a connection. Left to itself, the server guesses
    # ten values behind `= ANY($1)`, finds that dear, and plans anew every time:
    # 230 us to look up a SKU in 40.
    "plan_cache_mode": "force_generic_plan",
}

_CLOSE_SECONDS = 5.0
_UNREACHABLE = (
    OSError,
    asyncpg.InterfaceError,
    # The driver lost its place in the protocol, as when the server dies between the
    # parts of an answer.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    # Too many connections, a full disk: not ours to mend, and it may pass.
    asyncpg.InsufficientResourcesError,
)
_BUSY = (
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    TimeoutError,
)


@dataclass(eq=False)
class DatabaseUnavailable(Unavailable):
    """The database cannot be reached at the moment."""


@dataclass(eq=False)
class DatabaseBusy(Unavailable):
    """The database is too busy to do this at the moment."""


class Connection(Protocol):
    """What can be read from. ``Database`` and ``Transaction`` are both one."""

    async def fetch(self, query: str, /, *args: Any) -> list[Row]: ...

    async def fetchrow(self, query: str, /, *args: Any) -> Row | None: ...

    async def fetchval(self, query: str, /, *args: Any) -> Any: ...


class Transaction(Connection, Protocol):
    """An open transaction: all of it happens, or none."""

    async def execute(self, query: str, /, *args: Any) -> str: ...

    async def executemany(
        self, query: str, /, args: Iterable[Sequence[Any]]
    ) -> None: ...


class Database:
    """The pool of connections of one process."""

    def __init__(self, pool: Any, *, acquire_timeout: float) -> None:
        self._pool = pool
        self._acquire_timeout = acquire_timeout

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        size: int = 10,
        acquire_timeout: float = 3.0,
        lock_timeout_ms: int | None = None,
        statement_timeout_ms: int | None = None,
    ) -> "Database":
        """Open a pool of up to *size* connections; the first is made when needed.

        The timeouts are for those who would rather be told that it is busy sooner.
        """
        session = dict(_SESSION)
        if lock_timeout_ms is not None:
            session["lock_timeout"] = str(lock_timeout_ms)
        if statement_timeout_ms is not None:
            session["statement_timeout"] = str(statement_timeout_ms)
        with _TRANSLATED:
            pool = await asyncpg.create_pool(
                url,
                min_size=0,
                max_size=size,
                init=_prepare,
                reset=_keep,
                server_settings=session,
                # Prepared statements are kept by connection; 300 is several times
                # the number of statements there are.
                statement_cache_size=300,
                max_inactive_connection_lifetime=300,
                timeout=5,
                command_timeout=15,
            )
        return cls(pool, acquire_timeout=acquire_timeout)

    async def close(self) -> None:
        """Close every connection, waiting a moment for those in use."""
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @property
    def in_use(self) -> int:
        """How many connections are borrowed at this moment."""
        return int(self._pool.get_size() - self._pool.get_idle_size())

    @property
    def size(self) -> int:
        """How many connections are open."""
        return int(self._pool.get_size())

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        """Borrow a connection outside any transaction."""
        with _TRANSLATED:
            connection = await self._pool.acquire(timeout=self._acquire_timeout)
        try:
            with _TRANSLATED:
                yield connection
        except DatabaseUnavailable:
            _drop(connection)
            raise
        finally:
            # The pool shields this from a cancellation by itself.
            await self._release(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commit at the end of the block, roll back if it raises."""
        async with self.acquire() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[Transaction]:
        """For a write that is one statement, which is a transaction by itself.

        Saves the round trips of BEGIN and COMMIT; a second statement in the block
        would be a second transaction.
        """
        async with self.acquire() as connection:
            yield connection

    async def fetch(self, query: str, /, *args: Any) -> list[Row]:
        return list(await self._read("fetch", query, args))

    async def fetchrow(self, query: str, /, *args: Any) -> Row | None:
        return await self._read("fetchrow", query, args)

    async def fetchval(self, query: str, /, *args: Any) -> Any:
        return await self._read("fetchval", query, args)

    async def _read(self, method: str, query: str, args: tuple[Any, ...]) -> Any:
        try:
            async with self.acquire() as connection:
                return await getattr(connection, method)(query, *args)
        except DatabaseUnavailable:
            # The pool hands out connections that died with the server; each is
            # found dead once. Fresh ones are made after the dead are dropped.
            await self._pool.expire_connections()
        async with self.acquire() as connection:
            return await getattr(connection, method)(query, *args)

    async def _release(self, connection: Any) -> None:
        try:
            await self._pool.release(connection)
        except _UNREACHABLE:
            # It is dead already, and the pool has noticed.
            return


def _drop(connection: Any) -> None:
    # In whatever state it is, nobody else must get it from the pool. If the pool has
    # noticed by itself that it is dead, there is nothing to end.
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


async def _prepare(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: msgspec.json.encode(value).decode(),
        decoder=msgspec.json.decode,
    )


async def _keep(_connection: Any) -> None:
    """Return a connection as it is.

    asyncpg would send a reset query at each release, which halves throughput
    (7,984 -> 15,005 q/s measured). Nothing here changes session state: settings
    are fixed at connect, no session locks, no LISTEN on pooled connections.
    """


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


_TRANSLATED = _Translated()
