"""Files behind a circuit, and within limits of time, whoever keeps them.

What another server keeps may hang, or be gone. Each call has so long and is tried
again, since all of them may be repeated: a file is put whole or not at all. A bucket
that has been failing is left alone, so that whoever asks is told within a millisecond.
A folder of this machine has the limits of time only: a full disk can still be read.
"""

import io
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import IO, Any, Protocol, TypeAlias, TypeVar, cast

from holdfast.kernel.clock import Monotonic, monotonic
from holdfast.platform.dependencies import STORAGE
from holdfast.platform.guard import Guard
from holdfast.platform.storage import (
    Failed,
    FileMissing,
    NotReached,
    Refused,
    Storage,
    StorageUnavailable,
    open_storage,
    why,
)
from holdfast.resilience.deadline import Deadline
from holdfast.resilience.errors import NotEnoughTime, Rejected, TimedOut
from holdfast.resilience.pipeline import Pipeline

T = TypeVar("T")

Observe: TypeAlias = Callable[[str, str, float], None]
"""Told of each attempt: the operation, how it ended, and its seconds."""

SHORT_SECONDS = 4.0
"""To read a picture, of 5 MB at the most, or to remove one."""
SHORT_IN_ALL_SECONDS = 9.0
"""For all attempts; a browser's request for a picture has ten."""
LONG_SECONDS = 30.0
"""To put an upload of 20 MiB, or to fetch it: 6 megabits a second suffice."""
LONG_IN_ALL_SECONDS = 60.0
LOOK_SECONDS = 0.9
"""To look whether it is there; who asks for the health of a process has a second."""


class Around(Protocol):
    """Policies for calls that may take so long, each and in all."""

    def __call__(self, seconds: float, in_all: float | None, /) -> Pipeline: ...


class Guarded:
    """Files that are kept somewhere, and what stands around each call.

    Raises ``FileMissing``, and ``StorageUnavailable`` with when to come again.
    """

    def __init__(
        self,
        kept: Storage,
        around: Around,
        *,
        observe: Observe | None = None,
        timer: Monotonic = monotonic,
    ) -> None:
        self.kept = kept
        self._short = around(SHORT_SECONDS, SHORT_IN_ALL_SECONDS)
        self._long = around(LONG_SECONDS, LONG_IN_ALL_SECONDS)
        self._look = around(LOOK_SECONDS, None)
        self._observe = observe
        self._timer = timer

    async def put(self, folder: str, name: str, content: bytes | IO[bytes]) -> None:
        """Keep a file whole, or not at all; an open one from its beginning."""

        async def attempt() -> None:
            if isinstance(content, bytes):
                await self.kept.put(folder, name, content)
                return
            with Anew(content) as file:
                await self.kept.put(folder, name, cast("IO[bytes]", file))

        await self._call("put", self._long, attempt)

    async def load(self, folder: str, name: str) -> bytes:
        """All of a file that fits into memory."""
        return await self._call(
            "load", self._short, lambda: self.kept.load(folder, name)
        )

    async def fetch(self, folder: str, name: str, to: IO[bytes]) -> None:
        """All of a file, into an open one."""

        async def attempt() -> None:
            to.seek(0)
            to.truncate()
            await self.kept.fetch(folder, name, to)

        await self._call("fetch", self._long, attempt)

    async def remove(self, folder: str, name: str) -> None:
        """Remove a file; if there is none, that is as well."""
        await self._call("remove", self._short, lambda: self.kept.remove(folder, name))

    async def remove_folder(self, folder: str) -> None:
        """Remove all that is in a folder."""
        await self._call("remove", self._short, lambda: self.kept.remove_folder(folder))

    async def look(self) -> None:
        """Return if files can be kept and read now."""
        await self._call("look", self._look, self.kept.look)

    async def _call(
        self,
        operation: str,
        protect: Pipeline,
        call: Callable[[], Awaitable[T]],
    ) -> T:
        tried = False

        async def attempt() -> T:
            nonlocal tried
            tried = True
            started, word = self._timer(), "unavailable"
            try:
                result = await _told(call)
                word = "done"
            except FileMissing:
                word = "missing"
                raise
            finally:
                if self._observe is not None:
                    self._observe(operation, word, self._timer() - started)
            return result

        try:
            return await protect(attempt)
        except (NotReached, Failed, Refused, Rejected, TimedOut) as error:
            if isinstance(error, NotEnoughTime) and not tried:
                # The client's own limit, and nothing is known of the storage.
                raise
            wait = getattr(error, "retry_after_seconds", None)
            raise StorageUnavailable(wait) from error


class Anew(io.RawIOBase):
    """An open file from its beginning, whoever else is reading it and where.

    An attempt that was given up may read on for a moment: it has a descriptor and a
    place of its own.
    """

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._descriptor = os.dup(file.fileno())
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at}.get(whence)
        if start is None:
            start = os.fstat(self._descriptor).st_size
        self._at = start + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        count = os.preadv(self._descriptor, [buffer], self._at)
        self._at += count
        return count

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


def open_guarded(
    url: str | None, root: Path, guard: Guard, *, observe: Observe | None = None
) -> Guarded:
    """The bucket of an address, behind its circuit, or the folder *root*."""
    around = in_time if url is None else behind(guard)
    return Guarded(open_storage(url, root), around, observe=observe)


def in_time(seconds: float, _in_all: float | None) -> Pipeline:
    """Only a limit of time, for one attempt."""
    return Pipeline(Deadline(seconds, stage=STORAGE))


def behind(guard: Guard) -> Around:
    """All that stands around calls to another server."""

    def around(seconds: float, in_all: float | None) -> Pipeline:
        return guard.around(
            timeout_seconds=seconds,
            total_seconds=in_all,
            failures=(Failed,),
            unreachable=(NotReached,),
            answers=(FileMissing, Refused),
            again_after=(Failed, NotReached),
        )

    return around


async def _told(call: Callable[[], Awaitable[T]]) -> T:
    """The result of a call, or what its failure tells of the server."""
    try:
        return await call()
    except StorageUnavailable as error:
        raise why(error) from error
