"""Announce drops, wait for them, and hear when it is one's turn.

Operators announce, change and end. Visitors take a ticket and ask with it how far they
are: most of those answers come from the ticket and from what the process knows of the
door. Only the first answer after the draw, and the first when it is their turn, look
into the database.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Literal, TypeAlias
from uuid import UUID

from holdfast.domain import catalog, drops, ordering
from holdfast.domain.drops import Drop
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import Unavailable
from holdfast.kernel.ids import new_id
from holdfast.platform.db import ConstraintViolated, Database
from holdfast.platform.together import Together
from holdfast.platform.vault import Vault
from holdfast.resilience.waiting_room import (
    Ticket,
    TicketForged,
    commitment,
    estimate,
    read,
    sign,
)
from holdfast.workflows.doors import Door, Doors

Turn: TypeAlias = Literal["registered", "waiting", "admitted", "expired", "missed"]

_TRIES = 3
_SOONEST_SECONDS, _LATEST_SECONDS = 2.0, 60.0
# Who waits is asked to come back after a tenth of what they still have to wait.
_PART = 0.1
_chance = random.Random()  # noqa: S311 - spreads visitors, keeps no secret

_Asked: TypeAlias = tuple[UUID, UUID, bytes, int]
"""Drop, ticket, holder, how many that one may have."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an operator wants a drop to be."""

    name: str
    skus: Sequence[str]
    opens_at: datetime
    closes_at: datetime | None
    guests: bool
    most_units: int
    most_tickets: int
    per_minute: int | None
    pass_seconds: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How far somebody is."""

    drop: Drop
    turn: Turn
    ticket: str
    """What to ask with next time, and to buy with."""
    position: int | None
    ahead: int | None
    """How many are let in before."""
    wait_seconds: float | None
    """How long that may take; None where nobody knows."""
    admitted_until: datetime | None
    again_in_seconds: float
    """When to ask again."""


@dataclass(eq=False)
class WaitingRoomBusy(Unavailable):
    """So many take tickets at this moment that this one has to wait."""

    retry_after_seconds: int = 2


@dataclass(frozen=True, slots=True)
class Drops:
    """What operators do with drops."""

    db: Database
    doors: Doors
    clock: Clock

    async def announce(self, plan: Plan, *, actor: str) -> Drop:
        """Put some SKUs behind a door from now on; nobody may buy them before it opens.

        Raises ``DropInvalid``, ``UnknownSku`` or ``VariantInAnotherDrop``.
        """
        now, drop_id = self.clock(), new_id()
        drops.check(plan.opens_at, plan.closes_at, now)
        if len(set(plan.skus)) != len(plan.skus):
            raise drops.DropInvalid("a SKU is named twice")
        offers = await catalog.offers(self.db, list(plan.skus))
        if unknown := sorted(set(plan.skus) - offers.keys()):
            raise ordering.UnknownSku(unknown)
        drop = Drop(
            id=drop_id,
            name=plan.name,
            opens_at=plan.opens_at,
            closes_at=plan.closes_at,
            guests=plan.guests,
            most_units=plan.most_units,
            most_tickets=plan.most_tickets,
            per_minute=plan.per_minute,
            pass_seconds=plan.pass_seconds,
            variant_ids=[offers[sku].variant_id for sku in plan.skus],
            skus=list(plan.skus),
            commitment=commitment(self.doors.seed_of(drop_id)),
        )
        async with self.db.transaction() as tx:
            await drops.add(tx, drop, by=actor, at=now)
        await self.doors.reread()
        return drop

    async def change(
        self, drop_id: UUID, *, closes_at: datetime | None, per_minute: int | None
    ) -> Drop:
        """Change when it closes and how fast people are let in.

        Raises ``DropNotFound``, ``DropEnded`` or ``DropInvalid``.
        """
        drop = await drops.find(self.db, drop_id)
        drops.check_end(drop.opens_at, closes_at)
        async with self.db.transaction() as tx:
            if not await drops.change(
                tx, drop_id, closes_at=closes_at, per_minute=per_minute
            ):
                raise drops.DropEnded(drop_id)
        await self.doors.reread()
        return await drops.find(self.db, drop_id)

    async def end(self, drop_id: UUID) -> None:
        """End it: what was behind the door is sold to anybody. ``DropNotFound``."""
        await drops.find(self.db, drop_id)
        async with self.db.statement() as tx:
            await drops.end(tx, drop_id, at=self.clock())
        await self.doors.reread()


class WaitingRoom:
    """What visitors do, in one process."""

    def __init__(self, db: Database, vault: Vault, doors: Doors, clock: Clock) -> None:
        self._db = db
        self._vault = vault
        self._doors = doors
        self._clock = clock
        self._places: Together[UUID, int | None] = Together(partial(drops.places, db))
        self._issuing: Together[_Asked, tuple[int | None]] = Together(
            self._issue, most=256
        )

    async def join(
        self, drop_id: UUID, account_id: UUID | None, network: str
    ) -> Standing:
        """Take a ticket; an account that has one gets the same again.

        *network* is the address, or what stands for all of one customer of a network
        provider. Raises ``DropNotFound``, ``DropEnded``, ``SignInToWait``,
        ``NoMoreTickets`` or ``WaitingRoomBusy``.
        """
        door = await self._door(drop_id)
        if account_id is not None:
            holder, most = drops.account_holder(self._vault, account_id), 1
        else:
            if not door.drop.guests:
                raise drops.SignInToWait
            most = door.drop.most_tickets
            holder = self._vault.index(network, purpose="drop-network")
        ticket = Ticket(drop_id, new_id())
        made = await self._issuing.get((drop_id, ticket.id, holder, most))
        if made is not None:
            ticket = replace(ticket, position=made[0])
        else:
            had = await drops.tickets_of(self._db, drop_id, holder)
            if not had:
                # It ended between two looks.
                raise drops.DropEnded(drop_id)
            if account_id is None:
                raise drops.NoMoreTickets(most)
            ticket = Ticket(drop_id, *had[0])
        return await self._standing(door, ticket)

    async def look(self, drop_id: UUID, text: str) -> Standing:
        """How far the holder of a ticket is.

        Raises ``DropNotFound``, ``DropEnded`` or ``TicketNotValid``.
        """
        door = await self._door(drop_id)
        try:
            ticket = read(text.strip(), door.key)
        except TicketForged:
            raise drops.TicketNotValid from None
        if ticket.room != drop_id:
            raise drops.TicketNotValid
        return await self._standing(door, ticket)

    async def _door(self, drop_id: UUID) -> Door:
        door = self._doors.find(drop_id)
        if door is None:
            drop = await drops.find(self._db, drop_id)
            if drop.ended_at is not None:
                raise drops.DropEnded(drop_id)
            # Announced in another process a moment ago.
            await self._doors.reread()
            door = self._doors.find(drop_id)
        if door is None:
            raise drops.DropEnded(drop_id)
        return door

    async def _issue(
        self, asked: Sequence[_Asked]
    ) -> Mapping[_Asked, tuple[int | None]]:
        """Give out the tickets that many ask for at once."""
        found: dict[_Asked, tuple[int | None]] = {}
        for drop_id in {one[0] for one in asked}:
            ours = {one[1]: one for one in asked if one[0] == drop_id}
            made = await self._issue_of(drop_id, [one[1:] for one in ours.values()])
            found |= {ours[ticket_id]: (place,) for ticket_id, place in made.items()}
        return found

    async def _issue_of(
        self, drop_id: UUID, wanted: Sequence[tuple[UUID, bytes, int]]
    ) -> Mapping[UUID, int | None]:
        for _ in range(_TRIES):
            try:
                async with self._db.statement() as tx:
                    return await drops.issue(tx, drop_id, wanted, at=self._clock())
            except ConstraintViolated:
                # Another process gave one of these a ticket at the same moment.
                continue
        raise WaitingRoomBusy

    async def _standing(self, door: Door, ticket: Ticket) -> Standing:
        drop, now = door.drop, self._clock()
        if drop.drawn_at is None:
            opens_in = (drop.opens_at - now).total_seconds()
            again = max(opens_in, 0) + _chance.uniform(1, 3)
            return _said(door, ticket, "registered", opens_in, again)
        if ticket.position is None:
            place = await self._places.get(ticket.id)
            if place is None:
                raise drops.TicketNotValid
            ticket = replace(ticket, position=place)
        if ticket.admitted_until is not None:
            left = ticket.admitted_until - now.timestamp()
            turn: Turn = "admitted" if left > 0 else "expired"
            return _said(door, ticket, turn, 0.0, max(left, _SOONEST_SECONDS))
        if (ticket.position or 0) > drop.admitted:
            return _waiting(door, ticket)
        return await self._enter(door, ticket)

    async def _enter(self, door: Door, ticket: Ticket) -> Standing:
        """It is their turn: their time begins now, unless it did before."""
        now, lasts = self._clock(), door.drop.pass_seconds
        async with self._db.statement() as tx:
            entry = await drops.enter(tx, ticket.id, waits_seconds=lasts, at=now)
        if entry is None:
            raise drops.TicketNotValid
        if entry.since is None:
            if entry.missed:
                return _said(door, ticket, "missed", None, _LATEST_SECONDS)
            return _waiting(door, ticket)
        until = int(entry.since.timestamp()) + lasts
        return await self._standing(door, replace(ticket, admitted_until=until))


def _waiting(door: Door, ticket: Ticket) -> Standing:
    ahead = max(0, (ticket.position or 0) - door.drop.admitted - 1)
    wait = estimate(ahead, door.per_second)
    again = _LATEST_SECONDS if wait is None else wait * _PART
    again = min(max(again, _SOONEST_SECONDS), _LATEST_SECONDS)
    return _said(door, ticket, "waiting", wait, again * _chance.uniform(0.8, 1.2))


def _said(
    door: Door, ticket: Ticket, turn: Turn, wait: float | None, again: float
) -> Standing:
    ahead, until = None, ticket.admitted_until
    if turn == "waiting" and ticket.position is not None:
        ahead = max(0, ticket.position - door.drop.admitted - 1)
    return Standing(
        drop=door.drop,
        turn=turn,
        ticket=sign(ticket, door.key),
        position=ticket.position,
        ahead=ahead,
        wait_seconds=None if wait is None else max(wait, 0.0),
        admitted_until=None
        if until is None
        else datetime.fromtimestamp(until, door.drop.opens_at.tzinfo),
        again_in_seconds=again,
    )
