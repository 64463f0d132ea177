"""How a transaction begins, and the three ways in which it ends.

It begins with what is left of the request's time, said to the server in the same
message: a process that is stopped or hangs cannot leave a statement behind that runs
on. It ends by a commit, by a rollback, or nobody knows how: a cancellation or a lost
connection between the commit and its answer leaves that open, so that is when a request
is never cancelled (``Budget.hold``).

The server's limits are behind ours by a few hundredths of a second: what can be
cancelled here is, and then its client is told that the time was over instead of that
the database was busy.
"""

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import asyncpg

from holdfast.platform.db_faults import CommitUnclear, drop, is_unclear
from holdfast.resilience import deadline
from holdfast.resilience.clock import Monotonic, monotonic

_ROLLBACK_SECONDS = 2.0
# What has changed something is finished, and gets at least this long for it.
FINISHING_SECONDS = 1.0
# A request that began a moment ago has as good as all of its time: telling the server
# would be two statements more in nearly every transaction there is.
_NEARLY_SECONDS = 0.1
_BEHIND_MS = 50
_FURTHER_BEHIND_MS = 80
# Limits in steps: pg_stat_statements keeps each text by itself.
_STEP_MS = 20
# A wait for a lock may take half of the time: after it there is work to be done.
_LOCK_SHARE = 0.5
_SHORT_LOCK_MS = 250


def left(timer: Monotonic = monotonic) -> float | None:
    """Seconds that may be spent in the database; None if nobody limits them."""
    seconds = deadline.remaining(timer)
    if seconds is None or seconds >= FINISHING_SECONDS:
        return seconds
    budget = deadline.current()
    if budget is not None and not budget.may_be_cut:
        return FINISHING_SECONDS
    return seconds


@dataclass(frozen=True, slots=True)
class Limits:
    """What every session of a pool allows by itself."""

    statement_seconds: float
    lock_seconds: float

    def opening(self, timer: Monotonic = monotonic) -> str:
        """``BEGIN``, and tighter limits if less time than those is left."""
        seconds = left(timer)
        if seconds is None or seconds >= self.statement_seconds - _NEARLY_SECONDS:
            return "BEGIN"
        whole = -int(-seconds * 1000 // _STEP_MS) * _STEP_MS
        lock = max(min(whole, _SHORT_LOCK_MS), int(whole * _LOCK_SHARE))
        lock = min(lock, int(self.lock_seconds * 1000))
        return (
            f"BEGIN; SET LOCAL statement_timeout = {whole + _BEHIND_MS};"
            f" SET LOCAL lock_timeout = {max(lock, 1)};"
            f" SET LOCAL transaction_timeout = {whole + _FURTHER_BEHIND_MS}"
        )


class NotCommitted(Exception):
    """The server undid what was to be committed."""


class Effect:
    """A block that has an effect in the database by its end, or may have.

    ``CommitUnclear`` if the answer was lost. A class, because it is on every commit.
    """

    __slots__ = ("_before", "_budget")

    def __enter__(self) -> None:
        budget = self._budget = deadline.current()
        if budget is not None:
            budget.hold()
            self._before = budget.stage
            budget.stage = "commit"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        unclear = error is not None and is_unclear(error)
        if self._budget is not None:
            self._budget.stage = self._before
            # What is not the driver's own was raised with the answer in hand.
            refused = isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError)
            self._budget.let_go(lasting=unclear or not refused)
        if unclear and isinstance(error, Exception):
            raise CommitUnclear from error


async def commit(connection: Any, last: str = "COMMIT") -> None:
    """Commit; *last* is what the server is told, whose last word is ``COMMIT``."""
    with Effect():
        said = await connection.execute(last)
    if said != "COMMIT":
        # A statement failed, and whoever sent it went on as if it had not.
        raise NotCommitted


async def roll_back(connection: Any) -> None:
    """Undo the transaction; a connection that cannot is ended, which undoes it too."""
    if connection.is_closed():
        return
    try:
        async with asyncio.timeout(_ROLLBACK_SECONDS):
            await connection.execute("ROLLBACK")
    except BaseException as error:
        drop(connection)
        if not isinstance(error, Exception):
            raise
