"""Pictures in PostgreSQL: one short function for each statement.

A row is written before its file and dropped after it. So whatever file there is, some
row knows of it, however a process ended.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from holdfast.domain.media.errors import (
    MediaChanged,
    MediaInUse,
    MediaNotFound,
    UploadNotKept,
)
from holdfast.domain.media.model import Asset, Rendition, Status, Upload
from holdfast.domain.media.studio import Drawing
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.kernel.versions import Versions, are_of
from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction

_SQL = sql.load("holdfast.domain.media")
_ADD = _SQL["add"]
_ARRIVED = _SQL["arrived"]
_FIND = _SQL["find"]
_PAGE = _SQL["page"]
_DESCRIBE = _SQL["describe"]
_TAKE = _SQL["take"]
_GIVE_BACK = _SQL["give_back"]
_MARK_READY = _SQL["mark_ready"]
_MARK_FAILED = _SQL["mark_failed"]
_DRAW_AGAIN = _SQL["draw_again"]
_LOCK = _SQL["lock"]
_SHOWN_BY = _SQL["shown_by"]
_BURY = _SQL["bury"]
_GIVE_UP = _SQL["give_up"]
_TO_SWEEP = _SQL["to_sweep"]
_PUT_OFF = _SQL["put_off"]
_NOTE_SWEPT = _SQL["note_swept"]
_FORGET_SWEPT = _SQL["forget_swept"]

CLAIMED_FOR = timedelta(minutes=2)
"""How long somebody draws one picture, at the most."""

ARRIVES_WITHIN = timedelta(hours=1)
"""What has not arrived by then never will: no request lasts so long."""

SWEPT_AGAIN_AFTER = timedelta(hours=1)
"""When a folder is removed for the second time, and its row with it. A process that was
asked to draw before the first time may have been stopped, and go on after it."""

KEPT_AFTER_FAILURE = timedelta(days=7)
"""How long the upload stays of a picture that could not be drawn. What was wrong may
have been the worker, and nobody may have the file any more."""

PUT_OFF_FOR = timedelta(minutes=10)
"""When files that could not be removed are tried again; until then, others are."""


@dataclass(frozen=True, slots=True)
class Litter:
    """Files that should be no more."""

    id: UUID
    address: str
    whole: bool
    """All of the folder; or else the upload alone."""


async def add(tx: Transaction, upload: Upload, *, actor: str, at: datetime) -> None:
    """Write an upload down whose file is about to come."""
    await tx.execute(
        _ADD,
        *(upload.id, upload.address, upload.picture.kind, upload.bytes),
        *(upload.sha256, upload.file_name, upload.alt, actor, at),
    )


async def arrived(tx: Transaction, asset_id: UUID, *, at: datetime) -> Asset | None:
    """Note that the file is there; None if it was given up meanwhile."""
    row = await tx.fetchrow(_ARRIVED, asset_id, at)
    return None if row is None else _asset(row)


async def find(connection: Connection, asset_id: UUID) -> Asset:
    """A picture; ``MediaNotFound``."""
    row = await connection.fetchrow(_FIND, [asset_id])
    if row is None:
        raise MediaNotFound
    return _asset(row)


async def page(
    connection: Connection,
    *,
    after: str | None,
    limit: int,
    status: Status | None = None,
) -> Page[Asset]:
    """Pictures, latest first; raises ``BadCursor``."""
    last = None if after is None else decode_id_cursor(after)
    rows = await connection.fetch(_PAGE, last, limit + 1, status)
    items = [_asset(row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items, encode_cursor(str(items[-1].id)) if more else None)


async def lock(tx: Transaction, asset_id: UUID, *, versions: Versions) -> Asset:
    """Lock a picture that has one of these versions, also against being shown.

    Raises ``MediaNotFound``, or ``MediaChanged`` with the version it has.
    """
    row = await tx.fetchrow(_LOCK, asset_id)
    if row is None:
        raise MediaNotFound
    asset = _asset(row)
    if not are_of(asset.version, versions):
        raise MediaChanged(asset.version)
    return asset


async def describe(tx: Transaction, asset_id: UUID, alt: str, *, at: datetime) -> Asset:
    """Give a locked picture another alternative text."""
    row = await tx.fetchrow(_DESCRIBE, asset_id, alt, at)
    assert row is not None  # noqa: S101 - it is locked
    return _asset(row)


async def take(tx: Transaction, *, now: datetime) -> tuple[Asset, int] | None:
    """Claim the oldest picture that waits, and say how often it was; None if none."""
    row = await tx.fetchrow(_TAKE, now, now + CLAIMED_FOR)
    if row is None:
        return None
    values = dict(row)
    attempts = values.pop("attempts")
    return _asset(values), attempts


async def give_back(
    tx: Transaction, asset_id: UUID, *, until: datetime, problem: str | None
) -> bool:
    """Let a picture be claimed again after *until*; False if it was removed meanwhile.

    Without a *problem* of its own, as if this had not been one try.
    """
    return await tx.fetchval(_GIVE_BACK, asset_id, until, problem) is not None


async def mark_ready(
    tx: Transaction, asset_id: UUID, drawing: Drawing, *, at: datetime
) -> bool:
    """Note what was drawn; False if the picture is drawn or removed already."""
    renditions = [asdict(rendition) for rendition in drawing.renditions]
    row = await tx.fetchrow(
        _MARK_READY, asset_id, drawing.width, drawing.height, renditions, at
    )
    return row is not None


async def mark_failed(
    tx: Transaction, asset_id: UUID, problem: str, *, at: datetime
) -> None:
    """Note that a picture cannot be drawn."""
    await tx.execute(_MARK_FAILED, asset_id, problem, at)


async def draw_again(tx: Transaction, asset_id: UUID, *, at: datetime) -> Asset:
    """Let a locked picture that failed be drawn again; ``UploadNotKept``."""
    row = await tx.fetchrow(_DRAW_AGAIN, asset_id, at)
    if row is None:
        raise UploadNotKept
    return _asset(row)


async def remove(tx: Transaction, asset_id: UUID, *, at: datetime) -> None:
    """Remove a locked picture; its files go with the next sweep.

    Raises ``MediaInUse`` while a product or a collection shows it.
    """
    # By the lock, whoever was about to show it has done so, and this statement sees it.
    if shown := await tx.fetch(_SHOWN_BY, asset_id):
        raise MediaInUse(
            [row["product_id"] for row in shown if row["product_id"]],
            [row["collection_id"] for row in shown if row["collection_id"]],
        )
    await tx.execute(_BURY, asset_id, at)


async def bury(tx: Transaction, asset_id: UUID, *, at: datetime) -> None:
    """Give up an upload that nobody was told of."""
    await tx.execute(_BURY, asset_id, at)


async def give_up(tx: Transaction, *, now: datetime) -> None:
    """Give up uploads whose file never came."""
    await tx.execute(_GIVE_UP, now - ARRIVES_WITHIN, now)


async def litter(connection: Connection, *, now: datetime, limit: int) -> list[Litter]:
    """Files that should be no more, longest first; without those put off."""
    rows = await connection.fetch(
        _TO_SWEEP, now - SWEPT_AGAIN_AFTER, limit, now - KEPT_AFTER_FAILURE, now
    )
    return [Litter(row["id"], row["address"], row["whole"]) for row in rows]


async def put_off(tx: Transaction, one: Litter, *, at: datetime) -> None:
    """Leave files alone for a while that cannot be removed."""
    await tx.execute(_PUT_OFF, one.id, at + PUT_OFF_FOR)


async def note_swept(tx: Transaction, swept: Sequence[Litter], *, at: datetime) -> None:
    """Note that files are gone; a gravestone goes with its second sweep.

    *at* is from before the files were removed.
    """
    ids = [one.id for one in swept]
    await tx.execute(_FORGET_SWEPT, ids, at - SWEPT_AGAIN_AFTER)
    await tx.execute(_NOTE_SWEPT, ids, [one.whole for one in swept], at)


def _asset(row: Any) -> Asset:
    values = dict(row)
    values["renditions"] = tuple(Rendition(**one) for one in row["renditions"])
    return Asset(**values)
