"""A hot caller's tokens are fetched several at once, and handed out from memory.

A caller who asks this process four times within 50 ms gets a *lease*: n tokens taken
from all of its buckets in one atomic step, good for 50 ms. What is not used by then
is given back. n is twice what the caller used in 50 ms, but at most, of each quota,

- half a bucket over the number of processes, ``burst / (2 * processes)``, and
- what flows in during the lease, ``rate * 50 ms``.

What it costs: tokens taken in one window may be used in the next, so in any window
of w seconds a caller may get ``burst + rate * w`` and the tokens that were leased and
unused when the window began: at most ``processes * n``, which is never more than
half a burst. Over any long time the rate is exact, for every token was taken from
the bucket. And as long as a lease is out, another process may refuse a caller who
has tokens here.

Quotas that guard credentials (``strict``) are never leased, and neither is anything
of which a lease could not serve four calls.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeAlias

from holdfast.resilience.clock import Monotonic, monotonic
from holdfast.resilience.events import RateLeased
from holdfast.resilience.rate.quota import (
    SECOND,
    Limiter,
    Quota,
    Source,
    StoreUnavailable,
    Verdict,
)

LEASE_SECONDS = 0.05
_HOT_CALLS = 4
# Callers whose calls are counted at once; the one seen longest ago is forgotten.
_WATCHED = 4_096
_Key: TypeAlias = tuple[str, tuple[str, ...]]


class LeasingStore(Limiter, Protocol):
    """Where more tokens than one call needs can be fetched, and given back."""

    async def take(
        self,
        subject: str,
        quotas: Sequence[Quota],
        cost: int = 1,
        *,
        most: int | None = None,
    ) -> Verdict:
        """Take *cost* tokens from each, or up to *most*, or none."""
        ...

    async def give(self, subject: str, quotas: Sequence[Quota], tokens: int) -> None:
        """Give back tokens that were not used."""
        ...


@dataclass(slots=True, eq=False)
class _Caller:
    quotas: tuple[Quota, ...]
    most: int
    """Tokens of the largest lease; 0 if there is none for these quotas."""
    counted_until: float
    calls: int = 0
    used: int = 0
    """Calls and tokens in this stretch of 50 ms."""
    calls_before: int = 0
    used_before: int = 0
    fetching: bool = False
    left: int = 0
    """Tokens of the lease that are unused."""
    ends_at: float = 0.0
    verdict: Verdict | None = None


class LeasingLimiter:
    """A limiter that spares the store most checks of its hottest callers."""

    def __init__(
        self,
        store: LeasingStore,
        *,
        processes: Callable[[], int],
        listen: Callable[[RateLeased], None] = lambda _event: None,
        timer: Monotonic = monotonic,
    ) -> None:
        self._store = store
        self._processes = processes
        self._listen = listen
        self._timer = timer
        self._callers: OrderedDict[_Key, _Caller] = OrderedDict()
        self._returning: set[asyncio.Task[None]] = set()

    @property
    def leased(self) -> int:
        """Tokens that are out at present, of all callers."""
        return sum(caller.left for caller in self._callers.values())

    async def take(
        self, subject: str, quotas: Sequence[Quota], cost: int = 1
    ) -> Verdict:
        """Take *cost* tokens from every quota, or from none."""
        now = self._timer()
        caller = self._caller(subject, tuple(quotas), now)
        if not caller.most or cost < 1:
            return await self._store.take(subject, quotas, cost)
        self._count(caller, cost, now)
        if caller.left >= cost and now < caller.ends_at and caller.verdict:
            caller.left -= cost
            return _told(caller.verdict, cost, caller.left, "lease")
        self._return(subject, caller)
        if (
            max(caller.calls, caller.calls_before) < _HOT_CALLS
            or caller.most < _HOT_CALLS * cost
            # One lease is enough: many at once would empty the bucket for a moment.
            or caller.fetching
        ):
            return await self._store.take(subject, quotas, cost)
        caller.fetching = True
        try:
            return await self._lease(subject, caller, cost)
        finally:
            caller.fetching = False

    async def close(self) -> None:
        """Give back what is leased, as far as there is a store to take it."""
        for (subject, _), caller in self._callers.items():
            self._return(subject, caller)
        if self._returning:
            await asyncio.wait(self._returning)

    async def _lease(self, subject: str, caller: _Caller, cost: int) -> Verdict:
        size = min(caller.most, 2 * max(caller.used, caller.used_before))
        # In a task of its own: whoever asks may be cancelled, and the tokens of the
        # lease would be lost to the caller.
        fetch = asyncio.get_running_loop().create_task(
            self._fetch(subject, caller.quotas, cost, size)
        )
        try:
            verdict = await asyncio.shield(fetch)
        except asyncio.CancelledError:
            fetch.add_done_callback(partial(self._unwanted, subject, caller.quotas))
            raise
        extra = verdict.granted - cost
        if extra <= 0:
            return verdict
        caller.left, caller.verdict = extra, verdict
        caller.ends_at = self._timer() + LEASE_SECONDS
        loop = asyncio.get_running_loop()
        loop.call_later(LEASE_SECONDS * 1.1, self._expire, subject, caller)
        self._listen(RateLeased(_names(caller.quotas), extra))
        return _told(verdict, cost, extra, "store")

    def _caller(self, subject: str, quotas: tuple[Quota, ...], now: float) -> _Caller:
        key = (subject, _names(quotas))
        caller = self._callers.get(key)
        if caller is not None and caller.quotas == quotas:
            self._callers.move_to_end(key)
            return caller
        if caller is not None:
            # The quotas have changed since.
            self._return(subject, caller)
        caller = _Caller(quotas, self._most(quotas), now + LEASE_SECONDS)
        self._callers[key] = caller
        self._callers.move_to_end(key)
        while len(self._callers) > _WATCHED:
            (other, _), forgotten = self._callers.popitem(last=False)
            self._return(other, forgotten)
        return caller

    def _most(self, quotas: tuple[Quota, ...]) -> int:
        if not quotas or any(quota.strict for quota in quotas):
            return 0
        processes = max(1, self._processes())
        during = round(LEASE_SECONDS * SECOND)
        most = min(
            min(q.burst // (2 * processes), during // q.interval) for q in quotas
        )
        return most if most >= _HOT_CALLS else 0

    def _count(self, caller: _Caller, cost: int, now: float) -> None:
        if now >= caller.counted_until:
            lately = now < caller.counted_until + LEASE_SECONDS
            caller.calls_before = caller.calls if lately else 0
            caller.used_before = caller.used if lately else 0
            caller.calls = caller.used = 0
            caller.counted_until = now + LEASE_SECONDS
        caller.calls += 1
        caller.used += cost

    def _expire(self, subject: str, caller: _Caller) -> None:
        if self._timer() >= caller.ends_at:
            self._return(subject, caller)

    def _return(self, subject: str, caller: _Caller) -> None:
        tokens, caller.left = caller.left, 0
        if tokens:
            self._give(subject, caller.quotas, tokens)

    async def _fetch(
        self, subject: str, quotas: tuple[Quota, ...], cost: int, size: int
    ) -> Verdict:
        return await self._store.take(subject, quotas, cost, most=size)

    def _unwanted(
        self, subject: str, quotas: tuple[Quota, ...], fetch: asyncio.Task[Verdict]
    ) -> None:
        if not fetch.cancelled() and fetch.exception() is None:
            self._give_later(subject, quotas, fetch.result().granted)

    def _give(self, subject: str, quotas: tuple[Quota, ...], tokens: int) -> None:
        self._listen(RateLeased(_names(quotas), -tokens))
        self._give_later(subject, quotas, tokens)

    def _give_later(self, subject: str, quotas: tuple[Quota, ...], tokens: int) -> None:
        task = asyncio.get_running_loop().create_task(
            self._give_now(subject, quotas, tokens)
        )
        self._returning.add(task)
        task.add_done_callback(self._returning.discard)

    async def _give_now(
        self, subject: str, quotas: tuple[Quota, ...], tokens: int
    ) -> None:
        try:
            await self._store.give(subject, quotas, tokens)
        except StoreUnavailable:
            # They are lost to the caller, which is the safe side.
            return


def _names(quotas: Sequence[Quota]) -> tuple[str, ...]:
    return tuple(quota.name for quota in quotas)


def _told(verdict: Verdict, cost: int, left: int, source: Source) -> Verdict:
    """What the caller is told: what is leased and unused is still its own."""
    standings = tuple(
        replace(s, remaining=s.remaining + left) for s in verdict.standings
    )
    return Verdict(allowed=True, standings=standings, source=source, granted=cost)
