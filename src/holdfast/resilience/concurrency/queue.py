"""Who waits for a permit, in which order, and who is let go.

One bucket for each tier of priority; a lower tier is served only while the higher ones
are empty. Within a tier the order is that of arrival, until the bucket has not been
empty for an interval: then those in front have waited so long that their callers are
about to give up, and serving them first would make everybody late. So a standing
bucket serves the newest first (Facebook's adaptive LIFO) and lets go at the front.

A *level* is ``tier * 128 + cohort``. Cohorts do not change the order of service; they
decide who goes when the queue is full: the lowest level of all that wait, newcomer
included. With cohorts made from the caller and the hour, the same callers are turned
away everywhere for an hour, and nobody gets half way through a checkout.

Up to twice the limit may wait; from there to three times the limit more and more are
turned away, so that a growing queue is felt before it is full. Whoever waits longer
than that many calls take is not helped by waiting.

Pure: instants, chance and the limit are arguments, and what is waiting is the
caller's. Nothing is timed; deadlines are looked at when somebody is taken.
"""

import random
from collections.abc import Callable
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from holdfast.resilience.concurrency.bucket import Bucket, Entry
from holdfast.resilience.concurrency.codel import TARGET_SECONDS

T = TypeVar("T")

TIERS = 5


class Reason(StrEnum):
    """Why somebody no longer waits without having been served."""

    FULL = "full"
    CODEL = "codel"
    DEADLINE = "deadline"
    DISCONNECT = "disconnect"


class Dropped(NamedTuple, Generic[T]):
    """Somebody who will not be served."""

    entry: Entry[T]
    reason: Reason


class Queue(Generic[T]):
    """Those who wait for a permit."""

    def __init__(
        self,
        *,
        tiers: int = TIERS,
        shed_from: float = 2.0,
        shed_all: float = 3.0,
        target_seconds: float = TARGET_SECONDS,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Begin empty.

        From *shed_from* limits' worth of waiting on a newcomer costs somebody's
        place, with a likelihood that is 1 at *shed_all*. Whoever waits twice
        *target_seconds* while nobody waits less than that is let go.
        """
        if not 0 <= shed_from < shed_all:
            raise ValueError("shedding begins before it is complete")
        self._tiers = [Bucket[T](target_seconds=target_seconds) for _ in range(tiers)]
        self._shed_from = shed_from
        self._shed_all = shed_all
        self._chance = chance
        self._length = 0
        self._spare_seconds = 0.0

    def __len__(self) -> int:
        return self._length

    @property
    def tiers(self) -> int:
        """How many tiers there are."""
        return len(self._tiers)

    def depth(self, tier: int) -> int:
        """How many of *tier* wait."""
        return len(self._tiers[tier])

    def is_standing(self, tier: int, now: float) -> bool:
        """Whether *tier* serves the newest first."""
        return self._tiers[tier].is_standing(now)

    def tune(self, p50_seconds: float, p90_seconds: float) -> None:
        """Say how long the calls take that are waited for."""
        self._spare_seconds = p50_seconds
        for bucket in self._tiers:
            bucket.codel.tune(p50_seconds, p90_seconds)

    def join(self, entry: Entry[T], limit: int) -> Entry[T] | None:
        """Let *entry* wait; who lost their place for it, perhaps itself."""
        loser: Entry[T] | None = None
        if self._is_shedding(limit):
            loser = self._lowest()
            if loser is None or loser.level <= entry.level:
                # Among equals the one that has not waited yet loses least.
                return entry
            self.leave(loser)
        self._tiers[entry.tier].add(entry)
        self._length += 1
        return loser

    def leave(self, entry: Entry[T]) -> None:
        """Forget *entry*, which waits."""
        self._tiers[entry.tier].remove(entry)
        self._length -= 1

    def take(
        self, now: float, tier: int | None = None
    ) -> tuple[Entry[T] | None, list[Dropped[T]]]:
        """Whose turn it is, of *tier* or of all, and who was let go on the way.

        Nobody comes back whose deadline leaves no time for a middling call, or whose
        caller has left.
        """
        dropped: list[Dropped[T]] = []
        for bucket in self._tiers if tier is None else (self._tiers[tier],):
            while bucket:
                self._trim(bucket, now, dropped)
                if not bucket:
                    break
                newest_first = bucket.is_standing(now)
                entry = bucket.newest() if newest_first else bucket.oldest()
                self.leave(entry)
                reason = self._unfit(entry, now)
                if reason is None:
                    return entry, dropped
                dropped.append(Dropped(entry, reason))
        return None, dropped

    def expire(self, now: float) -> list[Dropped[T]]:
        """Let go everybody whom it is too late to serve.

        For the times in which nobody is taken because every call under way hangs.
        Looks at everybody.
        """
        dropped: list[Dropped[T]] = []
        for bucket in self._tiers:
            self._trim(bucket, now, dropped)
            for entry in list(bucket.waiting):
                reason = self._unfit(entry, now)
                if reason is not None:
                    self.leave(entry)
                    dropped.append(Dropped(entry, reason))
        return dropped

    def _trim(self, bucket: Bucket[T], now: float, dropped: list[Dropped[T]]) -> None:
        """Let go at the front of *bucket* as long as it stands too long."""
        while bucket:
            entry = bucket.oldest()
            if not bucket.codel.lets_go(now - entry.entered_at, now):
                return
            self.leave(entry)
            dropped.append(Dropped(entry, Reason.CODEL))

    def _unfit(self, entry: Entry[T], now: float) -> Reason | None:
        if entry.is_gone():
            return Reason.DISCONNECT
        if entry.deadline is not None and now + self._spare_seconds > entry.deadline:
            return Reason.DEADLINE
        return None

    def _is_shedding(self, limit: int) -> bool:
        begins, ends = self._shed_from * limit, self._shed_all * limit
        if self._length < begins:
            return False
        likelihood = (self._length - begins) / (ends - begins)
        return likelihood >= 1 or self._chance() < likelihood

    def _lowest(self) -> Entry[T] | None:
        for bucket in reversed(self._tiers):
            if bucket:
                return bucket.lowest()
        return None
