"""Hashes passwords with argon2id, a few at a time, out of the way of everything else.

One hash costs 19 MiB and about 33 ms of a core, on purpose; thousands at once would
leave nothing for those who only look at products. So hashing has threads of its own
(the library lets go of the interpreter lock), they run at the lowest priority, only so
many wait in line, and beyond that ``SignInBusy`` is raised at once.
"""

import asyncio
import os
import sys
import threading
import unicodedata
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from holdfast.domain.accounts.errors import SignInBusy

T = TypeVar("T")

# OWASP's second choice for argon2id; the first (46 MiB, one pass) costs as much time
# and more memory.
MEMORY_KIB = 19_456
PASSES = 2
_LANES = 1
# So many more than are hashed at once may use the database: enough that the threads
# never wait for it, and few enough that the others have it for themselves.
_AHEAD = 2
# Far above what the rules allow. Normalising takes time that grows with the square of
# the length for some texts, so it must not begin with a megabyte.
_LONGEST = 1_024


class Hasher:
    """Threads that hash; *places* at a time, and *waiting* more in line."""

    def __init__(
        self,
        places: int = 1,
        waiting: int = 200,
        *,
        memory_kib: int = MEMORY_KIB,
        passes: int = PASSES,
    ) -> None:
        self._argon2 = argon2.PasswordHasher(
            time_cost=passes, memory_cost=memory_kib, parallelism=_LANES
        )
        self._limit = places + waiting
        self._retry_after_seconds = max(1.0, waiting / places * 0.04)
        self._inside = 0
        self._counting = threading.Lock()
        self._turns = asyncio.Semaphore(places + _AHEAD)
        self._in_line = 0
        self._threads = ThreadPoolExecutor(
            places, thread_name_prefix="hash", initializer=_yield_to_others
        )

    @property
    def inside(self) -> int:
        """How many passwords are being hashed or wait for it."""
        return self._inside

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Stand in line until a password can be looked at; ``SignInBusy`` in a rush.

        For all that a sign-in does around the hash: a thousand at once would otherwise
        stand in line for the database, and everybody else behind them.
        """
        self.check_room()
        self._in_line += 1
        try:
            async with self._turns:
                yield
        finally:
            self._in_line -= 1

    def check_room(self) -> None:
        """Raise ``SignInBusy`` if the line is full; before any other work."""
        if self._in_line >= self._limit:
            raise SignInBusy(self._retry_after_seconds)

    async def hash(self, password: str) -> str:
        """The hash of a password, as it is stored (PHC). ``SignInBusy`` in a rush."""
        return await self._run(lambda: self._argon2.hash(_bytes(password)))

    async def verify(self, phc: str | None, password: str) -> bool:
        """Whether *password* is what *phc* was made of. ``SignInBusy`` in a rush.

        Without a hash the answer is no, after the same work: whoever waits for it
        cannot tell.
        """
        return await self._run(lambda: self._verify(phc, password))

    def needs_rehash(self, phc: str) -> bool:
        """Whether *phc* was made with other costs than those of today."""
        return self._argon2.check_needs_rehash(phc)

    def close(self) -> None:
        """Finish what is being hashed, and forget who waits."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _verify(self, phc: str | None, password: str) -> bool:
        if phc is None or len(password) > _LONGEST:
            self._argon2.hash(_bytes(password))
            return False
        try:
            return self._argon2.verify(phc, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, job: Callable[[], T]) -> T:
        with self._counting:
            if self._inside >= self._limit:
                raise SignInBusy(self._retry_after_seconds)
            self._inside += 1
        try:
            future = self._threads.submit(job)
        except BaseException:
            self._leave()
            raise
        # Called once however it ends, also for a client that left the line: the
        # cancellation travels to the future, which then never starts.
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def _leave(self, _: "Future[T] | None" = None) -> None:
        with self._counting:
            self._inside -= 1


def _bytes(password: str) -> bytes:
    # NFC: the same letter has two spellings, and keyboards differ in which they type.
    # Whatever it is, a password that was typed must not be an error here.
    text = unicodedata.normalize("NFC", password[:_LONGEST])
    return text.encode("utf-8", "surrogatepass")


def _yield_to_others() -> None:
    """Let this thread run only while nobody else wants the core.

    On Linux a thread has a policy of its own. SCHED_IDLE and not niceness: a thread
    that is merely nice may keep its core for a slice of 3 ms after another became
    ready, and the slowest looks at products take longer (``holdfast bench --only L``).
    """
    if sys.platform == "linux":
        with suppress(OSError):
            thread, parameters = threading.get_native_id(), os.sched_param(0)
            os.sched_setscheduler(thread, os.SCHED_IDLE, parameters)
