"""How much a caller may do, decided with whole microseconds and nothing else.

The rule is a token bucket kept as one number (GCRA, ITU-T I.371): the instant at
which the bucket is full again, here called its *due*. A token costs ``interval``
microseconds of it, a bucket of ``burst`` tokens is ``tolerance`` microseconds
deep, and a call is let through if its due stays within the tolerance of now.

The interval is rounded up to a whole microsecond, so no rounding ever lets more
through than was promised; the rate granted is lower than the rate asked for by
less than one microsecond a token (0.5 % at 5,000 a second). Everything here is
pure: the due of each bucket and the present come in, the new dues go out.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

SECOND = 1_000_000
"""Microseconds."""

NEVER = -1
"""The wait of a call that its bucket could not serve even when full."""

Source: TypeAlias = Literal["store", "lease", "local"]
"""Where a verdict was found: the shared store, tokens leased from it, or here."""

# It is part of keys and of header fields, and one label of every metric.
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
# A double counts whole numbers up to 9.007e15 exactly, and the store computes with
# doubles: what the deepest bucket adds to the present has to stay below.
_DEEPEST = 86_400 * SECOND * 100_000


@dataclass(frozen=True, slots=True)
class Quota:
    """One policy: a bucket of *burst* tokens that *tokens* a period flow into."""

    name: str
    burst: int
    tokens: int
    period_seconds: int = 1
    strict: bool = False
    """It guards credentials: never leased, never widened when the store is gone."""
    interval: int = field(init=False, repr=False, compare=False)
    """Microseconds that one token costs."""
    tolerance: int = field(init=False, repr=False, compare=False)
    """Microseconds that an empty bucket needs to be full."""

    def __post_init__(self) -> None:
        """Refuse what cannot be counted, and prepare what every decision needs."""
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"not the name of a quota: {self.name!r}")
        if min(self.burst, self.tokens, self.period_seconds) < 1:
            raise ValueError(f"quota {self.name}: every number must be at least one")
        if self.tokens > self.period_seconds * SECOND:
            raise ValueError(f"quota {self.name}: over a million tokens a second")
        interval = -(-self.period_seconds * SECOND // self.tokens)
        if self.burst * interval > _DEEPEST:
            raise ValueError(f"quota {self.name}: the bucket takes too long to fill")
        object.__setattr__(self, "interval", interval)
        object.__setattr__(self, "tolerance", self.burst * interval)

    @property
    def window_seconds(self) -> int:
        """Seconds until an empty bucket is full: *burst* a window is the rate."""
        return -(-self.tolerance // SECOND)

    def scaled(self, share: int, of: int) -> "Quota":
        """*share*/*of* of this quota, and at least a bucket of one token."""
        period = self.period_seconds * of
        return Quota(
            self.name,
            burst=max(1, self.burst * share // of),
            tokens=min(self.tokens * share, period * SECOND),
            period_seconds=period,
            strict=self.strict,
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands with one quota, right after a decision."""

    quota: Quota
    remaining: int
    next_micros: int
    """Until there is one token more; 0 if the bucket is full."""
    full_micros: int
    """Until the bucket is full."""
    retry_micros: int = 0
    """Until the call could be let through: 0 if it could now, -1 (``NEVER``)."""

    @property
    def limit(self) -> int:
        return self.quota.burst

    @property
    def window_seconds(self) -> int:
        return self.quota.window_seconds

    @property
    def next_seconds(self) -> float:
        return self.next_micros / SECOND

    @property
    def full_seconds(self) -> float:
        return self.full_micros / SECOND

    @property
    def retry_seconds(self) -> float:
        """Seconds until the call could be let through, or -1 (never)."""
        return (
            self.retry_micros / SECOND if self.retry_micros > 0 else self.retry_micros
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """One decision over all quotas of a caller: all of them pay, or none does."""

    allowed: bool
    standings: tuple[Standing, ...] = ()
    source: Source = "local"
    granted: int = 0
    """Tokens taken: the cost, more for a lease, and none if it was refused."""
    at_micros: int = 0
    """When it was decided, by the clock of the buckets; comparable with itself only."""

    @property
    def violated(self) -> tuple[str, ...]:
        """The quotas that refused."""
        return tuple(s.quota.name for s in self.standings if s.retry_micros)

    @property
    def too_costly(self) -> bool:
        """A bucket is smaller than the call's cost: waiting cannot help."""
        return any(s.retry_micros == NEVER for s in self.standings)

    @property
    def retry_seconds(self) -> float:
        """Seconds after which the same call may succeed; 0 if it did, -1 never."""
        if self.too_costly:
            return NEVER
        return max((s.retry_seconds for s in self.standings), default=0)


class Limiter(Protocol):
    """Decides whether a caller may go on, wherever its buckets are kept."""

    async def take(
        self, subject: str, quotas: Sequence[Quota], cost: int = 1
    ) -> Verdict:
        """Take *cost* tokens from every one of *quotas*, or from none.

        A cost of 0 takes nothing and tells where *subject* stands. Raises
        ``StoreUnavailable`` if the buckets cannot be reached.
        """
        ...


class StoreUnavailable(Exception):
    """The buckets could not be asked in time; what they hold is not known."""


def decide(
    quotas: Sequence[Quota],
    dues: Sequence[int],
    now: int,
    cost: int = 1,
    *,
    most: int | None = None,
) -> tuple[Verdict, list[int] | None]:
    """Take *cost* tokens from each bucket, or as many as all have up to *most*.

    Returns the verdict and the new dues, which are None if nothing was taken. A due
    in the past is a full bucket. One beyond the tolerance, as a clock set back
    leaves it, is an empty bucket: nobody waits longer than it takes to fill.
    """
    if cost < 0:
        raise ValueError("a call cannot cost less than nothing")
    starts: list[int] = []
    granted = cost if most is None else max(cost, most)
    for quota, due in zip(quotas, dues, strict=True):
        start = min(max(due, now), now + quota.tolerance)
        starts.append(start)
        granted = min(granted, (now + quota.tolerance - start) // quota.interval)
    verdict = judge(quotas, starts, now, cost, granted if granted >= cost else None)
    if not verdict.granted:
        return verdict, None
    return verdict, [
        start + verdict.granted * quota.interval
        for quota, start in zip(quotas, starts, strict=True)
    ]


def judge(
    quotas: Sequence[Quota],
    starts: Sequence[int],
    now: int,
    cost: int,
    granted: int | None,
    *,
    source: Source = "local",
) -> Verdict:
    """The verdict, once it is known what was *granted* (None: refused).

    *starts* are the dues before anything was taken, none of them in the past.
    """
    standings: list[Standing] = []
    for quota, start in zip(quotas, starts, strict=True):
        interval = quota.interval
        due = start + (granted or 0) * interval
        room = now + quota.tolerance - due
        retry = 0
        if cost > quota.burst:
            retry = NEVER
        elif granted is None:
            retry = max(0, cost * interval - room)
        standings.append(
            Standing(
                quota,
                remaining=room // interval,
                next_micros=interval - room % interval if due > now else 0,
                full_micros=due - now,
                retry_micros=retry,
            )
        )
    return Verdict(
        allowed=granted is not None,
        standings=tuple(standings),
        source=source,
        granted=granted or 0,
        at_micros=now,
    )
