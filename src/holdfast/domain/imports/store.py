"""Import jobs in PostgreSQL: their files, how far they are, and what was refused."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from holdfast.domain.imports.errors import ImportEnded, ImportNotFound
from holdfast.domain.imports.model import (
    Ending,
    Fault,
    Format,
    Job,
    Link,
    NumberedFault,
    Place,
    Tally,
)
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction

_SQL = sql.load("holdfast.domain.imports")
_OPEN_JOB = _SQL["open_job"]
_ADD_CHUNK = _SQL["add_chunk"]
_RECEIVED = _SQL["received"]
_DROP_UNRECEIVED = _SQL["drop_unreceived"]
_FIND = _SQL["find"]
_FIND_BY_KEY = _SQL["find_by_key"]
_PAGE = _SQL["page"]
_CLAIM = _SQL["claim"]
_HOLD = _SQL["hold"]
_ADVANCE = _SQL["advance"]
_RELEASE = _SQL["release"]
_FINISH = _SQL["finish"]
_CANCEL = _SQL["cancel"]
_CHUNK = _SQL["chunk"]
_NOTE_FAULTS = _SQL["note_faults"]
_NOTE_HANDLES = _SQL["note_handles"]
_NOTE_LINKS = _SQL["note_links"]
_LINKS = _SQL["links"]
_DROP_LINKS = _SQL["drop_links"]
_FAULTS = _SQL["faults"]
_FORGET_FILES = _SQL["forget_files"]
_FORGET_HANDLES = _SQL["forget_handles"]
_FORGET_JOBS = _SQL["forget_jobs"]

LEASE = timedelta(seconds=15)
"""After so long without a sign of whoever works at a job, another goes on with it."""

SILENCE = timedelta(minutes=15)
"""A file of which nothing came for so long does not come any more."""

KEPT = timedelta(days=30)
"""How long one can ask what became of a job."""

_FILES_AT_ONCE = 32


async def open_job(
    tx: Transaction,
    job_id: UUID,
    *,
    file_format: Format,
    currency: str,
    overwrite_stock: bool,
    actor: str,
    key: str | None,
    at: datetime,
) -> bool:
    """Begin to receive a file; False if *actor* has used the *key* before."""
    said = (job_id, file_format, currency, overwrite_stock, actor, key, at)
    return await tx.fetchrow(_OPEN_JOB, *said) is not None


async def add_chunk(
    tx: Transaction, job_id: UUID, number: int, content: bytes, *, at: datetime
) -> None:
    """Keep a piece of the file; ``ImportEnded`` if nobody waits for it any more."""
    if await tx.fetchrow(_ADD_CHUNK, job_id, number, content, at) is None:
        raise ImportEnded("canceled")


async def received(
    tx: Transaction, job_id: UUID, sha256: bytes, *, at: datetime
) -> Job:
    """The whole file is there; ``ImportEnded`` if nobody waited for it."""
    row = await tx.fetchrow(_RECEIVED, job_id, sha256, at)
    if row is None:
        raise ImportEnded("canceled")
    return _job(row)


async def drop_unreceived(
    tx: Transaction, job_id: UUID | None, *, before: datetime | None
) -> int:
    """Forget jobs whose file did not come, with what came of it; returns how many."""
    return len(await tx.fetch(_DROP_UNRECEIVED, job_id, before))


async def find(connection: Connection, job_id: UUID) -> Job:
    """One job; ``ImportNotFound``."""
    row = await connection.fetchrow(_FIND, job_id)
    if row is None:
        raise ImportNotFound
    return _job(row)


async def find_by_key(connection: Connection, actor: str, key: str) -> Job | None:
    row = await connection.fetchrow(_FIND_BY_KEY, actor, key)
    return None if row is None else _job(row)


async def page(connection: Connection, *, after: str | None, limit: int) -> Page[Job]:
    """Jobs, newest first."""
    last = None if after is None else decode_id_cursor(after)
    rows = await connection.fetch(_PAGE, last, limit + 1)
    items = [_job(row) for row in rows[:limit]]
    if len(rows) <= limit:
        return Page(items, None)
    return Page(items, encode_cursor(str(items[-1].id)))


async def claim(tx: Transaction, *, at: datetime) -> tuple[Job, int] | None:
    """Take up the oldest job that nobody works at.

    With it comes how often that was done since the job last went on: more than once
    only if whoever did it has died.
    """
    row = await tx.fetchrow(_CLAIM, at, at + LEASE)
    return None if row is None else (_job(row), row["starts"])


async def hold(tx: Transaction, job_id: UUID, place: Place) -> bool:
    """Lock a job for a batch that begins at *place*.

    False if it was canceled, or somebody else went on from there.
    """
    return await tx.fetchrow(_HOLD, job_id, place.offset) is not None


async def advance(
    tx: Transaction, job_id: UUID, done: Place, since: Tally, *, at: datetime
) -> None:
    """Write down what a held job has come to."""
    await tx.execute(
        _ADVANCE,
        job_id,
        *(done.offset, done.lines),
        *(since.created, since.updated, since.unchanged, since.refused),
        at + LEASE,
        at,
    )


async def release(tx: Transaction, job_id: UUID) -> None:
    """Leave a job to whoever comes next."""
    await tx.execute(_RELEASE, job_id)


async def finish(
    tx: Transaction,
    job_id: UUID,
    status: Ending,
    failure: str | None,
    *,
    at: datetime,
) -> None:
    """End a held job."""
    await tx.execute(_FINISH, job_id, status, failure, at)


async def cancel(tx: Transaction, job_id: UUID, *, at: datetime) -> Job:
    """End a job where it is; ``ImportNotFound`` or ``ImportEnded``."""
    row = await tx.fetchrow(_CANCEL, job_id, at)
    if row is None:
        raise ImportEnded((await find(tx, job_id)).status)
    return _job(row)


async def chunk(connection: Connection, job_id: UUID, number: int) -> bytes:
    """A piece of a file; empty behind its end."""
    return await connection.fetchval(_CHUNK, job_id, number) or b""


async def note_faults(
    tx: Transaction, job_id: UUID, noted: Sequence[NumberedFault]
) -> None:
    """Keep what was refused."""
    await tx.execute(
        _NOTE_FAULTS,
        job_id,
        [one.number for one in noted],
        [one.fault.line for one in noted],
        [one.fault.handle for one in noted],
        [one.fault.message for one in noted],
    )


async def note_handles(
    tx: Transaction, job_id: UUID, line_by_handle: Mapping[str, int]
) -> dict[str, int]:
    """Note where products begin; returns where those did whose handle was there."""
    rows = await tx.fetch(
        _NOTE_HANDLES, job_id, list(line_by_handle), list(line_by_handle.values())
    )
    return {row["handle"]: row["line"] for row in rows}


async def note_links(tx: Transaction, job_id: UUID, noted: Sequence[Link]) -> None:
    """Keep what leads to products that are not there yet."""
    await tx.execute(_NOTE_LINKS, job_id, noted)


async def links(connection: Connection, job_id: UUID, limit: int) -> list[Link]:
    """Some of what waits for the end of the file."""
    return [
        Link(
            row["handle"],
            row["line"],
            None if row["related"] is None else tuple(row["related"]),
            row["references"],
        )
        for row in await connection.fetch(_LINKS, job_id, limit)
    ]


async def drop_links(tx: Transaction, job_id: UUID, done: Sequence[Link]) -> None:
    """Let these wait no more."""
    await tx.execute(_DROP_LINKS, job_id, [one.handle for one in done])


async def faults(
    connection: Connection, job_id: UUID, *, after: int, limit: int
) -> list[NumberedFault]:
    """What was refused, in the order of the file, from behind a number."""
    rows = await connection.fetch(_FAULTS, job_id, after, limit)
    return [
        NumberedFault(row["number"], Fault(row["line"], row["handle"], row["message"]))
        for row in rows
    ]


async def forget(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Drop up to *limit* rows that nobody needs any more; returns *limit* for more.

    Files and notes of jobs that have ended, jobs whose file did not come, and after
    ``KEPT`` the jobs.
    """
    dropped = await drop_unreceived(tx, None, before=now - SILENCE)
    # A piece is a MiB, and what is called short must be.
    files = len(await tx.fetch(_FORGET_FILES, _FILES_AT_ONCE))
    if files == _FILES_AT_ONCE:
        return limit
    dropped += files + len(await tx.fetch(_FORGET_HANDLES, limit))
    if dropped < limit:
        dropped += len(await tx.fetch(_FORGET_JOBS, now - KEPT, limit - dropped))
    return min(dropped, limit)


def _job(row: Row) -> Job:
    return Job(
        id=row["id"],
        format=row["format"],
        currency=row["currency"],
        overwrite_stock=row["overwrite_stock"],
        status=row["status"],
        actor=row["actor"],
        sha256=row["sha256"],
        size_bytes=row["size_bytes"],
        done=Place(row["done_bytes"], row["done_lines"]),
        tally=Tally(row["created"], row["updated"], row["unchanged"], row["refused"]),
        failure=row["failure"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        finished_at=row["finished_at"],
    )
