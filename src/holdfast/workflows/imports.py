"""Files of products on their way in: worked off in batches, by whichever worker.

A batch is one short transaction: it holds the job at the place where the batch begins,
takes its products in, and moves the place. A process that is killed leaves the job at
the end of its last whole batch, and another goes on from there. Products that the
database refuses are found by halving their batch, so that one that is bad costs a few
transactions more and keeps no other out.

Reading and checking is done in a thread while the batch before goes in; pieces of the
file are asked for from there one by one. Memory holds one piece of a MiB and two
batches, whatever the size of the file.
"""

import asyncio
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

import structlog

from holdfast.domain import catalog, imports
from holdfast.domain.catalog import Portion, UnusableFile
from holdfast.domain.imports import (
    CHUNK_BYTES,
    MAX_FAULTS,
    Fault,
    Job,
    Link,
    Place,
    Tally,
)
from holdfast.kernel.clock import Clock, Monotonic, monotonic
from holdfast.kernel.errors import DomainError, Unavailable
from holdfast.platform.db import Database, Transaction
from holdfast.platform.giving_way import GivingWay
from holdfast.workflows.carried import Waiting, link
from holdfast.workflows.catalog import Outcome, take_in
from holdfast.workflows.import_faults import refused, told
from holdfast.workflows.import_files import Pieces

BATCH_PRODUCTS = 1_000
BATCH_VARIANTS = 4_000
BATCH_ROWS = 2_000
LINKED_AT_ONCE = 100
BATCH_BYTES = 4 << 20
"""A batch ends at whichever comes first, or when it is likely to take longer than this
many seconds, by those before it. Whoever cancels waits for no more, nor does whoever
writes one of its products; and to commit less at once takes longer for all."""
BATCH_SECONDS = 0.25

SLICE_SECONDS = 5.0
"""How long one turn at a job lasts: then the process looks whether it is to stop."""

MAX_STARTS = 5
"""So often a job may be taken up at one place: then it is what ends the processes."""

# An import goes on for minutes, beside those who read.
_GIVING_WAY = GivingWay()
_log = structlog.get_logger()


class _Superseded(Exception):
    """Somebody else went on with the job, or it was canceled."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """Parts of a file that follow on each other."""

    portions: Sequence[Portion]
    is_last: bool = False
    unusable: str | None = None
    """Why nothing can be read behind it."""


async def carry_on(
    db: Database,
    *,
    clock: Clock,
    seconds: float = SLICE_SECONDS,
    timer: Monotonic = monotonic,
) -> bool:
    """Work at the oldest job that waits for it, for a while; False if none does."""
    until = timer() + seconds
    async with db.transaction() as tx:
        claimed = await imports.claim(tx, at=clock())
    if claimed is None:
        return False
    job, starts = claimed
    pace = _Pace(timer)
    work = _Work(db, job, clock, pace)
    try:
        if starts > MAX_STARTS:
            await work.end(f"the process ended {starts - 1} times at the same place")
            return True
        reader = _batches(job, Pieces(db, job.id), pace)
        batch = await asyncio.to_thread(next, reader, None)
        while batch is not None:
            following = None
            if not batch.is_last and timer() < until:
                following = asyncio.create_task(
                    asyncio.to_thread(next, reader, None), name="read_import"
                )
            try:
                await work.do(batch)
                if batch.is_last and batch.unusable is None:
                    await work.link_up(lambda: timer() < until)
            finally:
                # A thread that is left alone would outlive its process's patience.
                batch = None if following is None else await following
    except _Superseded:
        return True
    finally:
        async with db.statement() as tx:
            await imports.release(tx, job.id)
    return True


class _Pace:
    """How large a batch may be: as much as goes in within ``BATCH_SECONDS``.

    What a product takes besides its variants counts as two of them, as it was measured.
    """

    FIRST = 500
    LEAST = 50

    def __init__(self, timer: Monotonic) -> None:
        self._timer = timer
        self.most = self.FIRST

    @contextmanager
    def taken(self, portions: Sequence[Portion]) -> Iterator[None]:
        """Look at how long a batch takes."""
        began = self._timer()
        yield
        if (weight := sum(map(weight_of, portions))) > self.LEAST:
            a_second = weight / max(self._timer() - began, 1e-3)
            # What was slow once need not be slow again.
            wanted = (self.most + int(a_second * BATCH_SECONDS)) // 2
            self.most = max(self.LEAST, wanted)


def weight_of(portion: Portion) -> int:
    """What a part of a file costs, by variants."""
    if portion.arrival is None:
        return 0
    return 2 + len(portion.arrival.draft.variants)


class _Work:
    """A job under way: where it is, and what it has come to."""

    def __init__(
        self, db: Database, job: Job, clock: Clock, pace: _Pace | None = None
    ) -> None:
        self._db = db
        self._job = job
        self._clock = clock
        self._pace = pace or _Pace(monotonic)
        self._place = job.done
        self._refused = job.tally.refused

    async def do(self, batch: _Batch) -> None:
        """Take a batch in, and end the job if nothing comes of what is behind it."""
        await self._take(batch.portions)
        if batch.unusable is not None:
            await self.end(batch.unusable)
        elif self._refused >= MAX_FAULTS:
            await self.end(f"more than {MAX_FAULTS:,} rows cannot be used")

    async def link_up(self, is_time: Callable[[], bool]) -> None:
        """Make the links that have waited for the whole file, and end the job.

        If time is up before, whoever comes next goes on with those that are left.
        """
        while waiting := await imports.links(self._db, self._job.id, LINKED_AT_ONCE):
            try:
                await self._db.attempt(partial(self._link, links=waiting))
            except (Unavailable, _Superseded):
                raise
            except Exception:  # noqa: BLE001 - one of them keeps no other out
                for one in waiting:
                    await self._link_alone(one)
            if not is_time():
                return
        await self.end(None)

    async def _link_alone(self, one: Link) -> None:
        try:
            await self._db.attempt(partial(self._link, links=[one]))
        except (Unavailable, _Superseded):
            raise
        except Exception as error:  # noqa: BLE001 - it is told with its row
            wrong = [Fault(one.line, one.handle, told(error, one.line))]
            await self._db.attempt(partial(self._link, links=[one], wrong=wrong))

    async def _link(
        self, tx: Transaction, links: Sequence[Link], wrong: Sequence[Fault] = ()
    ) -> None:
        """Make links, or tell what is wrong with them; they wait no more."""
        now, job = self._clock(), self._job
        if not await imports.hold(tx, job.id, self._place):
            raise _Superseded
        faults = [*wrong]
        if not wrong:
            lost = await link(tx, links, at=now, actor=job.actor)
            faults = [
                Fault(one.line, one.handle, "; ".join(lost[one.handle]))
                for one in links
                if one.handle in lost
            ]
        refused = (await imports.find(tx, job.id)).tally.refused
        await imports.note_faults(tx, job.id, imports.kept(faults, refused))
        await imports.drop_links(tx, job.id, links)
        since = Tally(refused=len(faults))
        await imports.advance(tx, job.id, self._place, since, at=now)

    async def end(self, failure: str | None) -> None:
        """End the job: it has failed if there is something to say of that."""
        async with self._db.transaction() as tx:
            if not await imports.hold(tx, self._job.id, self._place):
                raise _Superseded
            status = imports.outcome_of(failure)
            await imports.finish(tx, self._job.id, status, failure, at=self._clock())
        _log.info("import_ended", job=str(self._job.id), status=status)

    async def _take(self, portions: Sequence[Portion]) -> None:
        if not portions:
            return
        try:
            await self._commit(portions)
        except (Unavailable, _Superseded):
            # Not the products' fault; and the next would fare no better.
            raise
        except Exception as error:  # noqa: BLE001 - it is told with its row
            if len(portions) == 1:
                await self._take_again(portions[0], error)
                return
            middle = len(portions) // 2
            await self._take(portions[:middle])
            await self._take(portions[middle:])

    async def _take_again(self, portion: Portion, error: Exception) -> None:
        """Note why a product cannot be taken in, if that still holds.

        One that somebody made in the same instant is there by now, and is changed.
        """
        if isinstance(error, catalog.DuplicateHandle):
            try:
                await self._commit([portion])
            except Unavailable:
                raise
            except DomainError as same:
                error = same
            else:
                return
        await self._commit([refused(portion, error)])

    async def _commit(self, portions: Sequence[Portion]) -> None:
        with self._pace.taken(portions):
            since = await self._db.attempt(lambda tx: self._take_in(tx, portions))
        end = portions[-1].end
        self._place = Place(end.offset, end.lines)
        self._refused += since.refused

    async def _take_in(self, tx: Transaction, portions: Sequence[Portion]) -> Tally:
        """What one transaction does: all of it is there after a kill, or none."""
        now, job = self._clock(), self._job
        _GIVING_WAY.thread()
        _GIVING_WAY.backend(tx)
        if not await imports.hold(tx, job.id, self._place):
            raise _Superseded
        arrivals = {p.arrival.draft.handle: p.arrival for p in portions if p.arrival}
        begun: dict[str, int] = {}
        for handle, line in filter(None, (portion.begun for portion in portions)):
            begun.setdefault(handle, line)
        begun |= await imports.note_handles(tx, job.id, begun)
        faults = [
            Fault(fault.line, portion.handle, fault.message)
            for portion in portions
            for fault in portion.faults
        ]
        for handle in [h for h, one in arrivals.items() if one.line != begun[h]]:
            message = f"the product {handle!r} began already at line {begun[handle]}"
            faults.append(Fault(arrivals.pop(handle).line, handle, message))
        waiting = Waiting()
        outcomes = await take_in(
            tx,
            list(arrivals.values()),
            at=now,
            actor=job.actor,
            overwrite_stock=job.overwrite_stock,
            waiting=waiting,
        )
        if waiting.links:
            await imports.note_links(tx, job.id, [*waiting.links.values()])
        faults.sort(key=lambda fault: fault.line)
        await imports.note_faults(tx, job.id, imports.kept(faults, self._refused))
        since = _tally(outcomes, len(faults))
        end = portions[-1].end
        await imports.advance(tx, job.id, Place(end.offset, end.lines), since, at=now)
        return since


def _tally(outcomes: Sequence[Outcome], refused: int) -> Tally:
    counted = Counter(outcomes)
    return Tally(
        counted[Outcome.CREATED],
        counted[Outcome.UPDATED],
        counted[Outcome.UNCHANGED],
        refused,
    )


def _batches(
    job: Job, pieces: io.RawIOBase, pace: _Pace | None = None
) -> Iterator[_Batch]:
    """The rest of a file; runs in a thread."""
    pace = pace or _Pace(monotonic)
    _GIVING_WAY.thread()
    file: Any = io.BufferedReader(pieces, CHUNK_BYTES)
    waiting = _Waiting(job.done.offset, pace.most)
    try:
        for portion in _portions(job, file):
            if not waiting.takes(portion):
                yield _Batch(waiting.all)
                _GIVING_WAY.thread()
                waiting = _Waiting(waiting.end, pace.most)
            waiting.add(portion)
    except UnusableFile as error:
        yield _Batch(waiting.all, is_last=True, unusable=str(error))
        return
    yield _Batch(waiting.all, is_last=True)


def _portions(job: Job, file: BinaryIO) -> Iterator[Portion]:
    start = catalog.Place(job.done.offset, job.done.lines)
    if job.format == "jsonl":
        return catalog.jsonl_portions(file, start=start)
    return catalog.shopify_portions(file, currency=job.currency, start=start)


class _Waiting:
    """What is to be a batch."""

    def __init__(self, offset: int, most: int) -> None:
        self.all: list[Portion] = []
        self._weight, self._most = 0, most
        self.end = self._began = offset
        self._skus = set[str]()
        self._handles = set[str]()

    def takes(self, portion: Portion) -> bool:
        """Whether a part still belongs to it."""
        if (
            len(self.all) >= BATCH_ROWS
            or len(self._handles) >= BATCH_PRODUCTS
            or self.end - self._began >= BATCH_BYTES
            or self._weight >= self._most
        ):
            return False
        if portion.arrival is None or not self._skus:
            return True
        # The same SKU twice in one batch could not be told apart from a change.
        skus = {variant.sku for variant in portion.arrival.draft.variants}
        return (
            portion.arrival.draft.handle not in self._handles
            and self._skus.isdisjoint(skus)
            and len(self._skus) + len(skus) <= BATCH_VARIANTS
        )

    def add(self, portion: Portion) -> None:
        self.all.append(portion)
        self.end = portion.end.offset
        self._weight += weight_of(portion)
        if portion.arrival is not None:
            self._handles.add(portion.arrival.draft.handle)
            self._skus |= {v.sku for v in portion.arrival.draft.variants}
