"""One transaction for everything that a request with an idempotency key does.

The key is claimed in the message that begins the transaction, and the answer is kept
in the message that commits it, so a request with a key makes as many round trips as
one without, and a process that dies leaves everything or nothing. In between every
``transaction()``, ``statement()`` and read of the request's own task uses the same
connection; other tasks, which serve other requests as well, use others.

What a request did before it was refused stays what it would be without a key: each
block that came to its end is kept, and the key is given back with it. The first block
needs no savepoint, since nothing is lost when all of it is undone: the claim is then
made again with the next block. Between the two no connection is held, so a workflow
may undo its work to ask somebody outside.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from contextvars import ContextVar
from typing import Any, Protocol

import asyncpg

from holdfast.platform import transactions


class Pool(Protocol):
    """A ``Database``, which is told apart from others by who it is."""

    def acquire(self) -> AbstractAsyncContextManager[Any]: ...

    def opening(self) -> str: ...


_JOINT: ContextVar["Joint | None"] = ContextVar("holdfast_joint", default=None)
_SAVE = "SAVEPOINT block"
_UNDO = "ROLLBACK TO SAVEPOINT block"
_CLAIMED = "INSERT 0 1"


class KeyTaken(Exception):
    """Somebody else has the key: nothing was done, and nothing must be."""


class KeyHeld(KeyTaken):
    """Somebody is claiming it at this moment, and takes longer than we may wait."""


class Joint:
    """The transaction of one request, begun when it is first needed."""

    def __init__(self, pool: Pool, *, claim: str, release: str) -> None:
        """*claim* and *release* are statements that have no parameters."""
        self._pool = pool
        self._claim = claim
        self._release = release
        self._task = asyncio.current_task()
        self._borrowed: AbstractAsyncContextManager[Any] | None = None
        self._connection: Any = None
        self._inside = 0
        self._has_kept = False

    @property
    def connection(self) -> Any:
        """What this task reads from as well; None while there is no transaction."""
        return self._connection

    def includes(self, pool: Pool) -> bool:
        """Whether it is the request's own task that asks, for its own database."""
        return pool is self._pool and asyncio.current_task() is self._task

    async def begin(self) -> None:
        """Begin, and claim the key; ``KeyTaken`` or ``KeyHeld`` if another has it."""
        if self._connection is not None:
            return
        borrowed = self._pool.acquire()
        connection = await borrowed.__aenter__()
        self._borrowed, self._connection = borrowed, connection
        try:
            said = await connection.execute(f"{self._pool.opening()}; {self._claim}")
        except asyncpg.LockNotAvailableError:
            await self._undo(None)
            raise KeyHeld from None
        except BaseException as error:
            await self._undo(error)
            raise
        if said != _CLAIMED:
            await self._undo(None)
            raise KeyTaken

    @asynccontextmanager
    async def block(self) -> AsyncIterator[Any]:
        """What would be a transaction by itself: all of it happens or none."""
        await self.begin()
        connection = self._connection
        saved = self._has_kept or self._inside > 0
        if saved:
            await connection.execute(_SAVE)
        self._inside += 1
        try:
            yield connection
        except BaseException as error:
            if saved and isinstance(error, Exception):
                await connection.execute(_UNDO)
            else:
                await self._undo(error)
            raise
        finally:
            self._inside -= 1
        self._has_kept = True

    async def commit(self, answer: str) -> None:
        """Keep the answer, and all that was done with it."""
        await self.begin()
        await self._end(answer)

    async def refuse(self, *, keep: bool) -> None:
        """Give the key back; with *keep* the blocks that came to their end stay."""
        if keep and self._has_kept:
            await self._end(self._release)
        else:
            await self._undo(None)

    async def _end(self, last: str) -> None:
        try:
            await transactions.commit(self._connection, f"{last} COMMIT")
        except BaseException as error:
            await self._undo(error)
            raise
        await self._give_back(None)

    async def _undo(self, error: BaseException | None) -> None:
        if self._connection is None:
            return
        try:
            # The pool may have noticed by itself that the connection is dead.
            with suppress(asyncpg.InterfaceError):
                await transactions.roll_back(self._connection)
        finally:
            await self._give_back(error)

    async def _give_back(self, error: BaseException | None) -> None:
        borrowed, self._borrowed, self._connection = self._borrowed, None, None
        self._has_kept = False
        if borrowed is None:
            return
        told = (None, None, None)
        if error is not None:
            told = (type(error), error, error.__traceback__)  # type: ignore[assignment]
        await borrowed.__aexit__(*told)


def current(pool: Pool) -> Joint | None:
    """The transaction that what is asked of *pool* is part of, if it is of one."""
    joint = _JOINT.get()
    return joint if joint is not None and joint.includes(pool) else None


@contextmanager
def joined(joint: Joint) -> Iterator[None]:
    """What this task does in the database from here on is part of *joint*."""
    token = _JOINT.set(joint)
    try:
        yield
    finally:
        _JOINT.reset(token)


@contextmanager
def apart() -> Iterator[None]:
    """What is done here stays done, whatever becomes of the request.

    For what is the process's own, and for what must not wait for an answer, with a
    connection in its hand: a guess at a password is counted before it is looked at.
    """
    token = _JOINT.set(None)
    try:
        yield
    finally:
        _JOINT.reset(token)
