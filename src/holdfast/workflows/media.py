"""Pictures on their way into the shop, and out of it.

Of the files and the rows no commit holds both, so every step leaves behind what the
next one needs, and may be done twice: a row comes before its file and goes after it.

- *upload*: the row, the file, then the row says that the file is there. An upload that
  dies in between is swept an hour later.
- *draw*: a claim of two minutes, the drawings, then the row says so. Whoever dies loses
  the claim; drawing again makes the same files. Pictures are taken one by one, oldest
  first, and not by the queue of jobs: a thousand at once would stand before the one
  place there is for drawing until their time was over. Only a verdict on the picture is
  for good; what may pass is tried again, and what is only the machine's fault for ever.
- *remove*: a gravestone. The sweep removes the folder, and an hour later once more,
  with the row: by then nobody is left who could put something into it.
"""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import IO
from uuid import UUID

import structlog

from holdfast.domain import catalog, media
from holdfast.domain.media import Asset, Upload
from holdfast.kernel.clock import Clock, Monotonic, monotonic
from holdfast.kernel.versions import Versions
from holdfast.platform import idempotency
from holdfast.platform.db import Database, Transaction
from holdfast.platform.idempotency import Answer, Claim, Resumed
from holdfast.platform.storage import FileMissing, Storage, StorageUnavailable
from holdfast.platform.vault import Vault
from holdfast.workflows.showing import show

SWEEP_AT_ONCE = 100
MAX_ATTEMPTS = 5
"""Times that a picture may come to no end (it takes whoever draws it along, or its file
is not there), before it is given up."""

_AGAIN_AFTER = timedelta(seconds=15)
# After that, 1, 4, 16 and 64 minutes: a folder may be mounted, memory be free again.
_LONGER = 4
# Less than the claim, so that nobody else begins before this one has ended.
_SECONDS = media.CLAIMED_FOR.total_seconds() - 10
_LOST = "The uploaded file is lost."
_NOBODY_TOLD = "Nobody who drew the picture lived to tell of it."
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Uploading:
    """What it takes to keep an upload."""

    db: Database
    vault: Vault
    storage: Storage
    clock: Clock
    render: Callable[[Asset], Answer]

    async def upload(
        self, upload: Upload, content: IO[bytes], *, actor: str, claim: Claim | None
    ) -> tuple[Answer, bool]:
        """Keep a picture and have it drawn; returns the answer, and is it a replay?

        Raises ``StorageUnavailable``: then nothing has happened, and the key may be
        used again.
        """
        told = await self._announce(upload, actor, claim)
        if told is not None:
            return told, True
        try:
            await self.storage.put(upload.address, media.ORIGINAL, content)
        except BaseException:
            await self._withdraw(upload, claim)
            raise
        async with self.db.transaction() as tx:
            now = self.clock()
            asset = await media.arrived(tx, upload.id, at=now)
            if asset is None:
                # It took longer than any request lasts, and was swept.
                raise StorageUnavailable
            answer = self.render(asset)
            if claim is not None:
                await idempotency.answer(tx, self.vault, claim, answer, at=now)
        return answer, False

    async def _announce(
        self, upload: Upload, actor: str, claim: Claim | None
    ) -> Answer | None:
        """Write the upload down, or say what was answered to it before."""
        while True:
            async with self.db.transaction() as tx:
                if claim is None or await idempotency.claim(
                    tx, claim, subject=upload.id, at=self.clock()
                ):
                    await media.add(tx, upload, actor=actor, at=self.clock())
                    return None
            progress = await idempotency.wait(
                self.db, self.vault, claim, clock=self.clock
            )
            if isinstance(progress, Answer):
                return progress
            if isinstance(progress, Resumed):
                # What the other left half done is swept; this begins from the start.
                async with self.db.transaction() as tx:
                    await media.add(tx, upload, actor=actor, at=self.clock())
                return None

    async def _withdraw(self, upload: Upload, claim: Claim | None) -> None:
        async with self.db.transaction() as tx:
            await media.bury(tx, upload.id, at=self.clock())
            if claim is not None:
                await idempotency.release(tx, claim)


async def describe(
    db: Database, asset_id: UUID, alt: str, *, clock: Clock, versions: Versions = None
) -> Asset:
    """Give a picture another alternative text; ``MediaNotFound``, ``MediaChanged``."""
    async with db.transaction() as tx:
        asset = await media.lock(tx, asset_id, versions=versions)
        if alt == asset.alt:
            return asset
        return await media.describe(tx, asset_id, alt, at=clock())


async def remove(
    db: Database, asset_id: UUID, *, clock: Clock, versions: Versions = None
) -> None:
    """Remove a picture; ``MediaNotFound``, ``MediaChanged``, ``MediaInUse``."""
    async with db.transaction() as tx:
        await media.lock(tx, asset_id, versions=versions)
        await media.remove(tx, asset_id, at=clock())


async def draw_again(db: Database, asset_id: UUID, *, clock: Clock) -> Asset:
    """Have a picture drawn again that failed; any other stays as it is.

    Raises ``MediaNotFound`` or ``UploadNotKept``.
    """
    async with db.transaction() as tx:
        asset = await media.lock(tx, asset_id, versions=None)
        if asset.status != "failed":
            return asset
        return await media.draw_again(tx, asset_id, at=clock())


@dataclass(frozen=True, slots=True)
class Darkroom:
    """What the worker does with pictures, and what it takes."""

    db: Database
    storage: Storage
    studio: media.Studio
    clock: Clock
    metrics: media.DrawingMetrics | None = None
    timer: Monotonic = monotonic

    async def draw_next(self) -> bool:
        """Draw the picture that has waited longest; False if none waits.

        What stopped for another's sake (storage that is away, a disk that is full, a
        file that is not there) is tried again, and raised for who looks after the
        worker.
        """
        async with self.db.transaction() as tx:
            taken = await media.take(tx, now=self.clock())
        if taken is None:
            return False
        asset, attempts = taken
        if attempts > MAX_ATTEMPTS:
            await self._fail(asset, asset.problem or _NOBODY_TOLD)
            return True
        began = self.timer()
        end: media.End = "again"
        try:
            async with asyncio.timeout(_SECONDS):
                end = "ready" if await self._draw(asset) else "failed"
        except (FileMissing, media.DrawingInterrupted) as error:
            # It may be the picture; it may be a folder that is not mounted yet.
            problem = _LOST if isinstance(error, FileMissing) else error.problem
            wait = _AGAIN_AFTER * _LONGER ** (attempts - 1)
            if not await self._give_back(asset, wait, problem):
                return True
            raise
        except (StorageUnavailable, OSError):
            # Whatever the picture is; TimeoutError is one of them.
            await self._give_back(asset, _AGAIN_AFTER)
            raise
        finally:
            if self.metrics is not None:
                self.metrics.seconds[end].observe(self.timer() - began)
        return True

    async def _draw(self, asset: Asset) -> bool:
        """Draw a picture that was taken; False if that cannot be done, now or ever."""
        with tempfile.TemporaryFile() as upload:
            await self.storage.fetch(asset.address, media.ORIGINAL, upload)
            try:
                async with self.studio.drawn(upload) as drawing:
                    await self._keep(asset, drawing)
            except media.CannotDraw as refused:
                await self._fail(asset, refused.problem)
                return False
        return True

    async def _keep(self, asset: Asset, drawing: media.Drawing) -> None:
        for rendition in drawing.renditions:
            blob = await asyncio.to_thread(drawing.blobs.read, rendition.bytes)
            await self.storage.put(asset.address, rendition.name, blob)
        await self.db.attempt(partial(self._tell, asset, drawing))
        if self.metrics is not None:
            for rendition in drawing.renditions:
                self.metrics.derived[rendition.name.rpartition(".")[2]].inc()

    async def _tell(
        self, asset: Asset, drawing: media.Drawing, tx: Transaction
    ) -> None:
        """Say that a picture is drawn, and how large it is wherever it is shown.

        The products come first, as with everybody who writes one. Who shows the picture
        only after that holds it until they are done, and is found afterwards.
        """
        await catalog.lock_showing(tx, asset.id)
        if not await media.mark_ready(tx, asset.id, drawing, at=self.clock()):
            return
        if showing := await catalog.lock_showing(tx, asset.id):
            await show(tx, showing, changed=False)

    async def _give_back(
        self, asset: Asset, wait: timedelta, problem: str | None = None
    ) -> bool:
        async with self.db.transaction() as tx:
            return await media.give_back(
                tx, asset.id, until=self.clock() + wait, problem=problem
            )

    async def _fail(self, asset: Asset, problem: str) -> None:
        _log.warning("picture_not_drawn", asset_id=str(asset.id), problem=problem)
        async with self.db.transaction() as tx:
            await media.mark_failed(tx, asset.id, problem, at=self.clock())

    async def sweep(self) -> int:
        """Remove files that should be no more; returns of how many pictures.

        ``StorageUnavailable`` in the end if some could not be removed, which are put
        off; or at once if the storage is away, and the rest is for the next time.
        """
        now = self.clock()
        async with self.db.transaction() as tx:
            await media.give_up(tx, now=now)
        found = await media.litter(self.db, now=now, limit=SWEEP_AT_ONCE)
        refused: StorageUnavailable | None = None
        for one in found:
            try:
                await self._remove(one)
            except StorageUnavailable as error:
                await self.storage.look()
                _log.warning(
                    "files_not_swept", asset_id=str(one.id), folder=one.address
                )
                async with self.db.transaction() as tx:
                    await media.put_off(tx, one, at=now)
                refused = error
                continue
            async with self.db.transaction() as tx:
                await media.note_swept(tx, [one], at=now)
            if self.metrics is not None:
                self.metrics.swept.inc()
        if refused is not None:
            raise refused
        return len(found)

    async def _remove(self, one: media.Litter) -> None:
        if one.whole:
            await self.storage.remove_folder(one.address)
        else:
            await self.storage.remove(one.address, media.ORIGINAL)
