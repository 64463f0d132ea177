"""Hashes passwords with argon2id, a few at a time, out of the way of everything else.

One hash costs 19 MiB and about 22 ms of a core, on purpose; thousands at once would
leave nothing for those who only look at products. So a server hashes *apart*, in
processes that run only while nobody else wants the core, only so many wait in line, and
beyond that ``SignInBusy`` is raised at once.
"""

import asyncio
import json
import math
import threading
import unicodedata
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from holdfast.domain.accounts import hashing
from holdfast.domain.accounts.errors import SignInBusy
from holdfast.platform.spare_time import NoAnswer, SpareTime

T = TypeVar("T")

# OWASP's second choice for argon2id; the first (46 MiB, one pass) costs as much time
# and more memory.
MEMORY_KIB = 19_456
PASSES = 2
# So many more than are hashed at once may use the database: enough that the threads
# never wait for it, and few enough that the others have it for themselves.
_AHEAD = 2
# Far above what the rules allow. Normalising takes time that grows with the square of
# the length for some texts, so it must not begin with a megabyte.
_LONGEST = 1_024
_PROGRAM = Path(hashing.__file__)


class Hasher:
    """Hashes *places* at a time, and lets *waiting* more stand in line.

    *apart*: in a process for each place, started with its first password, instead of
    in threads of this one.
    """

    def __init__(
        self,
        places: int = 1,
        waiting: int = 200,
        *,
        memory_kib: int = MEMORY_KIB,
        passes: int = PASSES,
        apart: bool = False,
    ) -> None:
        self._costs = memory_kib, passes
        self._limit = places + waiting
        self._retry_after_seconds = max(1.0, waiting / places * 0.04)
        self._inside = 0
        self._counting = threading.Lock()
        self._turns = asyncio.Semaphore(places + _AHEAD)
        self._in_line = 0
        self._threads = ThreadPoolExecutor(places, thread_name_prefix="hash")
        self._processes = [SpareTime(_PROGRAM) for _ in range(places if apart else 0)]
        self._free = SimpleQueue[SpareTime]()
        for process in self._processes:
            self._free.put(process)

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
        if self.is_full:
            raise SignInBusy(self._retry_after_seconds)

    @property
    def is_full(self) -> bool:
        """Whether whoever wants to stand in line now finds no room."""
        return self._in_line >= self._limit

    def refusals(self) -> list[SignInBusy]:
        """What to tell those who are refused, one after the other.

        They are told to wait as long as the line takes to pass, or up to half as long
        again: refused together, they must not come back together.
        """
        least = math.ceil(self._retry_after_seconds)
        return [SignInBusy(float(s)) for s in range(least, least + least // 2 + 1)]

    async def hash(self, password: str) -> str:
        """The hash of a password, as it is stored (PHC). ``SignInBusy`` in a rush."""
        return await self._run(lambda: self._hash(_bytes(password)))

    async def verify(self, phc: str | None, password: str) -> bool:
        """Whether *password* is what *phc* was made of. ``SignInBusy`` in a rush.

        Without a hash the answer is no, after the same work: whoever waits for it
        cannot tell.
        """
        return await self._run(lambda: self._verify(phc, password))

    def needs_rehash(self, phc: str) -> bool:
        """Whether *phc* was made with other costs than those of today."""
        return hashing.argon2id(*self._costs).check_needs_rehash(phc)

    def close(self) -> None:
        """Finish what is being hashed, and forget who waits."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        for process in self._processes:
            process.close()

    def _hash(self, password: bytes) -> str:
        if self._processes:
            return str(self._ask(hashing.asked(self._costs, password)))
        return hashing.hash_(self._costs, password)

    def _verify(self, phc: str | None, password: str) -> bool:
        # Too long to be one, whatever it begins with; hashed all the same.
        known = phc if len(password) <= _LONGEST else None
        if self._processes:
            question = hashing.asked(self._costs, _bytes(password), known)
            return self._ask(question) is True
        return hashing.verify(self._costs, _bytes(password), known)

    def _ask(self, question: bytes) -> object:
        """Have it answered in another process, of which there is one a thread."""
        process = self._free.get()
        try:
            answer: object = json.loads(process.ask(question))
        except NoAnswer:
            # Nothing was looked at, so it is no guess, and may be sent again.
            raise SignInBusy(self._retry_after_seconds) from None
        finally:
            self._free.put(process)
        return answer

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
