"""How much a server can do: the highest rate that it serves, and keeps serving."""

from collections.abc import Awaitable, Callable

from holdfast.cli.bench.instance import CannotBench
from holdfast.cli.bench.protection.plan import Seen

ENOUGH = 0.99
"""Of the requests have to be OK."""
# A little above what can be done, the line grows slowly, and no client of a short run
# waits too long yet. So at the end no more may be under way than arrive in this time.
_BACKLOG_SECONDS = 0.05
_FEWEST_IN_FLIGHT = 4
_LOW, _HIGH = 0.4, 1.1
_STEPS = 6
_CLIMB = 1.6
_HIGHEST = 50_000.0

Try = Callable[[float], Awaitable[Seen]]
"""Puts a rate on the server, and tells what came of it."""


def keeps_up(seen: Seen, rate: float) -> bool:
    """Whether a server did what was asked, and could have gone on."""
    backlog = max(_FEWEST_IN_FLIGHT, rate * _BACKLOG_SECONDS)
    return seen.ok_share >= ENOUGH and seen.in_flight <= backlog


async def peak(attempt: Try, expected: float) -> float:
    """The highest rate it keeps up with, within 2 %; ``CannotBench``.

    *expected* is what it would do if nothing but its work took time.
    """
    low, high = _LOW * expected, _HIGH * expected
    if not await _holds(attempt, low):
        raise CannotBench(f"It does not even keep up with {low:,.0f} a second.")
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if await _holds(attempt, middle):
            low = middle
        else:
            high = middle
    return low


async def climb(attempt: Try, start: float) -> float:
    """The same where nobody knows what to expect; ``CannotBench``."""
    if not await _holds(attempt, start):
        raise CannotBench(f"It does not even keep up with {start:,.0f} a second.")
    low, high = start, start * _CLIMB
    while await _holds(attempt, high):
        low, high = high, high * _CLIMB
        if high > _HIGHEST:
            raise CannotBench(f"It keeps up with {low:,.0f} a second: no peak is near.")
    for _ in range(_STEPS - 1):
        middle = (low + high) / 2
        if await _holds(attempt, middle):
            low = middle
        else:
            high = middle
    return low


async def _holds(attempt: Try, rate: float) -> bool:
    seen = await attempt(rate)
    if seen.void is not None:
        raise CannotBench(f"The peak is not known: {seen.void}")
    return keeps_up(seen, rate)
