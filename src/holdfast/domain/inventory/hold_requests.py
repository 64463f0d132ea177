"""Holding stock for carts, many of which may want the same few units.

Each request takes the cheapest way that can be right:

- what was just found to be sold out is refused from memory (``sold_out``);
- what many want at once waits for the next batch (``combiner``), on connections of its
  own, so that it takes none from everybody else;
- everything else is one statement.

A request that cannot be decided now is ``ReservationsBusy``, never sold out. Asking
again with the same lines renews the hold: a holder gets nothing twice.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from holdfast.domain.inventory import holds, reservations
from holdfast.domain.inventory.combiner import Combiner, busy
from holdfast.domain.inventory.combining import Denied, Request
from holdfast.domain.inventory.errors import OutOfStock, ReservationsBusy
from holdfast.domain.inventory.heat import Heat
from holdfast.domain.inventory.holds import Held
from holdfast.domain.inventory.metrics import HoldMetrics, Outcome, Path
from holdfast.domain.inventory.model import Shortage, Wanted, summed
from holdfast.domain.inventory.sold_out import SoldOutMemory
from holdfast.kernel.clock import Clock, Monotonic, monotonic
from holdfast.platform.db import (
    ConstraintViolated,
    Database,
    DatabaseBusy,
    DatabaseUnavailable,
)

MAX_CONNECTIONS = 2
"""That all hot SKUs of a process use together."""
_PATIENCE_SECONDS = 2.0
_MEASURE_SECONDS = 2.0
_GATE: Path = "gate"
_BATCH: Path = "batch"
_DIRECT: Path = "direct"


class Holding:
    """Holds stock for one process."""

    def __init__(
        self,
        db: Database,
        hot_db: Database,
        *,
        lasts: timedelta,
        clock: Clock,
        metrics: HoldMetrics,
        timer: Monotonic = monotonic,
    ) -> None:
        self._db = db
        self._hot_db = hot_db
        self._lasts = lasts
        self._clock = clock
        self._timer = timer
        self._metrics = metrics
        self._combiner: Combiner[Held | Denied] = Combiner(
            self._run, at_once=MAX_CONNECTIONS
        )
        self._heat = Heat(timer=timer)
        self._sold_out = SoldOutMemory(timer=timer)
        self._looking = set[UUID]()
        self._at_work: dict[UUID, asyncio.Future[None]] = {}
        self._measuring: asyncio.TimerHandle | None = None

    async def close(self) -> None:
        """See to its end what has begun."""
        if self._measuring is not None:
            self._measuring.cancel()
        await self._combiner.close()

    @property
    def any_hot(self) -> bool:
        """Whether anything is hot, or was until just now."""
        return self._heat.any_hot

    def is_hot(self, variants: Sequence[UUID]) -> bool:
        """Whether requests for any of these are combined."""
        return self._heat.is_hot(variants)

    def note(self, variants: Sequence[UUID]) -> None:
        """Somebody reserved these without a hold: that counts as well."""
        self._heat.ask(variants)

    def waited(self, variants: Sequence[UUID], seconds: float) -> None:
        """The locks of these took so long to be had, by whatever reserved them."""
        self._heat.waited(variants, seconds)
        self._metrics.lock_wait_seconds.observe(seconds)

    def check(self, wanted: Sequence[Wanted], holders: Sequence[UUID]) -> None:
        """Raise ``OutOfStock`` if some of it is remembered to be sold out.

        Not if one of *holders* has some of it already.
        """
        lines = summed(wanted)
        pairs = [(line.variant_id, line.quantity) for line in lines]
        if short := self._sold_out.shortages(holders, pairs):
            self._count("insufficient")
            raise _out_of_stock(lines, short)

    async def hold(
        self,
        holder_id: UUID,
        wanted: Sequence[Wanted],
        *,
        customer: Hashable,
        lasts: timedelta | None = None,
    ) -> Held:
        """Let *holder_id* hold what is wanted, instead of what it held: all or nothing.

        *customer* is who stands behind it: when not all can be served at once, they
        take turns. Raises ``OutOfStock`` or ``ReservationsBusy``; then the holder has
        what it had before. A caller that is cancelled may find that it holds it.
        """
        lines = summed(wanted) if len(wanted) > 1 else list(wanted)
        pairs = tuple((line.variant_id, line.quantity) for line in lines)
        started, path = self._timer(), _GATE
        try:
            short = self._sold_out.shortages((holder_id,), pairs)
            if not short:
                path = _BATCH if self._heat.ask(v for v, _ in pairs) else _DIRECT
                request = Request(holder_id, customer, pairs, lasts or self._lasts)
                said = await self._decide(request, lines, path)
                if isinstance(said, Held):
                    self._count("duplicate" if said.is_same else "granted")
                    return said
                if not said.is_sure:
                    raise busy()
                short = said.available
                await self._look(short)
            self._count("insufficient")
            raise _out_of_stock(lines, short)
        except ReservationsBusy:
            self._count("busy")
            raise
        except DatabaseUnavailable:
            self._count("failed")
            raise
        finally:
            self._metrics.seconds[path].observe(self._timer() - started)

    async def release(self, holder_id: UUID) -> bool:
        """Give back what it holds; False if that is nothing."""
        async with self._alone(holder_id), self._db.statement() as tx:
            variants = await reservations.release(tx, holder_id, at=self._clock())
        if variants:
            # Who gives back here need not wait for what is remembered to be over.
            self._sold_out.forget(variants)
            self._count("released")
        return bool(variants)

    async def _decide(
        self, request: Request, lines: Sequence[Wanted], path: Path
    ) -> Held | Denied:
        async with self._alone(request.holder_id):
            if path == _BATCH:
                return await self._combiner.ask(request)
            return await self._run_alone(request, lines)

    async def _run_alone(
        self, request: Request, lines: Sequence[Wanted]
    ) -> Held | Denied:
        """One statement of its own; tried again when it met another of this holder."""
        for _ in range(2):
            try:
                async with (
                    asyncio.timeout(_PATIENCE_SECONDS),
                    self._db.statement() as tx,
                ):
                    said, waited = await holds.hold(
                        *(tx, request.holder_id, lines),
                        at=self._clock(),
                        lasts=request.lasts,
                    )
            except ConstraintViolated:
                continue
            except (DatabaseBusy, TimeoutError) as error:
                raise busy() from error
            if waited is not None:
                self.waited([line.variant_id for line in lines], waited)
            return said
        raise busy()

    async def _run(self, requests: Sequence[Request]) -> Sequence[Held | Denied]:
        """One batch, in one transaction."""
        started = self._timer()
        async with self._hot_db.transaction() as tx:
            decided = await holds.decide(tx, requests, at=self._clock())
        self._metrics.batch_size.observe(len(requests))
        self._metrics.batch_seconds.observe(self._timer() - started)
        if decided.expired:
            self._count("expired", decided.expired)
        if self._measuring is None:
            self._measure()
        return decided.outcomes

    def _measure(self) -> None:
        """Say how many are hot, and again while some are."""
        self._metrics.hot_skus.set(self._heat.hot)
        self._measuring = None
        if self._heat.any_hot:
            loop = asyncio.get_running_loop()
            self._measuring = loop.call_later(_MEASURE_SECONDS, self._measure)

    async def _look(self, short: Iterable[UUID]) -> None:
        """Find out what is left, once for all that were refused at the same time."""
        unknown = [
            variant
            for variant in short
            if variant not in self._looking and not self._sold_out.knows(variant)
        ]
        if not unknown:
            return
        self._looking.update(unknown)
        read_at = self._timer()
        try:
            found = await holds.left_of(self._db, unknown)
        except (DatabaseBusy, DatabaseUnavailable):
            # It only spares the next ones the way: they will find out themselves.
            return
        finally:
            self._looking.difference_update(unknown)
        self._sold_out.learn(found, read_at=read_at)

    @asynccontextmanager
    async def _alone(self, holder_id: UUID) -> AsyncIterator[None]:
        """One request of a holder at a time: two tabs must not both add to its hold."""
        while (other := self._at_work.get(holder_id)) is not None:
            await asyncio.shield(other)
        done = self._at_work[holder_id] = asyncio.get_running_loop().create_future()
        try:
            yield
        finally:
            del self._at_work[holder_id]
            done.set_result(None)

    def _count(self, outcome: Outcome, by: int = 1) -> None:
        self._metrics.outcome[outcome].inc(by)


def _out_of_stock(lines: Sequence[Wanted], short: Mapping[UUID, int]) -> OutOfStock:
    return OutOfStock(
        [
            Shortage(line.sku, line.quantity, short[line.variant_id])
            for line in lines
            if line.variant_id in short
        ]
    )
