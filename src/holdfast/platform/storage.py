"""Files that all processes share: a folder of this machine, or a bucket of S3.

The only file that touches obstore. Every file is in a folder, and what belongs together
is removed together, with whatever a killed process has left half written there. What
was put is there after a loss of power, too: a folder's file is on the disk, with the
folders that name it, before ``put`` returns.

A bucket is named by one setting, ``s3://bucket/prefix``; keys are given in it as in
any address (``s3://KEY:SECRET@bucket``), or found where the AWS tools find them.
Options are ``region`` and ``endpoint``, for servers that are not Amazon's. What becomes
of uploads in parts that nobody finished is for a lifecycle rule of the bucket.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

import structlog

from holdfast.kernel.errors import Unavailable

_READ_BYTES = 256 << 10
# Of one request; a part of an upload has 5 MiB. Retries are for who calls.
_REQUEST = timedelta(seconds=15)
_CONNECT = timedelta(seconds=2)
_LEAST_FREE_BYTES = 64 << 20
_NOTHING = "look/nothing"
_MARK = ".holdfast"
_log = structlog.get_logger()


@cache
def _library() -> Any:
    """obstore, once a file is wanted: 4.5 MB that processes without pictures spare."""
    import_module("obstore.store")
    import_module("obstore.exceptions")
    return import_module("obstore")


class FileMissing(Exception):
    """There is no such file."""


@dataclass(eq=False)
class StorageUnavailable(Unavailable):
    """The files of the shop cannot be reached."""

    retry_after_seconds: float | None = None


class NotReached(Exception):
    """Nobody takes the connection."""


class Failed(Exception):
    """The server failed, or said nothing that makes sense."""


class Refused(Exception):
    """The server is well and does not let us in."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Part of a file, or all of it: *start* to before *end* of *size* bytes."""

    start: int
    end: int
    size: int
    pieces: AsyncIterator[bytes]


class Storage(Protocol):
    """Where files are kept."""

    async def put(self, folder: str, name: str, content: bytes | IO[bytes]) -> None: ...

    async def load(self, folder: str, name: str) -> bytes: ...

    async def fetch(self, folder: str, name: str, to: IO[bytes]) -> None: ...

    async def look(self) -> None: ...

    async def remove(self, folder: str, name: str) -> None: ...

    async def remove_folder(self, folder: str) -> None: ...


class _Files:
    """What both have in common; raises ``FileMissing`` and ``StorageUnavailable``."""

    _chunk_bytes = 1 << 20

    @cached_property
    def _store(self) -> Any:
        raise NotImplementedError

    async def put(self, folder: str, name: str, content: bytes | IO[bytes]) -> None:
        """Keep a file whole, or not at all; what had its name is replaced."""
        try:
            with _TRANSLATED:
                await _library().put_async(
                    self._store,
                    f"{folder}/{name}",
                    content,
                    chunk_size=self._chunk_bytes,
                    max_concurrency=1,
                )
                await self._settle(folder, name)
        except FileMissing as error:
            # There is no such bucket; or a sweep was faster, and removed the folder.
            raise StorageUnavailable from error

    async def _settle(self, folder: str, name: str) -> None:
        """Wait until what was put outlasts a loss of power; a server has seen to it."""

    async def read(
        self, folder: str, name: str, start: int = 0, end: int | None = None
    ) -> Slice:
        """The bytes from *start* to before *end*; there must be some."""
        options: Any = {}
        if end is not None:
            options = {"range": (start, end)}
        elif start:
            options = {"range": {"offset": start}}
        with _TRANSLATED:
            found = await _library().get_async(
                self._store, f"{folder}/{name}", options=options
            )
        first, after = found.range
        return Slice(first, after, found.meta["size"], _pieces(found))

    async def load(self, folder: str, name: str) -> bytes:
        """All of a file that fits into memory."""
        found = await self.read(folder, name)
        return b"".join([piece async for piece in found.pieces])

    async def fetch(self, folder: str, name: str, to: IO[bytes]) -> None:
        """All of a file, into an open one."""
        found = await self.read(folder, name)
        async for piece in found.pieces:
            await asyncio.to_thread(to.write, piece)

    async def remove(self, folder: str, name: str) -> None:
        """Remove a file; if there is none, that is as well."""
        try:
            with _TRANSLATED:
                await _library().delete_async(self._store, f"{folder}/{name}")
        except FileMissing:
            return


class Folder(_Files):
    """Files in a folder of this machine, or in one that is mounted here.

    Where a folder was mounted and is not, an empty one is left. So the folder has a
    mark in it, and beside it stands a note that it has: where there is the note and no
    mark, the files are away, which is not to say that there are none.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._mark = root / _MARK
        self._note = root.with_name(f"{root.name}.kept")
        self._was_away = False

    @cached_property
    def _store(self) -> Any:
        # Not before it is needed: who only reads settings makes no folder.
        store = _library().store.LocalStore(self._root, mkdir=True)
        _keep_on_disk(self._root.parent)
        return store

    async def put(self, folder: str, name: str, content: bytes | IO[bytes]) -> None:
        """Keep a file whole, or not at all; what had its name is replaced."""
        with _TRANSLATED:
            await asyncio.to_thread(self._begin)
        await super().put(folder, name, content)

    async def read(
        self, folder: str, name: str, start: int = 0, end: int | None = None
    ) -> Slice:
        """The bytes from *start* to before *end*; there must be some."""
        try:
            return await super().read(folder, name, start, end)
        except FileMissing as error:
            if await asyncio.to_thread(self._is_away):
                raise StorageUnavailable from error
            raise

    def _begin(self) -> None:
        """Mark the folder, unless it is; ``StorageUnavailable`` if it is away."""
        if self._is_away():
            raise StorageUnavailable
        if not self._mark.exists():
            self._root.mkdir(parents=True, exist_ok=True)
            self._mark.touch()
            # Before the note: a note alone would say that the files are away.
            _keep_on_disk(self._root, self._root.parent)
        if not self._note.exists():
            self._note.touch()
            _keep_on_disk(self._note.parent)

    def _is_away(self) -> bool:
        is_away = self._note.exists() and not self._mark.exists()
        if is_away and not self._was_away:
            # Once, however many ask.
            _log.warning("files_are_away", folder=str(self._root), missing=_MARK)
        self._was_away = is_away
        return is_away

    async def _settle(self, folder: str, name: str) -> None:
        # The file has its name by now. Should the power go before this is done, nobody
        # was told of the file, and it is put again, or swept.
        inside = self._root / folder
        await asyncio.to_thread(_keep_on_disk, inside / name, inside, self._root)

    async def look(self) -> None:
        """Return if files can be kept and read now; ``StorageUnavailable``."""
        if not await asyncio.to_thread(self._is_usable):
            raise StorageUnavailable

    def _is_usable(self) -> bool:
        if self._is_away():
            return False
        place = self._root
        while not place.exists() and place != place.parent:
            place = place.parent
        try:
            room = os.statvfs(place)
        except OSError:
            return False
        free = room.f_bavail * room.f_frsize
        may = os.access(place, os.R_OK | os.W_OK | os.X_OK)
        return may and place.is_dir() and free >= _LEAST_FREE_BYTES

    async def remove(self, folder: str, name: str) -> None:
        """Remove a file, and what killed processes left half written beside it."""
        await self._be_there()
        await super().remove(folder, name)
        with _TRANSLATED:
            await asyncio.to_thread(self._remove_halves, folder)

    def _remove_halves(self, folder: str) -> None:
        # The library writes to `name#1` and renames that.
        for half in (self._root / folder).glob("*#*"):
            half.unlink(missing_ok=True)

    async def _be_there(self) -> None:
        # What is away would only seem to be removed.
        if await asyncio.to_thread(self._is_away):
            raise StorageUnavailable

    async def remove_folder(self, folder: str) -> None:
        """Remove all that is in a folder, half-written files too."""
        await self._be_there()
        await asyncio.to_thread(shutil.rmtree, self._root / folder, ignore_errors=True)
        if await asyncio.to_thread((self._root / folder).exists):
            raise StorageUnavailable


class Bucket(_Files):
    """Files in a bucket of S3, or of a server that speaks it."""

    _chunk_bytes = 5 << 20  # S3 takes no smaller part (but the last)

    def __init__(self, url: str) -> None:
        self._url = url

    @cached_property
    def _store(self) -> Any:
        parts = urlsplit(self._url)
        options: dict[str, Any] = dict(parse_qsl(parts.query))
        if parts.username:
            options["access_key_id"] = unquote(parts.username)
            options["secret_access_key"] = unquote(parts.password or "")
        endpoint = options.get("endpoint", "")
        return _library().store.S3Store(
            parts.hostname,
            prefix=parts.path.strip("/") or None,
            virtual_hosted_style_request=not endpoint,
            client_options={
                "timeout": _REQUEST,
                "connect_timeout": _CONNECT,
                "allow_http": endpoint.startswith("http://"),
            },
            retry_config={"max_retries": 0, "retry_timeout": _REQUEST},
            **options,
        )

    async def look(self) -> None:
        """Return if files can be kept and read now; ``StorageUnavailable``."""
        try:
            with _TRANSLATED:
                await _library().get_async(self._store, _NOTHING)
        except FileMissing as error:
            # That the bucket is missing is said in the same way.
            if "NoSuchBucket" in str(error.__cause__):
                raise StorageUnavailable from error

    async def remove_folder(self, folder: str) -> None:
        """Remove all that is in a folder."""
        with _TRANSLATED:
            found = await _library().list(self._store, folder).collect_async()
            if found:
                await _library().delete_async(
                    self._store, [one["path"] for one in found]
                )


def open_storage(url: str | None, root: Path) -> Storage:
    """The bucket of an address, or the folder *root*."""
    return Folder(root) if url is None else Bucket(url)


def _keep_on_disk(*paths: Path) -> None:
    """Wait until files, or the names in folders, are where no loss of power reaches."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


async def _pieces(found: Any) -> AsyncIterator[bytes]:
    with _TRANSLATED:
        async for piece in found.stream(min_chunk_size=_READ_BYTES):
            yield bytes(piece)


def why(error: StorageUnavailable) -> NotReached | Failed | Refused:
    """What it tells of the server that the files cannot be reached."""
    cause = error.__cause__
    errors = _library().exceptions
    if isinstance(cause, errors.PermissionDeniedError | errors.UnauthenticatedError):
        return Refused(str(cause))
    # The library has no class for it.
    return (NotReached if "kind: Connect" in str(cause) else Failed)(str(cause))


class _Translated:
    """What obstore raises, in words of our own."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _at: object) -> None:
        if isinstance(error, FileNotFoundError):
            raise FileMissing from error
        if isinstance(error, OSError | _library().exceptions.BaseError):
            raise StorageUnavailable from error


_TRANSLATED = _Translated()
