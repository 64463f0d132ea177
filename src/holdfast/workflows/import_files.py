"""Files of products as they come, and what their senders ask of them afterwards.

A file is kept in pieces of a MiB, each in a transaction of its own: a slow sender holds
no connection and no memory. What is cut off leaves nothing behind, at the latest after
a quarter of an hour.

A request may be repeated under its key: the same file and the same wishes find the job
they have made, whatever became of it. The key is claimed by the row of the job itself,
because the file is not known before all of it has come.
"""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from holdfast.domain import imports
from holdfast.domain.imports import CHUNK_BYTES, Format, ImportFileEmpty, Job
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import DomainError
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Database
from holdfast.platform.idempotency import (
    IdempotencyKeyInProgress,
    IdempotencyKeyReused,
)

_PATIENCE_SECONDS = 12.0
_LOOK_SECONDS = 0.05
_PIECE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be made of a file."""

    format: Format
    currency: str
    overwrite_stock: bool
    actor: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """The job of a file, and whether it was there before."""

    job: Job
    replayed: bool


async def receive(
    db: Database, pieces: AsyncIterator[bytes], wanted: Wanted, *, clock: Clock
) -> Received:
    """Keep a file as it comes, for the worker to take in.

    Raises ``ImportFileEmpty``, and for a key that was used before
    ``IdempotencyKeyInProgress`` or ``IdempotencyKeyReused``.
    """
    job_id = new_id()
    async with db.transaction() as tx:
        is_new = await imports.open_job(
            tx,
            job_id,
            file_format=wanted.format,
            currency=wanted.currency,
            overwrite_stock=wanted.overwrite_stock,
            actor=wanted.actor,
            key=wanted.key,
            at=clock(),
        )
    if not is_new:
        return Received(await _again(db, pieces, wanted), replayed=True)
    try:
        digest = await _keep(db, job_id, pieces, clock)
        async with db.transaction() as tx:
            job = await imports.received(tx, job_id, digest, at=clock())
    except BaseException:
        # Whoever sent it may come again at once, under the same key.
        with suppress(DomainError):
            async with db.transaction() as tx:
                await imports.drop_unreceived(tx, job_id, before=None)
        raise
    return Received(job, replayed=False)


async def cancel(db: Database, job_id: UUID, *, clock: Clock) -> Job:
    """End a job after the batch under way; what is in stays in.

    Raises ``ImportNotFound`` or ``ImportEnded``.
    """
    async with db.transaction() as tx:
        return await imports.cancel(tx, job_id, at=clock())


async def _keep(
    db: Database, job_id: UUID, pieces: AsyncIterator[bytes], clock: Clock
) -> bytes:
    digest, waiting, number = hashlib.sha256(), bytearray(), 0
    async for piece in pieces:
        digest.update(piece)
        waiting += piece
        while len(waiting) >= CHUNK_BYTES:
            await _add(db, job_id, number, waiting, clock)
            number += 1
    if waiting:
        await _add(db, job_id, number, waiting, clock)
    elif not number:
        raise ImportFileEmpty
    return digest.digest()


async def _add(
    db: Database, job_id: UUID, number: int, waiting: bytearray, clock: Clock
) -> None:
    content = bytes(waiting[:CHUNK_BYTES])
    del waiting[:CHUNK_BYTES]
    async with db.transaction() as tx:
        await imports.add_chunk(tx, job_id, number, content, at=clock())


async def _again(db: Database, pieces: AsyncIterator[bytes], wanted: Wanted) -> Job:
    """The job that the key stands for, if this is the same file."""
    digest = hashlib.sha256()
    async for piece in pieces:
        digest.update(piece)
    job = await _settled(db, wanted)
    same = (wanted.format, wanted.currency, wanted.overwrite_stock, digest.digest())
    if same != (job.format, job.currency, job.overwrite_stock, job.sha256):
        raise IdempotencyKeyReused
    return job


async def _settled(db: Database, wanted: Wanted) -> Job:
    """The job under the key, once its own file has come."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                job = await imports.find_by_key(db, wanted.actor, wanted.key or "")
                if job is None:
                    # It was given up: whoever comes next may begin anew.
                    raise IdempotencyKeyInProgress
                if job.status != "receiving":
                    return job
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        raise IdempotencyKeyInProgress from None


class Pieces(io.RawIOBase):
    """The file of a job, for a thread to read: it fetches what it needs."""

    def __init__(self, db: Database, job_id: UUID) -> None:
        self._db = db
        self._job_id = job_id
        self._loop = asyncio.get_running_loop()
        self._at = 0
        self._number = -1
        self._piece = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset if whence == io.SEEK_SET else self._at + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        number, within = divmod(self._at, CHUNK_BYTES)
        if number != self._number:
            fetching = asyncio.run_coroutine_threadsafe(
                imports.chunk(self._db, self._job_id, number), self._loop
            )
            self._piece = fetching.result(_PIECE_SECONDS)
            self._number = number
        part = self._piece[within : within + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)
