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
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeAlias, TypeVar

import asyncpg
import msgspec

from holdfast.kernel.clock import monotonic
from holdfast.platform import joint, transactions
from holdfast.platform.db_faults import (
    TRANSLATED,
    CommitUnclear,
    ConstraintViolated,
    DatabaseBusy,
    DatabaseUnavailable,
    drop,
    is_to_be_repeated,
)
from holdfast.platform.transactions import Effect, Limits
from holdfast.resilience import deadline
from holdfast.resilience.errors import NotEnoughTime
from holdfast.resilience.retry import RetryBudget

__all__ = [
    "CommitUnclear",
    "Connection",
    "ConstraintViolated",
    "Database",
    "DatabaseBusy",
    "DatabaseUnavailable",
    "Row",
    "Transaction",
]

T = TypeVar("T")

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
# The driver gives up a statement after this long, if nobody has less time.
_COMMAND_SECONDS = 15.0
# How long a connection may take to come to rest before it goes back to the pool.
_REST_SECONDS = 2.0
_ATTEMPTS = 3
_SHORTEST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.001, 0.020


def _unheard(_seconds: float) -> None:
    """Nobody asks how long borrowers wait."""


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

    def __init__(
        self,
        pool: Any,
        *,
        acquire_timeout: float,
        limits: Limits = Limits(10.0, 3.0),  # noqa: B008 - it is frozen
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._pool = pool
        self._acquire_timeout = acquire_timeout
        self.on_wait: Callable[[float], None] = _unheard
        """Told how many seconds each borrower has waited for a connection."""
        self._limits = limits
        self._again = RetryBudget()
        self._sleep = sleep
        self._chance = chance

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        size: int = 10,
        acquire_timeout: float = 3.0,
        lock_timeout_ms: int | None = None,
        statement_timeout_ms: int | None = None,
        statements: int = 300,
        indexed: bool = False,
        language: str | None = None,
    ) -> "Database":
        """Open a pool of up to *size* connections; the first is made when needed.

        The timeouts are for those who would rather be told that it is busy sooner.
        *statements* are kept prepared by each connection: 300 are several times as many
        as there are, but for searches, of which one holds 3 MB of the server's memory.
        *indexed* is for statements that look for a few rows of a large table: where
        PostgreSQL cannot know how few it may take reading all for the shorter way.
        *language* is what the shop is written in, for those who write what is searched.
        """
        session = dict(_SESSION)
        if lock_timeout_ms is not None:
            session["lock_timeout"] = str(lock_timeout_ms)
        if statement_timeout_ms is not None:
            session["statement_timeout"] = str(statement_timeout_ms)
        if indexed:
            session["enable_seqscan"] = "off"
        if language is not None:
            session["holdfast.language"] = language
        with TRANSLATED:
            pool = await asyncpg.create_pool(
                url,
                min_size=0,
                max_size=size,
                init=_prepare,
                reset=_keep,
                server_settings=session,
                statement_cache_size=statements,
                # By itself the driver keeps none of more than 15 KiB: a search was
                # parsed, described and planned again each time.
                max_cacheable_statement_size=0,
                max_inactive_connection_lifetime=300,
                timeout=5,
                command_timeout=_COMMAND_SECONDS,
            )
        limits = Limits(
            int(session["statement_timeout"]) / 1000,
            int(session["lock_timeout"]) / 1000,
        )
        return cls(pool, acquire_timeout=acquire_timeout, limits=limits)

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
        """Borrow a connection outside any transaction.

        Raises ``NotEnoughTime`` when the request's time is over before there is one.
        """
        budget = deadline.current()
        before = None if budget is None else budget.stage
        connection = await self._borrow(budget)
        try:
            with TRANSLATED:
                yield connection
        except DatabaseUnavailable:
            drop(connection)
            raise
        finally:
            if budget is not None and before is not None:
                budget.stage = before
            # The pool shields this from a cancellation by itself.
            await self._release(connection)

    async def _borrow(self, budget: deadline.Budget | None) -> Any:
        patience, seconds = self._acquire_timeout, transactions.left()
        if seconds is not None and seconds < patience:
            if seconds <= 0:
                raise NotEnoughTime(stage="pool")
            patience = seconds
        if budget is not None:
            budget.stage = "pool"
        began = monotonic()
        try:
            with TRANSLATED:
                connection = await self._pool.acquire(timeout=patience)
        except DatabaseBusy:
            if patience < self._acquire_timeout:
                raise NotEnoughTime(stage="pool") from None
            raise
        finally:
            self.on_wait(monotonic() - began)
        if budget is not None:
            budget.stage = "database"
        return connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commit at the end of the block, roll back if it raises.

        In a request with an idempotency key the commit comes with the answer (see
        ``joint``).
        """
        if (shared := joint.current(self)) is not None:
            with TRANSLATED:
                async with shared.block() as connection:
                    yield connection
            return
        async with self.acquire() as connection:
            try:
                await connection.execute(self.opening())
                yield connection
            except BaseException:
                await transactions.roll_back(connection)
                raise
            await transactions.commit(connection)

    def opening(self) -> str:
        """What begins a transaction that has as much time as its request has left."""
        return self._limits.opening()

    async def attempt(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run *work* in a transaction, again if the server undid it for another's sake.

        For work that may be run again: all its effects are in the transaction. What
        waits for one another, or read what another changed, is undone by the server and
        may go at once; up to three times, after 1 to 20 ms, while time is left and not
        too many others are at it. Then ``DatabaseBusy``.
        """
        with self._again as others:
            for _ in range(_ATTEMPTS - 1):
                try:
                    async with self.transaction() as tx:
                        return await work(tx)
                except DatabaseBusy as busy:
                    if not (is_to_be_repeated(busy) and others.take()):
                        raise
                try:
                    span = _LONGEST_PAUSE_SECONDS - _SHORTEST_PAUSE_SECONDS
                    await self._sleep(_SHORTEST_PAUSE_SECONDS + self._chance() * span)
                finally:
                    others.give_back()
            async with self.transaction() as tx:
                return await work(tx)

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[Transaction]:
        """For a write that is one statement, which is a transaction by itself.

        Saves the round trips of BEGIN and COMMIT; a second statement in the block
        would be a second transaction.
        """
        if joint.current(self) is not None:
            async with self.transaction() as tx:
                yield tx
            return
        opening = self.opening()
        async with self.acquire() as connection:
            if opening == "BEGIN":
                with Effect():
                    yield connection
                return
            # With less time than the session allows, the server has to be told.
            try:
                await connection.execute(opening)
                yield connection
            except BaseException:
                await transactions.roll_back(connection)
                raise
            await transactions.commit(connection)

    async def fetch(self, query: str, /, *args: Any) -> list[Row]:
        return list(await self._read("fetch", query, args))

    async def fetchrow(self, query: str, /, *args: Any) -> Row | None:
        return await self._read("fetchrow", query, args)

    async def fetchval(self, query: str, /, *args: Any) -> Any:
        return await self._read("fetchval", query, args)

    async def _read(self, method: str, query: str, args: tuple[Any, ...]) -> Any:
        shared = joint.current(self)
        if shared is not None and shared.connection is not None:
            # It has to see what was done before, which is not committed yet.
            with TRANSLATED:
                return await getattr(shared.connection, method)(query, *args)
        try:
            return await self._read_once(method, query, args)
        except DatabaseUnavailable:
            # The pool hands out connections that died with the server; each is
            # found dead once. Fresh ones are made after the dead are dropped.
            await self._pool.expire_connections()
        return await self._read_once(method, query, args)

    async def _read_once(self, method: str, query: str, args: tuple[Any, ...]) -> Any:
        async with self.acquire() as connection:
            seconds = transactions.left()
            if seconds is None or seconds >= _COMMAND_SECONDS:
                return await getattr(connection, method)(query, *args)
            try:
                # Then the driver asks the server to stop, too.
                return await getattr(connection, method)(query, *args, timeout=seconds)
            except TimeoutError:
                raise NotEnoughTime(stage="database") from None

    async def _release(self, connection: Any) -> None:
        try:
            # By itself it would wait for a cancelled statement as long as it waited for
            # the connection, and then make a new one: a few milliseconds, perhaps.
            with TRANSLATED:
                await self._pool.release(connection, timeout=_REST_SECONDS)
        except (DatabaseUnavailable, DatabaseBusy):
            # It is dead already, and the pool has noticed.
            return


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
