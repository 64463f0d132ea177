"""Who of many gets what there is: the decision of one batch, without any I/O.

Requests for holds that arrive together are decided together, over levels that the
caller has locked. Each gets all of its lines or none; what its holder has already is
kept, so that asking again (a retry, a renewal) takes nothing more. Customers take
turns: everybody's first request comes before anybody's second. After that, first come
is first served, and a small request may have what is too little for a large one.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeAlias, TypeVar
from uuid import UUID

Place: TypeAlias = tuple[UUID, UUID]
"""A variant and a location: one row of stock."""
Units: TypeAlias = dict[Place, int]
"""How many units where; no zeros."""


class HasCustomer(Protocol):
    """Whatever is asked on somebody's behalf."""

    @property
    def customer(self) -> Hashable: ...


R = TypeVar("R", bound=HasCustomer)


@dataclass(frozen=True, slots=True)
class Request:
    """What a holder wants to have: instead of what it has, not on top of it."""

    holder_id: UUID
    customer: Hashable
    """Who is behind it; one who asks often stands in line once."""
    lines: tuple[tuple[UUID, int], ...]
    """Variants and how many of each; one entry a variant."""
    lasts: timedelta
    """How long from now the hold is to last."""


@dataclass(frozen=True, slots=True)
class Granted:
    """The holder has what it asked for."""

    units: Units
    """All that it has now."""
    is_new: bool
    """It had nothing before."""
    is_same: bool
    """It had exactly this before."""


@dataclass(frozen=True, slots=True)
class Denied:
    """The holder got nothing; what it had before it still has."""

    available: dict[UUID, int]
    """For each variant that falls short, how many this holder could have had."""
    is_sure: bool = True
    """False if overdue holds, which somebody is at, may be all that was in the way."""


def in_turn(requests: Iterable[R]) -> list[R]:
    """Everybody's first request, then everybody's second; else by arrival."""
    rounds: list[list[R]] = []
    seen: dict[Hashable, int] = {}
    for request in requests:
        turn = seen.get(request.customer, 0)
        seen[request.customer] = turn + 1
        if turn == len(rounds):
            rounds.append([])
        rounds[turn].append(request)
    return [request for one in rounds for request in one]


def grant(
    levels: Mapping[UUID, Sequence[tuple[UUID, int]]],
    held: Mapping[UUID, Units],
    requests: Sequence[Request],
) -> list[Granted | Denied]:
    """Decide *requests* in the order given; returns one outcome for each.

    *levels* says for each variant how many units are free at which location, by
    priority, and is below zero where more is promised than may be; *held* what holders
    have, which is not in *levels*. Neither is changed.
    """
    free = {
        (variant, location): units
        for variant, places in levels.items()
        for location, units in places
    }
    places_of = {
        variant: [(variant, location) for location, _ in places]
        for variant, places in levels.items()
    }
    has = dict(held)
    outcomes: list[Granted | Denied] = []
    for request in requests:
        before = has.get(request.holder_id, {})
        outcome = _decide(request, before, free, places_of)
        if isinstance(outcome, Granted):
            _move(free, before, outcome.units)
            has[request.holder_id] = outcome.units
        outcomes.append(outcome)
    return outcomes


def _decide(
    request: Request,
    before: Units,
    free: Mapping[Place, int],
    places_of: Mapping[UUID, Sequence[Place]],
) -> Granted | Denied:
    units: Units = {}
    short: dict[UUID, int] = {}
    for variant, quantity in request.lines:
        places = places_of.get(variant, ())
        own = {at: n for at, n in before.items() if at[0] == variant} if before else {}
        has = sum(own.values())
        if has >= quantity:
            # What it has it keeps, whatever has happened to the level since.
            order = [at for at in places if at in own]
            order += [at for at in own if at not in order]
            units |= _place([(at, own[at]) for at in order], quantity) or {}
            continue
        # For more, its own units count as free, so that one location may have it all.
        open_ = [
            (at, n)
            for at in places
            if (n := free[at] + (own.get(at, 0) if own else 0)) > 0
        ]
        placed = _place(open_, quantity)
        if placed is None:
            short[variant] = max(has, sum(n for _, n in open_))
        else:
            units |= placed
    if short:
        return Denied(short)
    return Granted(units, is_new=not before, is_same=units == before)


def _place(open_: Sequence[tuple[Place, int]], quantity: int) -> Units | None:
    """One location that has it all, if there is one; else by priority."""
    for at, n in open_:
        if n >= quantity:
            return {at: quantity}
    units: Units = {}
    for at, n in open_:
        units[at] = min(n, quantity)
        quantity -= units[at]
        if not quantity:
            return units
    return None


def _move(free: dict[Place, int], before: Units, after: Units) -> None:
    for at, n in before.items():
        # A location that is closed takes back what it had, and offers it to nobody.
        if at in free:
            free[at] += n
    for at, n in after.items():
        if at in free:
            free[at] -= n
