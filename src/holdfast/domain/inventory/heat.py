"""Which variants so many want at once that their requests are combined.

A variant becomes hot when requests for it waited long for its lock (the slowest tenth
of the last few), or when this process sees more than 50 requests a second for it; it
cools down when few came for a while. What is remembered is bounded: of variants that
nobody asked for lately, the longest unasked is forgotten first.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from holdfast.kernel.clock import Monotonic, monotonic

HOT_RATE = 50.0
"""Requests a second for one variant in one process."""
HOT_WAIT_SECONDS = 0.005
"""For a lock, exceeded by a tenth."""
QUIET_SECONDS = 10.0
"""How long few must have come before it is cold again."""
_QUIET_RATE = HOT_RATE / 5
_WINDOW_SECONDS = 1.0
_WAITS = 20
_FEWEST_WAITS = 10
_WAITS_COUNT_SECONDS = 2.0
_MAX_KNOWN = 1_024


@dataclass(slots=True)
class _Seen:
    """What this process saw of one variant."""

    since: float
    """When the second that is being counted began."""
    asked: int = 0
    hot_until: float = 0.0
    waits: deque[tuple[float, float]] = field(
        default_factory=lambda: deque(maxlen=_WAITS)
    )


class Heat:
    """How much the variants of one process are in demand."""

    def __init__(self, *, most: int = _MAX_KNOWN, timer: Monotonic = monotonic) -> None:
        self._most = most
        self._timer = timer
        self._seen: OrderedDict[UUID, _Seen] = OrderedDict()
        self._any_until = 0.0

    def __len__(self) -> int:
        return len(self._seen)

    @property
    def any_hot(self) -> bool:
        """Whether any variant is hot, or was until just now."""
        return self._any_until > self._timer()

    @property
    def hot(self) -> int:
        """How many variants are hot at this moment."""
        now = self._timer()
        return sum(seen.hot_until > now for seen in self._seen.values())

    def ask(self, variants: Iterable[UUID]) -> bool:
        """Count a request; whether any of its variants is hot."""
        now, any_hot = self._timer(), False
        for variant in variants:
            seen = self._find(variant, now)
            if now - seen.since >= _WINDOW_SECONDS:
                seen.since, seen.asked = now, 0
            seen.asked += 1
            is_hot = seen.hot_until > now
            # Once hot, a fifth of what made it so keeps it so: at the edge it would
            # otherwise change with every second.
            enough = _QUIET_RATE if is_hot else HOT_RATE
            if seen.asked > enough * _WINDOW_SECONDS:
                self._any_until = seen.hot_until = now + QUIET_SECONDS
                is_hot = True
            any_hot |= is_hot
        return any_hot

    def is_hot(self, variants: Iterable[UUID]) -> bool:
        """Whether any of them is hot; counts nothing."""
        now = self._timer()
        return any(
            seen.hot_until > now
            for variant in variants
            if (seen := self._seen.get(variant)) is not None
        )

    def waited(self, variants: Iterable[UUID], seconds: float) -> None:
        """A request for *variants* waited so long for their locks."""
        now = self._timer()
        for variant in variants:
            seen = self._find(variant, now)
            seen.waits.append((now, seconds))
            recent = sorted(
                wait for at, wait in seen.waits if now - at <= _WAITS_COUNT_SECONDS
            )
            if len(recent) < _FEWEST_WAITS:
                continue
            if recent[(len(recent) - 1) * 9 // 10] > HOT_WAIT_SECONDS:
                self._any_until = seen.hot_until = now + QUIET_SECONDS
                seen.waits.clear()

    def _find(self, variant: UUID, now: float) -> _Seen:
        seen = self._seen.get(variant)
        if seen is None:
            while len(self._seen) >= self._most:
                self._seen.popitem(last=False)
            seen = self._seen[variant] = _Seen(now)
        else:
            self._seen.move_to_end(variant)
        return seen
